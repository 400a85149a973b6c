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
}
