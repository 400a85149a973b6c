/// What each byte of the streams costs whoever knows nothing about packets.
///
/// The measure that all framers are compared with: a predictor that adapts to what came before,
/// looking at up to four bytes in front of each. A framer is worth as many bits as it saves beside
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

/// Predicts bytes from those in front of each.
///
/// Predictors that look at four, two, one and no bytes are mixed by how well each did where as much
/// was known (the fixed share method: Herbster and Warmuth, "Tracking the best expert", 1998), and
/// one that knows nothing is among them: bytes without any order cost eight bits, and not more.
private struct BytePredictor {
  private static let share = 0.002

  /// The last four bytes, the last of all lowest.
  private var recent: UInt32 = 0
  private var orders = [
    ByteContext(slotBits: 0), ByteContext(slotBits: 8), ByteContext(slotBits: 16),
    ByteContext(slotBits: 18),
  ]
  /// The predictors' weights, by how often the longer contexts came before.
  private var weights = [SIMD8<Double>](repeating: Self.start, count: 512)
  private static let start = SIMD8<Double>(0.2, 0.2, 0.2, 0.2, 0.2, 0, 0, 0)

  mutating func startStream() { recent = 0 }

  /// How likely `byte` was; it is learnt from then on.
  mutating func take(_ byte: UInt8) -> Double {
    let contexts: [4 of UInt32] = [0, recent & 0xff, recent & 0xffff, recent & 0xff_ffff]
    var likely = SIMD8<Double>(repeating: 0)
    var probability = 1.0 / 256
    var known = 0
    likely[0] = probability
    for index in 0..<4 {
      let total = orders[index].take(byte, in: contexts[index], lower: &probability)
      likely[index + 1] = probability
      if index > 0 { known = known << 3 | magnitude(total) }
    }
    let joint = weights[known] * likely
    let mixed = joint.sum()
    weights[known] = joint / mixed * (1 - Self.share) + Self.start * Self.share
    recent = recent << 8 | UInt32(byte)
    return min(1, mixed)
  }

  /// 0 for none, 1 for one, 2 for two or three and so on; at most 7.
  private func magnitude(_ count: UInt32) -> Int {
    min(7, UInt32.bitWidth - count.leadingZeroBitCount)
  }
}

/// How often each byte came behind contexts of one length.
private struct ByteContext {
  private static let countBits = 18

  private let slotBits: Int
  /// By a hash of context and byte; the keys tell whose the slot is, and what finds it taken is not
  /// learnt.
  private var keys: [UInt64]
  private var counts: [UInt32]
  /// By a hash of the context.
  private var owners: [UInt32]
  private var totals: [UInt32]
  private var kinds: [UInt32]

  init(slotBits: Int) {
    self.slotBits = slotBits
    keys = Array(repeating: 0, count: 1 << Self.countBits)
    counts = Array(repeating: 0, count: 1 << Self.countBits)
    owners = Array(repeating: 0, count: 1 << slotBits)
    totals = owners
    kinds = owners
  }

  /// Blends in what is known of `context`, by escape method C of PPM (Moffat, "Implementing the PPM
  /// data compression scheme", 1990), and learns `byte`.
  ///
  /// - Parameter lower: how likely a shorter context holds the byte to be; is replaced.
  /// - Returns: how often the context came before.
  mutating func take(_ byte: UInt8, in context: UInt32, lower: inout Double) -> UInt32 {
    let slot =
      slotBits < 18
      ? Int(context) & (1 << slotBits - 1) : Int((context &* 0x9e37_79b1) >> 14)
    let key = UInt64(context) << 8 | UInt64(byte)
    let place = Int((key &* 0x9e37_79b9_7f4a_7c15) >> UInt64(64 - Self.countBits))
    if totals[slot] == 0 { owners[slot] = context }
    guard owners[slot] == context else { return 0 }
    let count = keys[place] == key + 1 ? counts[place] : 0
    let total = totals[slot]
    if total > 0 {
      let escape = Double(max(kinds[slot], 1))
      lower = (Double(count) + escape * lower) / (Double(total) + escape)
    }
    guard count > 0 || counts[place] == 0 else { return total }
    if count == 0 { kinds[slot] += 1 }
    keys[place] = key + 1
    counts[place] += 1
    totals[slot] += 1
    return total
  }
}
