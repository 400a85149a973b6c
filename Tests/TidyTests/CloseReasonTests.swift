import Foundation
import Testing

/// Goal: the contract's close reasons and the gateway's are the same, in number and in name.
///
/// Method: both files are read as text, since the contract is not compiled into the gateway.
@Suite struct CloseReasonTests {
  /// All matches of a pattern with two groups, which never repeat the first one.
  private func pairs(_ pattern: String, in text: some StringProtocol) throws -> [String: String] {
    let matches = String(text).matches(of: try Regex(pattern))
    let pairs = matches.map { match in
      (String(match.output[1].substring!), String(match.output[2].substring!))
    }
    return try Dictionary(pairs) { _, repeated in throw RepeatedName(value: repeated) }
  }

  private struct RepeatedName: Error { var value: String }

  /// The text between the braces after `opening`; nested braces are not expected.
  private func block(_ opening: String, of file: SourceTree.File) throws -> Substring {
    let start = try #require(file.text.range(of: opening + " {"), "\(file.path): \(opening)")
    return file.text[start.upperBound...].prefix { $0 != "}" }
  }

  /// `CLIENT_CLOSED` becomes `clientClosed`, or `client-closed`.
  private func words(_ name: String) -> [String] {
    name.split(separator: "_").map { $0.lowercased() }
  }

  @Test func contractAndGatewayAgree() throws {
    let contract = try block("enum CloseReason", of: SourceTree.file("proto/upstream.proto"))
    var numbers = try pairs(#"\bCLOSE_REASON_([A-Z0-9_]+)\s*=\s*(\d+)\s*;"#, in: contract)
    #expect(numbers.removeValue(forKey: "UNSPECIFIED") == "0")
    #expect(numbers.count == contract.count { $0 == ";" } - 1)
    #expect(Set(numbers.values).count == numbers.count)

    let source = try SourceTree.file("Sources/Gateway/CloseReason.swift").text
    let cases = try pairs(#"\bcase (\w+) = (\d+)"#, in: CodeText(source).text)
    let names = try pairs(#"case \.(\w+): "([^"]+)""#, in: source)

    var expectedCases: [String: String] = [:]
    var expectedNames: [String: String] = [:]
    for (name, number) in numbers {
      let words = words(name)
      let swiftCase = words[0] + words.dropFirst().map(\.capitalized).joined()
      expectedCases[swiftCase] = number
      expectedNames[swiftCase] = words.joined(separator: "-")
    }
    #expect(cases == expectedCases)
    #expect(names == expectedNames)
    #expect(!cases.isEmpty)
  }

  /// Goal: whose doing a close was can be told from its number alone.
  ///
  /// Method: each comment of the contract that names a range rules the reasons below it.
  @Test func numbersStayInTheirRanges() throws {
    let contract = try block("enum CloseReason", of: SourceTree.file("proto/upstream.proto"))
    let heading = try Regex(#"//.*\b(\d+) to (\d+)"#)
    let reason = try Regex(#"\bCLOSE_REASON_([A-Z0-9_]+)\s*=\s*(\d+)"#)
    var range = 0...0
    var reasonsSeen = 0
    for line in contract.split(separator: "\n") {
      if let match = line.firstMatch(of: heading) {
        let bounds = try (1...2).map { try #require(Int(match.output[$0].substring!)) }
        #expect(bounds[0] > range.upperBound)
        range = bounds[0]...bounds[1]
      } else if let match = line.firstMatch(of: reason) {
        reasonsSeen += 1
        #expect(range.contains(try #require(Int(match.output[2].substring!))), "\(line)")
      }
    }
    #expect(reasonsSeen > 1 && range.upperBound <= Int(UInt8.max))
  }
}
