// Times, counted in buckets that are less than one per cent wide.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>

class Histogram {
 public:
  void add(int64_t nanoseconds) {
    uint64_t value = nanoseconds < 0 ? 0 : static_cast<uint64_t>(nanoseconds);
    if (value > most_) most_ = value;
    counts_[indexOf(value)] += 1;
    total_ += 1;
  }

  void clear() { *this = Histogram(); }

  uint64_t total() const { return total_; }

  // The time, in microseconds, that a share of all (0 to 1) did not exceed.
  double microseconds(double share) const {
    uint64_t wanted = static_cast<uint64_t>(share * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t index = 0; index < counts_.size(); ++index) {
      seen += counts_[index];
      if (seen > wanted) return static_cast<double>(lowest(index)) / 1000;
    }
    return static_cast<double>(most_) / 1000;
  }

  // Members of a JSON object.
  void print(const char* name) const {
    std::printf(
        "\"%s_p50_us\": %.1f, \"%s_p99_us\": %.1f, \"%s_p999_us\": %.1f, \"%s_max_us\": %.1f", name,
        microseconds(0.5), name, microseconds(0.99), name, microseconds(0.999), name,
        static_cast<double>(most_) / 1000);
  }

 private:
  static constexpr int mantissaBits = 7;
  static constexpr uint64_t linear = 1 << (mantissaBits + 1);

  // Values below `linear` have a bucket each; each power of two above has 128.
  static size_t indexOf(uint64_t value) {
    if (value < linear) return value;
    int shift = 63 - __builtin_clzll(value) - mantissaBits;
    if (shift > 40) return bucketCount - 1;
    return (static_cast<size_t>(shift) << mantissaBits) + (value >> shift);
  }

  static uint64_t lowest(size_t index) {
    if (index < linear) return index;
    size_t shift = (index >> mantissaBits) - 1;
    return (index - (shift << mantissaBits)) << shift;
  }

  static constexpr size_t bucketCount = (static_cast<size_t>(42) << mantissaBits) + linear;
  std::array<uint32_t, bucketCount> counts_{};
  uint64_t total_ = 0;
  uint64_t most_ = 0;
};
