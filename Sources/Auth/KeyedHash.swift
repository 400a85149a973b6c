internal import Primitives

/// SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) over 64-bit words.
///
/// For tables whose keys strangers choose: who does not know the seed can't aim at one place.
struct KeyedHash {
  private let key0: UInt64
  private let key1: UInt64

  /// - Parameter seed: from a source that clients can't guess.
  init(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    key0 = random.next()
    key1 = random.next()
  }

  func callAsFunction(_ prefix: AddressPrefix) -> UInt64 {
    var state = State(key0, key1)
    state.absorb(prefix.high)
    state.absorb(prefix.low)
    return state.finish(last: UInt64(prefix.bitCount))
  }

  /// Of the bytes of ``AccountName/key``.
  func callAsFunction(_ name: AccountName) -> UInt64 {
    var state = State(key0, key1)
    // One word behind: the last one ends it.
    var last: UInt64?
    name.forEachWord { word in
      if let last { state.absorb(last) }
      last = word
    }
    return state.finish(last: last ?? 0)
  }

  /// An account's last word holds its length in the top bits, a prefix's never does, so they are
  /// never the same words.
  func callAsFunction(_ subject: Subject) -> UInt64 {
    switch subject {
    case .addresses(let prefix): self(prefix)
    case .account(let name): self(name)
    }
  }

  /// The algorithm, between two words.
  struct State {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    init(_ key0: UInt64, _ key1: UInt64) {
      v0 = key0 ^ 0x736f_6d65_7073_6575
      v1 = key1 ^ 0x646f_7261_6e64_6f6d
      v2 = key0 ^ 0x6c79_6765_6e65_7261
      v3 = key1 ^ 0x7465_6462_7974_6573
    }

    mutating func absorb(_ word: UInt64) {
      v3 ^= word
      mix()
      v0 ^= word
    }

    mutating func finish(last: UInt64) -> UInt64 {
      absorb(last)
      v2 ^= 0xff
      mix()
      mix()
      mix()
      return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func mix() {
      v0 &+= v1
      v2 &+= v3
      v1 = rotated(v1, by: 13) ^ v0
      v3 = rotated(v3, by: 16) ^ v2
      v0 = rotated(v0, by: 32)
      v2 &+= v1
      v0 &+= v3
      v1 = rotated(v1, by: 17) ^ v2
      v3 = rotated(v3, by: 21) ^ v0
      v2 = rotated(v2, by: 32)
    }

    private func rotated(_ word: UInt64, by count: UInt64) -> UInt64 {
      word &<< count | word &>> (64 - count)
    }
  }
}
