// Clients that log in and then say nothing: so many are held until the end of standard input, so
// that what they cost can be looked at.
//
// --together 0 leaves again with each that is in, and begins the next: --connections is how many
// come in all then, with --concurrency of them at a time.
#include <vector>

#include "claims.h"
#include "common.h"

namespace {

class Holder {
 public:
  explicit Holder(const Options& options)
      : to_(addressOf(options.text("to"))),
        sources_(options.text("from", "127.7.0.0/16")),
        wanted_(static_cast<size_t>(options.number("connections"))),
        concurrency_(static_cast<size_t>(options.number("concurrency", "100"))),
        isTogether_(options.number("together", "1") != 0),
        claims_(readClaims(options.text("claims"))) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
  }

  int run() {
    int64_t begin = now();
    std::vector<epoll_event> events(256);
    while (in_ < wanted_) {
      while (begun_ < wanted_ && begun_ - in_ < concurrency_) start();
      int count = wait(epoll_, events.data(), static_cast<int>(events.size()),
                       now() + 1'000'000'000);
      for (int index = 0; index < count; ++index) happened(events[index].data.fd);
    }
    std::printf("{\"in\": %zu, \"seconds\": %.3f}\n", in_,
                static_cast<double>(now() - begin) / 1e9);
    std::fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
  }

 private:
  struct Client {
    size_t claim = 0, received = 0;
    bool isConnected = false;
  };

  void start() {
    int fd = startConnecting(to_, sources_.next());
    if (fd < 0) failWithErrno("connect");
    if (clients_.size() <= static_cast<size_t>(fd)) clients_.resize(static_cast<size_t>(fd) + 1);
    clients_[fd] = Client{begun_++ % claims_.size(), 0, false};
    epoll_event event{};
    event.events = EPOLLOUT;
    event.data.fd = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) failWithErrno("epoll_ctl");
  }

  void happened(int fd) {
    Client& client = clients_[fd];
    const std::string& claim = claims_[client.claim];
    if (!client.isConnected) {
      client.isConnected = true;
      if (write(fd, claim.data(), claim.size()) != static_cast<ssize_t>(claim.size()))
        fail("a claim could not be sent");
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.fd = fd;
      epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
      return;
    }
    char buffer[4096];
    ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) fail("closed before its time");
    client.received += static_cast<size_t>(count);
    if (client.received < claim.size()) return;
    in_ += 1;
    if (!isTogether_) close(fd);
  }

  sockaddr_in to_;
  Sources sources_;
  size_t wanted_, concurrency_;
  bool isTogether_;
  std::vector<std::string> claims_;
  std::vector<Client> clients_;
  int epoll_;
  size_t begun_ = 0, in_ = 0;
};

}  // namespace

int hold(const Options& options) {
  Holder holder(options);
  return holder.run();
}
