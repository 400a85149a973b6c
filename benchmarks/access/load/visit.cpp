// Clients that come and go, from as many addresses as the prefix has: at a steady rate, or, with
// --rate 0, as fast as the other side lets --concurrency of them.
//
//   --mode refused  waits to be closed, which is to happen
//   --mode leave    goes as soon as it is connected
//   --mode silent   says nothing, and stays until it is closed
//   --mode login    sends a claim, waits for its echo, goes
#include <algorithm>
#include <vector>

#include "claims.h"
#include "common.h"
#include "histogram.h"

namespace {

constexpr int64_t patience = 15'000'000'000;

enum class Mode { refused, leave, silent, login };

// One connection; slots are used again.
struct Visit {
  int fd = -1;
  int64_t begin = 0;
  size_t claim = 0;
  size_t received = 0;
  bool isConnected = false;
};

class Visitors {
 public:
  explicit Visitors(const Options& options)
      : mode_(modeOf(options.text("mode"))),
        to_(addressOf(options.text("to"))),
        sources_(options.text("from")),
        rate_(options.number("rate", "0")),
        length_(options.number("seconds") * 1'000'000'000),
        visits_(static_cast<size_t>(options.number("concurrency", "64"))) {
    if (mode_ == Mode::login) claims_ = readClaims(options.text("claims"));
    isOnce_ = options.text("once", "no") == "yes";
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (size_t index = visits_.size(); index > 0; --index) free_.push_back(index - 1);
  }

  int run() {
    begin_ = now();
    int64_t end = begin_ + length_;
    std::vector<epoll_event> events(256);
    for (int64_t time = begin_; time < end; time = now()) {
      startWhatIsDue(time);
      int64_t until = rate_ > 0 ? std::min(end, dueAt(begun_)) : std::min(end, time + 1'000'000);
      int count = wait(epoll_, events.data(), static_cast<int>(events.size()), until);
      for (int index = 0; index < count; ++index) {
        size_t slot = events[index].data.u64;
        if (visits_[slot].fd >= 0) happened(slot, events[index].events);
      }
      if (isOnce_ && nextClaim_ >= claims_.size() && free_.size() == visits_.size()) break;
    }
    print(static_cast<double>(now() - begin_) / 1e9);
    return 0;
  }

 private:
  static Mode modeOf(const std::string& name) {
    if (name == "refused") return Mode::refused;
    if (name == "leave") return Mode::leave;
    if (name == "silent") return Mode::silent;
    if (name == "login") return Mode::login;
    fail("no such mode: " + name);
  }

  int64_t dueAt(uint64_t number) const {
    return begin_ + static_cast<int64_t>(number) * 1'000'000'000 / rate_;
  }

  void startWhatIsDue(int64_t time) {
    if (rate_ == 0) {
      // What comes at once is bounded, so that the answers are read in between.
      for (int count = 0; count < 32 && !free_.empty() && startOne(time); ++count) {
      }
      return;
    }
    for (; dueAt(begun_) <= time; ++begun_) {
      if (free_.empty()) {
        missed_ += 1;
      } else {
        startOne(dueAt(begun_));
      }
    }
  }

  bool startOne(int64_t due) {
    if (isOnce_ && nextClaim_ >= claims_.size()) return false;
    int fd = startConnecting(to_, sources_.next());
    if (fd < 0) {
      failed_ += 1;
      return false;
    }
    size_t slot = free_.back();
    free_.pop_back();
    visits_[slot] = Visit{fd, due, claims_.empty() ? 0 : nextClaim_++ % claims_.size(), 0, false};
    epoll_event event{};
    event.events = EPOLLOUT | EPOLLIN | EPOLLRDHUP;
    event.data.u64 = slot;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) failWithErrno("epoll_ctl");
    started_ += 1;
    return true;
  }

  void happened(size_t slot, uint32_t events) {
    Visit& visit = visits_[slot];
    if (!visit.isConnected) {
      if (events & EPOLLERR) return end(slot, isReset(visit.fd) ? resets() : failed_);
      visit.isConnected = true;
      if (mode_ == Mode::leave) return end(slot, done_);
      if (mode_ == Mode::login) {
        const std::string& claim = claims_[visit.claim];
        if (write(visit.fd, claim.data(), claim.size()) < 0) return end(slot, failed_);
      }
      epoll_event wanted{};
      wanted.events = EPOLLIN | EPOLLRDHUP;
      wanted.data.u64 = slot;
      epoll_ctl(epoll_, EPOLL_CTL_MOD, visit.fd, &wanted);
    }
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) receive(slot);
  }

  // A gateway that refuses at once may have reset the connection before this program saw it made.
  static bool isReset(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error == ECONNRESET;
  }

  uint64_t& resets() { return mode_ == Mode::refused ? done_ : refused_; }

  void receive(size_t slot) {
    Visit& visit = visits_[slot];
    char buffer[4096];
    ssize_t count = read(visit.fd, buffer, sizeof buffer);
    if (count < 0 && errno == EAGAIN) return;
    if (mode_ == Mode::login) {
      const std::string& claim = claims_[visit.claim];
      size_t left = claim.size() - visit.received;
      if (count <= 0) return end(slot, refused_);
      if (static_cast<size_t>(count) > left ||
          std::memcmp(buffer, claim.data() + visit.received, static_cast<size_t>(count)) != 0)
        fail("a wrong echo of a claim");
      visit.received += static_cast<size_t>(count);
      if (visit.received == claim.size()) end(slot, done_);
      return;
    }
    if (count > 0) fail("the gateway said something to a client that said nothing");
    end(slot, done_);
  }

  void end(size_t slot, uint64_t& outcome) {
    Visit& visit = visits_[slot];
    int64_t taken = now() - visit.begin;
    outcome += 1;
    latency_.add(taken);
    if (taken > patience) late_ += 1;
    close(visit.fd);
    visit.fd = -1;
    free_.push_back(slot);
  }

  void print(double seconds) {
    std::printf(
        "{\"seconds\": %.3f, \"started\": %lu, \"done\": %lu, \"refused\": %lu, \"failed\": %lu, "
        "\"missed\": %lu, \"late\": %lu, \"under_way\": %zu, \"per_second\": %.1f, ",
        seconds, started_, done_, refused_, failed_, missed_, late_, visits_.size() - free_.size(),
        static_cast<double>(done_) / seconds);
    latency_.print("visit");
    std::printf("}\n");
  }

  Mode mode_;
  sockaddr_in to_;
  Sources sources_;
  int64_t rate_, length_;
  std::vector<Visit> visits_;
  std::vector<size_t> free_;
  std::vector<std::string> claims_;
  bool isOnce_ = false;
  int epoll_;
  int64_t begin_ = 0;
  size_t nextClaim_ = 0;
  uint64_t begun_ = 0, started_ = 0, done_ = 0, refused_ = 0, failed_ = 0, missed_ = 0, late_ = 0;
  Histogram latency_;
};

}  // namespace

int visit(const Options& options) {
  Visitors visitors(options);
  return visitors.run();
}
