internal import CSodium

/// libsodium, made ready once.
enum Sodium {
  /// Fails only on a system that has no source of random bytes.
  private static let isReady = sodium_init() >= 0

  /// To be called before any other function of libsodium.
  static func prepare() {
    precondition(isReady, "libsodium finds no source of random bytes")
  }

  static func randomBytes(_ count: Int) -> [UInt8] {
    prepare()
    var bytes = [UInt8](repeating: 0, count: count)
    // SAFETY: the buffer has `count` bytes.
    unsafe bytes.withUnsafeMutableBytes { unsafe randombytes_buf($0.baseAddress!, $0.count) }
    return bytes
  }
}

/// Bytes that nobody should find in memory later.
enum SecretBytes {
  /// Overwrites and forgets the bytes.
  ///
  /// Reaches this array's own memory only: whoever copied a secret wipes the copy as well.
  static func wipe<Byte: BitwiseCopyable>(_ bytes: inout [Byte]) {
    // SAFETY: the buffer's own length. The compiler may not leave this write out.
    unsafe bytes.withUnsafeMutableBytes { bytes in
      if let start = bytes.baseAddress { unsafe sodium_memzero(start, bytes.count) }
    }
    bytes = []
  }

  /// Compares in a time that depends on the lengths only.
  static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    // SAFETY: both have `a.count` bytes.
    return unsafe sodium_memcmp(a, b, a.count) == 0
  }
}
