import Testing

@testable import Configuration

@Suite struct HostileTextTests {
  private func problems(_ bytes: [UInt8]) -> [ConfigurationProblem] {
    switch ConfigurationLoader.load(text: bytes, file: "f") {
    case .loaded: []
    case .refused(let problems): problems
    }
  }

  @Test func aTextOfTheLargestSizeIsReadAndALargerOneNot() {
    let comment = String(repeating: "#", count: ConfigurationLoader.textBytesMax)
    let room = ConfigurationLoader.textBytesMax - minimalText.utf8.count - 1
    #expect(loaded(minimalText + "\n" + comment.prefix(room)) != nil)
    #expect(
      problems(Array(comment.utf8) + [10]).map(\.description) == [
        "f:1:1: error: the file has 1048577 bytes; expected at most 1048576"
      ])
  }

  /// Goal: no text nests so deep that a stack runs out.
  @Test(arguments: [
    ("a.", "a = 1"), ("[", "]"), ("a = [", "]"), ("a = {a = ", "}"), ("[a.", "a]"), ("{", "}"),
    ("a = ['''\n]\n''', ", "]"), ("a = \"\"\"\"\"\"\"\"\nb.b", " = 1"),
  ])
  func depthIsBounded(unit: String, end: String) {
    for count in [10, 1_000, 200_000] {
      let text = String(repeating: unit, count: count) + end
      #expect(!problems(Array(text.utf8)).isEmpty)
      // The key is dotted and valid but for its length.
      let parts = "x = 1\n" + String(repeating: "a.", count: count) + "a = 1"
      #expect(!problems(Array(parts.utf8)).isEmpty)
    }
  }

  @Test func aDottedKeyIsNamedAtItsPlace() {
    let key = String(repeating: "a.", count: 40) + "a"
    for text in ["\(key) = 1", "[\(key)]"] {
      #expect(
        problems(Array("# é.é\n\(text)".utf8)).map(\.message)
          == ["a dotted key has more than 32 parts"])
    }
    let quiet = "a = \"\(key)\" # \(key)\nb = '''\n\(key)'''''\nc = \"\"\"\\\"\(key)\"\"\""
    var scan = TomlScan()
    #expect(scan.firstProblem(in: Array(quiet.utf8)) == nil)
  }

  @Test func textThatIsNotUnicodeIsAProblemAtItsPlace() {
    let found = problems(Array("a = 1\nb = \"".utf8) + [0xC3, 0x28, 0x22])
    #expect(found.map(\.line) == [2])
    #expect(problems([0xFF, 0xFE, 0x61]).count == 1)
    #expect(problems([0]).map(\.message) == ["the file contains a NUL byte"])
  }

  @Test func everyByteAloneAndTwiceIsTaken() {
    for byte in UInt8.min...UInt8.max {
      #expect(!problems([byte]).isEmpty)
      #expect(!problems([byte, byte]).isEmpty)
    }
  }
}
