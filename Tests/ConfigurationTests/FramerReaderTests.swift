import Framing
import Testing

@testable import Configuration

/// Goal: a framer brings its keys along; the reader knows none of them.
@Suite struct FramerReaderTests {
  private static let definition = FramerDefinition(
    summary: "every type of key",
    keys: [
      FramerKey("count", .integer(1...3), default: nil, summary: "the count"),
      FramerKey("flag", .boolean, default: .boolean(false), summary: "the flag"),
      FramerKey("mark", .text(byteCount: 1...2), default: .text("\\n"), summary: "the mark"),
    ]
  ) { values throws(FramerDefinitionError) in
    guard values.boolean("flag") == (values.text("mark") == "ab") else {
      throw FramerDefinitionError(key: "mark", expected: "\"ab\" with the flag")
    }
    return .raw
  }

  private func read(_ text: String) throws -> (framer: Framer?, problems: [String]) {
    let node = try TomlNode.parse(Array(text.utf8)).get()
    guard case .table(let table) = node.value else { return (nil, []) }
    var reader = TableReader(table, path: "x", position: node.position)
    let framer = reader.framer(Self.definition)
    return (framer, reader.finish().map(\.description))
  }

  @Test func valuesThatAreRightMakeAFramer() throws {
    #expect(try read("count = 1").framer == .raw)
    #expect(try read("count = 3\nflag = true\nmark = \"ab\"").framer == .raw)
  }

  @Test func everyTypeIsChecked() throws {
    let (framer, problems) = try read("count = 4\nflag = 1\nmark = \"abc\"\nmarc = 1")
    #expect(framer == nil)
    #expect(
      problems == [
        ":1:9: error: x.count: 4 is out of range; expected an integer from 1 to 3",
        ":2:8: error: x.flag: found an integer; expected true or false",
        ":3:8: error: x.mark: the string has 3 bytes; expected 1 to 2 bytes",
        ":4:1: error: x.marc: unknown key (did you mean \"mark\"?)",
      ])
  }

  @Test func aKeyWithoutDefaultMustBeGiven() throws {
    let (framer, problems) = try read("")
    #expect(framer == nil)
    #expect(problems == [":1:1: error: x.count: missing; expected the count"])
  }

  @Test func whatDoesNotFitTogetherIsTheMakersToSay() throws {
    let (framer, problems) = try read("count = 1\nflag = true")
    #expect(framer == nil)
    #expect(
      problems == [
        ":1:1: error: x.mark: it does not fit the other keys; expected \"ab\" with the flag"
      ])
  }

  @Test func everyKindsDefaultsFitItsOwnKeys() throws {
    for kind in FramerKind.allCases {
      let keys = kind.definition.keys
      #expect(Set(keys.map(\.name)).count == keys.count)
      #expect(!keys.contains { $0.name == "kind" })
      if keys.allSatisfy({ $0.defaultValue != nil }) { _ = try kind.definition.make([:]) }
    }
    #expect(
      try FramerKind.lengthPrefix.definition.make([:]) == .lengthPrefix(LengthPrefixFramer()))
  }

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
    guard case .success(let node) = TomlNode.parse(Array(text.utf8)),
      case .table(let table) = node.value
    else { return (nil, []) }
    var reader = TableReader(table, path: "framer", position: node.position)
    let framer = reader.framer(FramerKind.delimiter.definition)
    return (framer, reader.finish())
  }
}
