// Clients that play: each sends a numbered packet at a steady rate, whatever comes back, and every
// byte of every echo is compared. A packet's time runs from when it was due, not from when it went
// out, so that nothing that delays this program is left out.
//
// On standard input: "start" begins a window, "stop" ends it and prints what it held; the end of
// input ends the program.
#include <vector>

#include "common.h"
#include "histogram.h"

namespace {

constexpr int64_t lostAfter = 2'000'000'000;

struct Client {
  int fd = -1;
  uint64_t sent = 0, received = 0;
  size_t filled = 0;
  std::vector<uint8_t> buffer;
};

class Players {
 public:
  explicit Players(const Options& options)
      : size_(static_cast<size_t>(options.number("size", "64"))),
        clients_(static_cast<size_t>(options.number("connections", "1000"))),
        period_(1'000'000'000 / options.number("rate", "10")) {
    if (size_ < 18 || size_ > 65'000) fail("--size is 18 to 65000");
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    sockaddr_in to = addressOf(options.text("to"));
    Sources sources(options.text("from", "127.1.0.0/24"));
    for (size_t index = 0; index < clients_.size(); ++index) connectOne(index, to, sources.next());
    packet_.resize(size_);
    add(STDIN_FILENO, clients_.size());
  }

  int run() {
    std::printf("{\"ready\": %zu}\n", clients_.size());
    std::fflush(stdout);
    begin_ = now();
    std::vector<epoll_event> events(512);
    while (!isOver_) {
      int64_t due = begin_ + static_cast<int64_t>(sent_) * step();
      int count = wait(epoll_, events.data(), static_cast<int>(events.size()), due);
      for (int index = 0; index < count; ++index) {
        if (events[index].data.u64 == clients_.size()) {
          takeOrder();
        } else {
          receive(clients_[events[index].data.u64]);
        }
      }
      sendWhatIsDue();
      reportIfComplete();
    }
    return 0;
  }

 private:
  int64_t step() const { return period_ / static_cast<int64_t>(clients_.size()); }

  void add(int fd, size_t index) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) failWithErrno("epoll_ctl");
  }

  void connectOne(size_t index, const sockaddr_in& to, in_addr from) {
    Client& client = clients_[index];
    client.fd = startConnecting(to, from);
    if (client.fd < 0) failWithErrno("connect");
    client.buffer.resize(size_);
    add(client.fd, index);
    // A pause, so that the gateway's queue of new connections does not overflow.
    if (index % 50 == 49) usleep(5'000);
  }

  // A packet: length, its number among all, and bytes that follow from it.
  void make(uint64_t number) {
    uint16_t length = htons(static_cast<uint16_t>(size_ - 2));
    std::memcpy(packet_.data(), &length, 2);
    std::memcpy(packet_.data() + 2, &number, 8);
    for (size_t at = 10; at < size_; ++at) packet_[at] = static_cast<uint8_t>(number * 31 + at);
  }

  void sendWhatIsDue() {
    for (;;) {
      int64_t due = begin_ + static_cast<int64_t>(sent_) * step();
      int64_t time = now();
      if (due > time) return;
      Client& client = clients_[sent_ % clients_.size()];
      make(sent_);
      sent_ += 1;
      if (client.fd < 0) continue;
      if (write(client.fd, packet_.data(), size_) != static_cast<ssize_t>(size_)) {
        lose(client);
        continue;
      }
      client.sent += 1;
      if (isInWindow(due)) {
        awaited_ += 1;
        lateness_.add(time - due);
      }
    }
  }

  bool isInWindow(int64_t due) const { return due >= windowBegin_ && due < windowEnd_; }

  void receive(Client& client) {
    if (client.fd < 0) return;
    ssize_t count = read(client.fd, client.buffer.data() + client.filled, size_ - client.filled);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return lose(client);
    client.filled += static_cast<size_t>(count);
    if (client.filled < size_) return;
    client.filled = 0;
    check(client);
  }

  void check(Client& client) {
    uint64_t number = client.received * clients_.size() + (&client - clients_.data());
    make(number);
    if (client.received == client.sent || client.buffer != packet_) fail("a wrong echo");
    client.received += 1;
    int64_t due = begin_ + static_cast<int64_t>(number) * step();
    if (!isInWindow(due)) return;
    awaited_ -= 1;
    latency_.add(now() - due);
  }

  void lose(Client& client) {
    close(client.fd);
    client.fd = -1;
    closed_ += 1;
  }

  void takeOrder() {
    char order[64];
    ssize_t count = read(STDIN_FILENO, order, sizeof order);
    if (count <= 0) {
      isOver_ = true;
    } else if (std::strncmp(order, "start", 5) == 0) {
      latency_.clear();
      lateness_.clear();
      awaited_ = 0;
      windowBegin_ = now();
      windowEnd_ = INT64_MAX;
    } else if (std::strncmp(order, "stop", 4) == 0) {
      windowEnd_ = now();
      mustReport_ = true;
    }
  }

  void reportIfComplete() {
    if (!mustReport_ || (awaited_ > 0 && now() < windowEnd_ + lostAfter)) return;
    mustReport_ = false;
    std::printf("{\"echoes\": %lu, \"lost\": %ld, \"closed\": %lu, ", latency_.total(), awaited_,
                closed_);
    latency_.print("echo");
    std::printf(", ");
    lateness_.print("late");
    std::printf("}\n");
    std::fflush(stdout);
    windowBegin_ = windowEnd_ = INT64_MAX;
  }

  size_t size_;
  std::vector<Client> clients_;
  int64_t period_;
  int epoll_;
  std::vector<uint8_t> packet_;
  int64_t begin_ = 0;
  uint64_t sent_ = 0, closed_ = 0;
  int64_t windowBegin_ = INT64_MAX, windowEnd_ = INT64_MAX, awaited_ = 0;
  bool mustReport_ = false, isOver_ = false;
  Histogram latency_, lateness_;
};

}  // namespace

int playing(const Options& options) {
  Players players(options);
  return players.run();
}
