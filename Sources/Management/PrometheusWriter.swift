/// Writes metrics in the Prometheus text format, version 0.0.4.
struct PrometheusWriter {
  enum Kind: String {
    case counter, gauge
  }

  typealias Label = (name: String, value: String)

  private(set) var bytes: [UInt8] = []

  /// One metric with all its samples.
  mutating func family(
    _ name: String, _ kind: Kind, _ help: String, _ samples: (inout Samples) -> Void
  ) {
    line("# HELP \(name) ")
    escape(help, quotes: false)
    line("\n# TYPE \(name) \(kind.rawValue)\n")
    var family = Samples(name: name)
    samples(&family)
    bytes.append(contentsOf: family.bytes)
  }

  /// A metric with one sample and no label.
  mutating func single(
    _ name: String, _ kind: Kind, _ value: some BinaryInteger, _ help: String
  ) {
    family(name, kind, help) { $0.add([], value) }
  }

  /// The samples of one metric.
  struct Samples {
    let name: String
    fileprivate(set) var bytes: [UInt8] = []

    mutating func add(_ labels: [Label], _ value: some BinaryInteger) {
      add(labels, text: String(value))
    }

    /// - Parameter text: the value as the format has it.
    mutating func add(_ labels: [Label], text: String) {
      bytes.append(contentsOf: name.utf8)
      for (index, label) in labels.enumerated() {
        bytes.append(UInt8(ascii: index == 0 ? "{" : ","))
        bytes.append(contentsOf: "\(label.name)=\"".utf8)
        PrometheusWriter.escape(label.value, quotes: true, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
      }
      bytes.append(contentsOf: labels.isEmpty ? " \(text)\n".utf8 : "} \(text)\n".utf8)
    }
  }

  private mutating func line(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func escape(_ text: String, quotes: Bool) {
    Self.escape(text, quotes: quotes, to: &bytes)
  }

  private static func escape(_ text: String, quotes: Bool, to out: inout [UInt8]) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): out.append(contentsOf: #"\\"#.utf8)
      case UInt8(ascii: "\n"): out.append(contentsOf: #"\n"#.utf8)
      case UInt8(ascii: "\"") where quotes: out.append(contentsOf: #"\""#.utf8)
      default: out.append(byte)
      }
    }
  }
}
