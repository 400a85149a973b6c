import Primitives
import Testing

@testable import Auth

/// Goal: a template gives exactly the bytes that its game expects, whatever the values.
@Suite struct ReplyTemplateTests {
  private let values = ReplyValues(
    now: 1_700_000_000, account: "Jörg", address: "192.0.2.7", listener: "game",
    reason: "no \"bots\"", until: 1_700_000_000 + 3 * 86_400 + 4 * 3600 + 59, ban: 258)

  private func text(_ source: String) throws -> String {
    String(decoding: try ReplyTemplate(text: source).render(values), as: UTF8.self)
  }

  private func bytes(_ source: String) throws -> [UInt8] {
    try ReplyTemplate(text: source).render(values)
  }

  @Test func fieldsOfText() throws {
    #expect(try text("") == "")
    #expect(try text("a {{b} {reason}!") == "a {b} no \"bots\"!")
    #expect(try text("{account}@{address} {listener} #{ban}") == "Jörg@192.0.2.7 game #258")
    #expect(try text("{until} {now}") == "2023-11-18T02:14:19Z 2023-11-14T22:13:20Z")
    #expect(try text("{remaining}") == "3d 4h")
    #expect(
      try text("{\"text\":\"{reason:json}\"}".replacing("{\"t", with: "{{\"t"))
        == #"{"text":"no \"bots\""}"#)
  }

  @Test func escapesAndHex() throws {
    #expect(try bytes(#"\n\r\t\0\\\xfF\x41é"#) == [10, 13, 9, 0, 0x5c, 0xff, 0x41, 0xc3, 0xa9])
    let hex = try ReplyTemplate(hex: "c1 05\n{ban:u16be}Ff")
    #expect(throws: Never.self) { _ = try ReplyTemplate(hex: "") }
    #expect(hex.render(values) == [0xc1, 0x05, 1, 2, 0xff])
  }

