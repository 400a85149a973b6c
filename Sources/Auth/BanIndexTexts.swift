/// Different texts, one behind the other, each with a number.
struct BanIndexTexts: Sendable {
  private var bytes: [UInt8] = []
  /// Where each text ends.
  private var ends: [UInt32] = []
  /// Numbers of texts by hash, with linear probing; ``unused`` where there is none.
  private var slots: [UInt32] = []

  private static let unused = UInt32.max

  var count: Int { ends.count }
  var byteCount: Int { bytes.count + (ends.count + slots.count) * 4 }
  var textByteCount: Int { bytes.count }

  /// The text's number, new if need be.
  mutating func insert(_ text: String) -> UInt32 {
    if (ends.count + 1) * 2 > slots.count { grow() }
    let slot = slot(of: text)
    if slots[slot] != Self.unused { return slots[slot] }
    let number = UInt32(ends.count)
    bytes.append(contentsOf: text.utf8)
    ends.append(UInt32(bytes.count))
    slots[slot] = number
    return number
  }

  /// The text's number, if it is here.
  func number(of text: String) -> UInt32? {
    guard !slots.isEmpty else { return nil }
    let number = slots[slot(of: text)]
    return number == Self.unused ? nil : number
  }

  func text(_ number: UInt32) -> String { String(decoding: bytes[range(number)], as: UTF8.self) }

  /// Gives back what only ``insert(_:)`` and ``number(of:)`` need.
  mutating func forgetNumbers() { slots = [] }

  private func range(_ number: UInt32) -> Range<Int> {
    (number == 0 ? 0 : Int(ends[Int(number) - 1]))..<Int(ends[Int(number)])
  }

  /// Where the text's number stands, or where it would.
  private func slot(of text: String) -> Int {
    var slot = Self.hash(text.utf8) & (slots.count - 1)
    while slots[slot] != Self.unused, !holds(slots[slot], text) {
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  private func holds(_ number: UInt32, _ text: String) -> Bool {
    let range = range(number)
    guard range.count == text.utf8.count else { return false }
    var index = range.lowerBound
    for byte in text.utf8 {
      if bytes[index] != byte { return false }
      index += 1
    }
    return true
  }

  private mutating func grow() {
    slots = Array(repeating: Self.unused, count: max(16, slots.count * 2))
    for number in 0..<UInt32(ends.count) {
      var slot = Self.hash(bytes[range(number)]) & (slots.count - 1)
      while slots[slot] != Self.unused { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = number
    }
  }

  /// Swift's own hash has a seed of the process's, so names can't be chosen to collide.
  private static func hash(_ text: some Collection<UInt8>) -> Int {
    var hasher = Hasher()
    var word: UInt64 = 0
    var count: UInt64 = 0
    for byte in text {
      word |= UInt64(byte) << (count % 8 * 8)
      count += 1
      if count % 8 == 0 {
        hasher.combine(word)
        word = 0
      }
    }
    hasher.combine(word)
    hasher.combine(count)
    return hasher.finalize()
  }
}
