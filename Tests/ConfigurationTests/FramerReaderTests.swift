import Framing
import Testing

@testable import Configuration

@Suite struct FramerReaderTests {
  /// Goal: every way of writing bytes gives the bytes that were meant.
  @Test(arguments: [
    (#""\r\n""#, [[0x0D, 0x0A]]), (#"'\r\n'"#, [[0x0D, 0x0A]]), (#""\\r\\n""#, [[0x0D, 0x0A]]),
    (#"'\0'"#, [[0]]), (#"'\x7f\t'"#, [[0x7F, 0x09]]), (#"'\\'"#, [[0x5C]]),
    (#"{ hex = "0D 0a" }"#, [[0x0D, 0x0A]]), (#"["\n", { hex = "00" }]"#, [[0x0A], [0x00]]),
  ])
  func delimiters(text: String, bytes: [[UInt8]]) throws {
    let framer = try #require(delimiterFramer("delimiter = \(text)").framer)
    #expect(try framer == .delimiter(DelimiterFramer(delimiters: bytes)))
  }

  @Test(arguments: [
    (#""""#, "framer.delimiter: it has 0 bytes; expected 1 to 8 bytes"),
    (
      #"'\q'"#,
      #"framer.delimiter: "\q" has an unknown escape; expected \n, \r, \t, \0, \\ or "#
        + #"\x and two hexadecimal digits"#
    ),
    ("[]", "framer.delimiter: the list has 0 entries; expected 1 to 4"),
    (
      "[1]",
      "framer.delimiter[1]: found an integer; expected a string such as "
        + #""\r\n", or { hex = "0D 0A" }"#
    ),
    (#"["a", "123456789"]"#, "framer.delimiter[2]: it has 9 bytes; expected 1 to 8 bytes"),
    (
      #"{ hex = "0D0" }"#,
      "framer.delimiter.hex: no whole bytes in hexadecimal; expected pairs of "
        + #"digits, as in "0D 0A""#
    ),
    (
      #"["\r", "\r\n"]"#,
      "framer.delimiter: it does not fit the other keys; expected no 0D 0A, as "
        + "each packet ends at the 0D inside it"
    ),
  ])
  func delimitersThatAreWrong(text: String, problem: String) {
    let found = delimiterFramer("delimiter = \(text)").problems
    #expect(found.map { "\($0.key): \($0.message); expected \($0.expected ?? "")" } == [problem])
  }

  private func delimiterFramer(
    _ text: String
  ) -> (framer: Framer?, problems: [ConfigurationProblem]) {
    guard case .success(let node) = TomlNode.parse(Array("kind = \"delimiter\"\n\(text)".utf8)),
      case .table(let table) = node.value
    else { return (nil, []) }
    var reader = TableReader(table, path: "framer", position: node.position)
    let framer = reader.framer(FramerSources.none.loadPlugin)
    return (framer, reader.finish())
  }
}