  @Test func charactersAndEndings() throws {
    #expect(try bytes("{account:latin-1}") == [0x4a, 0xf6, 0x72, 0x67])
    #expect(try bytes("{account:utf-16le:zero}") == [0x4a, 0, 0xf6, 0, 0x72, 0, 0x67, 0, 0, 0])
    #expect(try bytes("{account:utf-16be}") == [0, 0x4a, 0, 0xf6, 0, 0x72, 0, 0x67])
    #expect(try bytes("{account:u8:latin-1}") == [4, 0x4a, 0xf6, 0x72, 0x67])
    #expect(try bytes("{account:u16be}") == [0, 5, 0x4a, 0xc3, 0xb6, 0x72, 0x67])
    #expect(try bytes("{account:varint}") == [5, 0x4a, 0xc3, 0xb6, 0x72, 0x67])
    #expect(try bytes("{listener:pad6}") == Array("game".utf8) + [0, 0])
    #expect(try bytes("{account:pad2}{account:utf-16le:pad3}") == [0x4a, 0, 0x4a, 0, 0])
    #expect(try bytes("{listener:zero}") == Array("game".utf8) + [0])
    var odd = values
    odd.reason = "€ł\0\n"
    #expect(try ReplyTemplate(text: "{reason:cp1252}").render(odd) == [0x80, 0x3f, 0, 10])
    #expect(try ReplyTemplate(text: "{reason:latin-1:zero}").render(odd) == [0x3f, 0x3f, 10, 0])
    #expect(
      try ReplyTemplate(text: "{reason:json}").render(odd) == Array(#"€ł\u0000\u000a"#.utf8))
  }

  @Test func timesAndNumbersAsIntegers() throws {
    #expect(try bytes("{ban:u8}") == [255])
    #expect(try bytes("{ban:u32le}") == [2, 1, 0, 0])
    #expect(try bytes("{now:i32be}") == [0x65, 0x53, 0xf1, 0x00])
    #expect(try bytes("{now:u64le}") == [0x00, 0xf1, 0x53, 0x65, 0, 0, 0, 0])
    #expect(try bytes("{remaining:u32be}") == [0, 4, 0x2c, 0xfb])
    var late = values
    late.until = .max
    #expect(
      try ReplyTemplate(text: "{until:i32be}").render(late) == [0x7f, 0xff, 0xff, 0xff])
    late.until = nil
    late.ban = nil
    #expect(try ReplyTemplate(text: "{until:u32be}{ban:u8}").render(late) == [0, 0, 0, 0, 0])
    #expect(
      try ReplyTemplate(text: "{until},{remaining},{ban}").render(late)
        == Array("never,for ever,".utf8))
    late.ban = -3
    #expect(try ReplyTemplate(text: "{ban:i16le}{ban:u8}").render(late) == [0xfd, 0xff, 0])
  }

  @Test func remainingTimeHasTwoUnits() throws {
    let template = try ReplyTemplate(text: "{remaining}")
    let table: [(seconds: Int64, text: String)] = [
      (-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3_661, "1h 1m"), (3_601, "1h"),
      (86_400 * 400, "400d"),
    ]
    for (seconds, text) in table {
      let values = ReplyValues(now: 1000, until: 1000 + seconds)
      #expect(template.render(values) == Array(text.utf8))
    }
    #expect(template.render(ReplyValues(now: .max, until: .min)) == Array("0s".utf8))
    #expect(!template.render(ReplyValues(now: .min, until: .max)).isEmpty)
  }

  @Test func repliesCountThemselves() throws {
    #expect(try bytes("{length:u16le}abc") == [5, 0, 0x61, 0x62, 0x63])
    #expect(try bytes("a{length:u16be-2}bc") == [0x61, 0, 3, 0x62, 0x63])
    #expect(try bytes("a{rest:u8}bc{rest:u8+1}d") == [0x61, 4, 0x62, 0x63, 2, 0x64])
    #expect(try bytes("{rest:u16be/2}{account:utf-16be}").prefix(2) == [0, 4])
    #expect(try bytes("{length:varint}ab") == [3, 0x61, 0x62])
    let letters = String(repeating: "x", count: 126)
    #expect(try bytes("{length:varint}" + letters).prefix(1) == [127])
    #expect(try bytes("{length:varint}x" + letters).prefix(2) == [0x81, 0x01])
    // A Minecraft disconnect: length, id 0, length of the text, the text.
    #expect(
      try bytes(#"{rest:varint}\0{rest:varint}{{"text":"{listener:json}"}"#)
        == [17, 0, 15] + Array(#"{"text":"game"}"#.utf8))
  }

  @Test func valuesAreCutToFit() throws {
    var long = values
    long.reason = String(repeating: "é", count: 400)
    let plain = try ReplyTemplate(text: "{reason}").render(long)
    #expect(plain == Array(String(repeating: "é", count: 250).utf8))
    let prefixed = try ReplyTemplate(text: "{reason:u8}").render(long)
    #expect(prefixed == [254] + Array(String(repeating: "é", count: 127).utf8))
    let counted = try ReplyTemplate(text: "{length:u8}{reason}").render(long)
    #expect(Int(counted[0]) == counted.count && counted.count > 100)
    #expect(String(validating: counted.dropFirst(), as: UTF8.self) != nil)
  }

  @Test func whatIsWrongIsNamedWithItsPlace() {
    let table: [(source: String, position: Int, expected: String)] = [
      ("ab{raison}", 4, "reason, until, "), ("é{reason", 2, "\"}\" behind it"),
      ("x\\", 2, "\\xHH"), ("\\q", 1, "\\xHH"), ("\\x4g", 4, "two hex digits"),
      ("{reason:u9}", 2, "utf-8, latin-1"), ("{reason:u8:u8}", 2, "utf-8, latin-1"),
      ("{ban:u8:u8}", 2, "an integer"), ("{length}", 2, "one integer"),
      ("{length:u8*2}", 2, "one integer"), ("{until:pad0}", 2, "pad1 to pad255"),
      ("{until:pad256}", 2, "pad1 to pad255"),
      ("{length:u8+}", 2, "one integer"),
      ("{rest:u8+65537}", 2, "one integer"), ("{length:u8+250}{length:u8+254}", 1, "wider"),
      ("{rest:u8-1}", 1, "wider"), ("{}", 2, "reason"),
      (String(repeating: "{now}", count: 17), 81, "at most 16"),
      (String(repeating: "x", count: 16_385), 16_385, "at most 16384"),
    ]
    for (source, position, expected) in table {
      let error = #expect(throws: ReplyTemplateError.self) { _ = try ReplyTemplate(text: source) }
      #expect(error?.position == position, "\(source.prefix(40))")
      #expect(error?.expected.contains(expected) == true, "\(source.prefix(40)) \(error as Any)")
    }
    let error = #expect(throws: ReplyTemplateError.self) { _ = try ReplyTemplate(hex: "c1 5") }
    #expect(
      error
        == ReplyTemplateError(position: 5, found: "the end", expected: "two hex digits for a byte"))
  }

  /// Goal: no template that can be read makes a reply beyond the bound, or traps.
  ///
  /// Method: templates are put together from what they may hold, by seed, with hostile values.
  @Test func noValuesMakeAReplyTooLong() {
    let pieces = [
      "{reason}", "{reason:json}", "{account:utf-16le:u8}", "{until:i32le}", "{remaining}",
      "{ban:u64be}", "{now:zero}", "{address:cp1252:varint}", "{reason:utf-16be:pad255}",
      "{length:varint}", "{length:u16le}",
      "{rest:u16be/2}", "{rest:u8-1}", "{{", "\\x00", "x", String(repeating: "y", count: 4000),
      "{oops", "\\",
    ]
    var random = SeededRandom(seed: 5)
    let texts = ["", "\"", "\u{1}", "😀", "é", "a"].flatMap { text in
      [1, 600, 70_000].map { String(repeating: text, count: $0) }
    }
    var rendered = 0
    for _ in 0..<1_000 {
      let source = (0..<Int.random(in: 0...16, using: &random)).map { _ in
        pieces.randomElement(using: &random)!
      }.joined()
      let values = ReplyValues(
        now: [0, .max, .min].randomElement(using: &random)!,
        account: texts.randomElement(using: &random)!, address: texts[4],
        reason: texts.randomElement(using: &random)!,
        until: [nil, 0, .max, .min].randomElement(using: &random)!, ban: .max)
      do {
        let template = try ReplyTemplate(text: source)
        #expect(template.render(values).count <= ReplyTemplate.bytesMax)
        rendered += 1
      } catch {
        #expect(error.position >= 1 && !error.found.isEmpty && !error.expected.isEmpty)
      }
    }
    #expect(rendered > 100)
  }
}
