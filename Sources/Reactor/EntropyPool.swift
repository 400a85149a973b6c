internal import CLinux
internal import Glibc

/// The system's random bytes, fetched for 256 clients at a time.
struct EntropyPool {
  private var bytes = [UInt8](repeating: 0, count: 4096)
  private var used = 4096

  mutating func next() -> [16 of UInt8] {
    if used == bytes.count { refill() }
    var result: [16 of UInt8] = .init(repeating: 0)
    for index in 0..<16 { result[index] = bytes[used + index] }
    used += 16
    return result
  }

  /// One random number.
  static func word() -> UInt64 {
    var pool = EntropyPool()
    let bytes = pool.next()
    return (0..<8).reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
  }

  private mutating func refill() {
    var filled = 0
    while filled < bytes.count {
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe getrandom($0.baseAddress! + filled, $0.count - filled, 0)
      }
      precondition(count > 0 || errno == EINTR, "the system has no random bytes")
      filled += max(count, 0)
    }
    used = 0
  }
}
