import Testing

@testable import JSON

@Suite struct JSONValueTests {
  private func parse(_ text: String, depthMax: Int = 32) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), depthMax: depthMax)
  }

  @Test func everyKindOfValueIsRead() throws {
    let value = try parse(
      #"{"a": [1, -2.5, "x", true, false, null, {}], "b": {"c": 9223372036854775807}}"#)
    #expect(
      value["a"]
        == .array([
          .integer(1), .real(-2.5), .string("x"), .bool(true), .bool(false), .null,
          .object([]),
        ]))
    #expect(value["b"]?["c"] == .integer(.max))
    #expect(value["c"] == nil)
    #expect(JSONValue.integer(1)["a"] == nil)
    #expect(try parse("17") == .integer(17))
  }

  @Test func textsAreReadWhole() throws {
    #expect(try parse(#""a\u0000b\u00e9\ud83d\ude00""#) == .string("a\0bé😀"))
  }

  @Test func whatIsNotJSONIsTold() throws {
    for text in [
      "", "{", "{\"a\":1}x", "[1,]", "nul", "'a'", "{\"a\":1,\"a\":2}", "9223372036854775808",
      "\"\\ud800\"", "{1:2}", "[1 2]", "\"a\nb\"",
    ] {
      #expect(throws: JSONValue.Malformed.self, "\(text)") { try parse(text) }
    }
    #expect(throws: JSONValue.Malformed.self) { try JSONValue(parsing: [0x22, 0xff, 0x22]) }
    do {
      _ = try parse("[1,\n 2,\n x]")
    } catch JSONValue.Malformed.syntax(let line, _, _) {
      #expect(line == 3)
    }
  }

  @Test func depthIsBounded() throws {
    #expect(try parse("[[1]]", depthMax: 2) == .array([.array([.integer(1)])]))
    #expect(throws: JSONValue.Malformed.tooDeep(depthMax: 2)) {
      try parse(#"[[{"a":1}]]"#, depthMax: 2)
    }
    for count in [33, 1000, 100_000] {
      let text = String(repeating: "[", count: count) + String(repeating: "]", count: count)
      #expect(throws: JSONValue.Malformed.self) { try parse(text) }
    }
  }

  @Test func kindsHaveArticles() throws {
    let kinds = try ["{}", "[]", "\"\"", "1", "1.5", "true", "null"].map { try parse($0).kind }
    #expect(
      kinds == [
        "an object", "an array", "a string", "a whole number", "a number with a fraction",
        "a boolean", "null",
      ])
  }

  /// Goal: what the writer writes, the parser reads.
  @Test func writtenTextsComeBack() throws {
    let texts = ["", "\"\\\n\r\t\u{1}\u{7f}\u{200b}\0", "é😀\u{2028}", "a/b</script>"]
    for text in texts {
      let bytes = JSONWriter.object { $0.member("a", text) }
      #expect(try JSONValue(parsing: bytes)["a"] == .string(text))
    }
  }
}
