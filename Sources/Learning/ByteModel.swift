/// What each byte of the streams costs whoever knows nothing about packets.
///
/// The measure that all framers are compared with: a predictor that adapts to what came before,
/// looking at up to two bytes in front of each. A framer is worth as many bits as it saves beside
/// this, so that what is cheap anyway, such as runs of zeros or a text's line ends, is no evidence.
struct ByteModel {
  /// Of each byte of each stream, in bits.
  private(set) var costs: [[Float]] = []
  /// Of each byte of each stream: how likely the predictor held it to be.
  private(set) var probabilities: [[Float]] = []

  init(_ streams: [[UInt8]]) {
    var predictor = BytePredictor()
    for bytes in streams {
      var likely = [Float](repeating: 0, count: bytes.count)
      var bits = likely
      predictor.startStream()
      for (place, byte) in bytes.enumerated() {
        let probability = predictor.take(byte)
        likely[place] = Float(probability)
        bits[place] = Float(-binaryLogarithm(probability))
      }
      probabilities.append(likely)
      costs.append(bits)
    }
  }
}

/// Predicts bytes from the two in front of each.
///
/// Four predictors, which look at two, one and no bytes and at nothing at all, are mixed by how well
/// each did where as much was known (the fixed share method: Herbster and Warmuth, "Tracking the
/// best expert", 1998). So bytes without any order cost eight bits, and not more.
private struct BytePredictor {
  private static let slots = 1 << 18
  private static let share = 0.002

  private var first = 0
  private var second = 0
  private var counts0 = [UInt32](repeating: 0, count: 256)
  private var total0: UInt32 = 0
  private var kinds0: UInt32 = 0
  private var counts1 = [UInt32](repeating: 0, count: 65_536)
  private var totals1 = [UInt32](repeating: 0, count: 256)
  private var kinds1 = [UInt32](repeating: 0, count: 256)
  /// Found by a hash of context and byte; the rare collision only makes a byte look likelier.
  private var counts2 = [UInt32](repeating: 0, count: Self.slots)
  private var totals2 = [UInt32](repeating: 0, count: 65_536)
  private var kinds2 = [UInt32](repeating: 0, count: 65_536)
  /// The predictors' weights, by how often the contexts came before.
  private var weights = [SIMD4<Double>](repeating: SIMD4(repeating: 0.25), count: 64)

  mutating func startStream() {
    first = 0
    second = 0
  }

  /// How likely `byte` was; it is learnt from then on.
  mutating func take(_ byte: UInt8) -> Double {
    let value = Int(byte)
    let place1 = second << 8 | value
    let context = first << 8 | second
    let hash = UInt64(context << 8 | value) &* 0x9e37_79b9_7f4a_7c15
    let place2 = Int(hash >> 46)

    let likely0 = blend(1.0 / 256, counts0[value], total0, kinds0)
    let likely1 = blend(likely0, counts1[place1], totals1[second], kinds1[second])
    let likely2 = blend(likely1, counts2[place2], totals2[context], kinds2[context])
    let likely = SIMD4(1.0 / 256, likely0, likely1, likely2)
    let known = magnitude(totals1[second]) << 3 | magnitude(totals2[context])
    let joint = weights[known] * likely
    let probability = joint.sum()
    weights[known] =
      joint / probability * (1 - Self.share) + SIMD4(repeating: Self.share / 4)

    if counts0[value] == 0 { kinds0 += 1 }
    counts0[value] += 1
    total0 += 1
    if counts1[place1] == 0 { kinds1[second] += 1 }
    counts1[place1] += 1
    totals1[second] += 1
    if counts2[place2] == 0 { kinds2[context] += 1 }
    counts2[place2] += 1
    totals2[context] += 1
    first = second
    second = value
    return probability
  }

  /// 0 for none, 1 for one, 2 for two or three and so on; at most 7.
  private func magnitude(_ count: UInt32) -> Int {
    min(7, UInt32.bitWidth - count.leadingZeroBitCount)
  }

  /// Falls back on a shorter context by escape method C of PPM (Moffat, "Implementing the PPM data
  /// compression scheme", 1990).
  private func blend(
    _ lower: Double, _ count: UInt32, _ total: UInt32, _ kinds: UInt32
  ) -> Double {
    guard total > 0 else { return lower }
    let kinds = Double(max(kinds, 1))
    return min(1, (Double(count) + kinds * lower) / (Double(total) + kinds))
  }
}
