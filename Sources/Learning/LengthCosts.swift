/// What it costs to say the lengths of a rule's packets one after the other, in bits.
///
/// Adapts: a length that came before is cheap; a new one costs its order of magnitude, by how often
/// that came, and its place within it.
struct LengthCosts {
  private static let slots = 4096
  private static let octaves = 33

  /// By the value's hash; values below 4,096 have places of their own.
  private var counts = [UInt32](repeating: 0, count: Self.slots)
  private var octaveCounts = [UInt32](repeating: 0, count: Self.octaves)
  private(set) var total = 0
  /// How many different values came.
  private(set) var kinds = 0

  mutating func reset() {
    guard total > 0 else { return }
    for place in counts.indices { counts[place] = 0 }
    for place in octaveCounts.indices { octaveCounts[place] = 0 }
    total = 0
    kinds = 0
  }

  mutating func take(_ value: Int) -> Double {
    let octave = (value + 1).bitWidth - (value + 1).leadingZeroBitCount - 1
    let slot = (value ^ (value >> 12)) & (Self.slots - 1)
    let ofOctave =
      (Double(octaveCounts[octave]) + 0.5) / (Double(total) + 0.5 * Double(Self.octaves))
    let fresh = ofOctave / Double(1 << octave)
    let escape = Double(max(kinds, 1))
    let probability = (Double(counts[slot]) + escape * fresh) / (Double(total) + escape)
    if counts[slot] == 0 { kinds += 1 }
    counts[slot] += 1
    octaveCounts[octave] += 1
    total += 1
    return -binaryLogarithm(probability)
  }
}
