// The load that benchmarks/access/run.py puts on a gateway; one thread, one epoll.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common.h"

int main(int count, char** arguments) {
  if (count < 2) fail("playing, visit, hold or tickets, and its options");
  rlimit descriptors;
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  signal(SIGPIPE, SIG_IGN);
  // Wakes when asked to, not up to 50 µs later.
  prctl(PR_SET_TIMERSLACK, 1);

  std::string command = arguments[1];
  Options options(count - 2, arguments + 2);
  if (command == "playing") return playing(options);
  if (command == "visit") return visit(options);
  if (command == "hold") return hold(options);
  if (command == "tickets") return signTickets(options);
  fail("no such command: " + command);
}
