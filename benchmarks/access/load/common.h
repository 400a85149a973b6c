// What the parts of the load program share: time, options, addresses and sockets.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

inline int64_t now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

[[noreturn]] inline void fail(const std::string& message) {
  std::fprintf(stderr, "load: %s\n", message.c_str());
  std::exit(1);
}

[[noreturn]] inline void failWithErrno(const std::string& what) {
  fail(what + ": " + std::strerror(errno));
}

// `--name value` pairs.
class Options {
 public:
  Options(int count, char** arguments) {
    for (int index = 0; index < count; index += 2) {
      std::string name = arguments[index];
      if (name.rfind("--", 0) != 0 || index + 1 >= count)
        fail("not an option with a value: " + name);
      values_[name.substr(2)] = arguments[index + 1];
    }
  }

  std::string text(const std::string& name, const char* standard = nullptr) const {
    auto found = values_.find(name);
    if (found != values_.end()) return found->second;
    if (!standard) fail("needs --" + name);
    return standard;
  }

  int64_t number(const std::string& name, const char* standard = nullptr) const {
    return std::stoll(text(name, standard));
  }

 private:
  std::map<std::string, std::string> values_;
};

// "127.0.0.1:7999"
inline sockaddr_in addressOf(const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  size_t colon = text.rfind(':');
  if (colon == std::string::npos ||
      inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1)
    fail("not an IPv4 address with a port: " + text);
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(text.substr(colon + 1))));
  return address;
}

// All addresses of a prefix such as 127.2.0.0/16, one after the other, again and again.
class Sources {
 public:
  explicit Sources(const std::string& text) {
    size_t slash = text.find('/');
    in_addr address;
    if (slash == std::string::npos ||
        inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) != 1)
      fail("not an IPv4 prefix: " + text);
    first_ = ntohl(address.s_addr);
    count_ = 1u << (32 - std::stoi(text.substr(slash + 1)));
  }

  in_addr next() { return in_addr{htonl(first_ + next_++ % count_)}; }

 private:
  uint32_t first_, count_, next_ = 0;
};

// A non-blocking socket that is on its way to an address; -1 when the system has none to give.
inline int startConnecting(const sockaddr_in& to, in_addr from) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int on = 1;
  // The port is chosen when the other end is known too, so that 28,000 of them are enough.
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr = from;
  if (bind(fd, reinterpret_cast<sockaddr*>(&source), sizeof source) == 0) {
    auto* address = reinterpret_cast<const sockaddr*>(&to);
    if (connect(fd, address, sizeof to) == 0 || errno == EINPROGRESS) return fd;
  }
  close(fd);
  return -1;
}

// Waits for events until a time, not longer.
inline int wait(int epoll, epoll_event* events, int most, int64_t until) {
  int64_t left = until - now();
  if (left < 0) left = 0;
  timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
  int count = epoll_pwait2(epoll, events, most, &timeout, nullptr);
  if (count < 0 && errno != EINTR) failWithErrno("epoll_pwait2");
  return count < 0 ? 0 : count;
}

int playing(const Options& options);
int visit(const Options& options);
int hold(const Options& options);
int signTickets(const Options& options);
