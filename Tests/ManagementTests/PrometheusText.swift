import Testing

/// A strict reader of the Prometheus text format 0.0.4: what it does not know is an error.
struct PrometheusText {
  struct Malformed: Error {
    var line: String
    var problem: String
  }

  private(set) var types: [String: String] = [:]
  private(set) var samples: [String: Double] = [:]
  private var helped: Set<String> = []
  private var family = ""

  init(parsing text: String) throws {
    guard text.hasSuffix("\n") else { throw Malformed(line: "", problem: "no last line feed") }
    for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
      do { try read(String(line)) } catch let error as Malformed {
        throw Malformed(line: String(line), problem: error.problem)
      }
    }
  }

  /// - Parameter sample: name and labels as they are written.
  func value(_ sample: String) -> Double? { samples[sample] }

  private mutating func read(_ line: String) throws {
    let words = line.split(separator: " ", maxSplits: 3).map(String.init)
    if line.hasPrefix("# HELP ") {
      try demand(words.count == 4 && helped.insert(words[2]).inserted, "wrong or repeated HELP")
      family = words[2]
    } else if line.hasPrefix("# TYPE ") {
      try demand(words.count == 4 && words[2] == family, "TYPE does not follow its HELP")
      try demand(["counter", "gauge"].contains(words[3]), "unknown type")
      try demand(types.updateValue(words[3], forKey: words[2]) == nil, "repeated TYPE")
      try demand(words[3] != "counter" || family.hasSuffix("_total"), "counter without _total")
    } else {
      try readSample(line)
    }
  }

  private mutating func readSample(_ line: String) throws {
    let space = try #require(line.lastIndex(of: " "))
    let (head, number) = (line[..<space], line[line.index(after: space)...])
    let name = head.prefix { $0 != "{" }
    try demand(name == family && types[family] != nil, "sample outside of its family")
    try demand(isName(name), "wrong name")
    if head.count > name.count { try readLabels(head.dropFirst(name.count)) }
    let value = try #require(Double(number), "not a number: \(number)")
    try demand(
      samples.updateValue(value, forKey: String(head)) == nil, "repeated sample")
  }

  private func readLabels(_ text: Substring) throws {
    var rest = text.dropFirst()
    var names: Set<Substring> = []
    while true {
      let name = rest.prefix { $0 != "=" }
      try demand(isName(name) && names.insert(name).inserted, "wrong or repeated label")
      rest = rest.dropFirst(name.count)
      try demand(rest.hasPrefix("=\""), "label without value")
      rest = rest.dropFirst(2)
      while let character = rest.first, character != "\"" {
        if character == "\\" {
          rest = rest.dropFirst()
          try demand(rest.first.map { "\\\"n".contains($0) } == true, "wrong escape")
        }
        rest = rest.dropFirst()
      }
      try demand(rest.first == "\"", "value without end")
      rest = rest.dropFirst()
      if rest == "}" { return }
      try demand(rest.first == ",", "no comma")
      rest = rest.dropFirst()
    }
  }

  private func isName(_ text: Substring) -> Bool {
    guard let first = text.first, !first.isNumber else { return false }
    return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
  }

  private func demand(_ condition: Bool, _ problem: String) throws {
    if !condition { throw Malformed(line: "", problem: problem) }
  }
}
