/// What it is worth to know how far each byte is from its packet's length field, in bits.
///
/// Where packets are cut rightly, the bytes at the same place of their headers are alike: types
/// come again, high bytes are zero, counters grow. Each place has a model of its own, which falls
/// back on what the byte model thought of a byte. A place that shows no gain is left to the byte
/// model, at the price of two bits for saying so; a wrong rule can't lose much by chance, nor gain.
struct PlaceModels {
  /// Models for each choice of a rule.
  static let places = 16

  private var counts: [UInt16]
  private var totals: [Int]
  private var kinds: [Int]
  private var gains: [Double]
  /// What has to be added to the gains yet, as factors: logarithms are slow.
  private var factors: [Double]

  init(choices: Int = 1) {
    let models = choices * Self.places
    counts = Array(repeating: 0, count: models * 256)
    totals = Array(repeating: 0, count: models)
    kinds = totals
    gains = Array(repeating: 0, count: models)
    factors = Array(repeating: 1, count: models)
  }

  /// - Parameter likely: how likely the byte model held the byte to be.
  mutating func take(_ byte: UInt8, likely: Float, at model: Int) {
    let place = model << 8 | Int(byte)
    let escape = Double(max(kinds[model], 1))
    // Relative to what the byte model thought; the first byte of all teaches only.
    if totals[model] > 0 {
      let ratio =
        (Double(counts[place]) / Double(likely) + escape) / (Double(totals[model]) + escape)
      factors[model] *= ratio
      if factors[model] > 1e100 || factors[model] < 1e-100 { settle(model) }
    }
    if counts[place] == 0 { kinds[model] += 1 }
    if counts[place] < .max { counts[place] += 1 }
    totals[model] += 1
  }

  private mutating func settle(_ model: Int) {
    gains[model] += binaryLogarithm(factors[model])
    factors[model] = 1
  }

  /// Of all places together.
  mutating func gain() -> Double {
    var sum = 0.0
    for model in gains.indices where totals[model] > 1 {
      settle(model)
      sum += max(0, gains[model] - 2)
    }
    return sum
  }
}
