@testable import Auth

/// Goal: whatever the template and the values, a reply is bounded, and each count in it counts what
/// it says.
enum ReplyFuzzer {
  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let isHex = input.bool()
    let values = input.replyValues()
    let source = String(decoding: input.remaining(), as: UTF8.self)
    do throws(ReplyTemplateError) {
      let template = try isHex ? ReplyTemplate(hex: source) : ReplyTemplate(text: source)
      let reply = template.render(values)
      check(reply.count <= ReplyTemplate.bytesMax, "the reply has \(reply.count) bytes")
      check(template.render(values) == reply, "the same values give another reply")
      checkCounts(template, values, reply)
    } catch {
      let end = source.unicodeScalars.count + 1
      check((1...max(1, end)).contains(error.position), "position \(error.position) of \(end)")
      check(!error.found.isEmpty && !error.expected.isEmpty, "a problem without a word")
    }
    checkLiterals(Array(source.utf8.prefix(ReplyTemplate.literalBytesMax / 4)))
  }

  /// Any bytes can be written as escapes, and as hex digits.
  private static func checkLiterals(_ bytes: [UInt8]) {
    let digits = bytes.map { String(decoding: hexDigits(of: [$0]), as: UTF8.self) }
    let text = try? ReplyTemplate(text: digits.map { "\\x\($0)" }.joined())
    let hex = try? ReplyTemplate(hex: digits.joined(separator: " "))
    for template in [text, hex] {
      check(template?.render(ReplyValues(now: 0)) == bytes, "the literal is not what it says")
    }
  }

  /// Walks through the reply with the pieces' own renderings, as far as none had to be cut.
  private static func checkCounts(
    _ template: ReplyTemplate, _ values: ReplyValues, _ reply: [UInt8]
  ) {
    var at = 0
    for piece in template.pieces {
      guard case .count(let counted, let number, let divisor, let adjustment) = piece else {
        let alone = ReplyTemplate(pieces: [piece]).render(values)
        guard reply[at...].starts(with: alone) else { return }
        at += alone.count
        continue
      }
      guard let (value, width) = number.read(reply[at...]) else {
        check(false, "the reply ends within a count")
        return
      }
      at += width
      let byteCount = counted == .length ? reply.count : reply.count - at
      check(value == Int64(byteCount / divisor + adjustment), "\(piece) is \(value) at \(at)")
    }
    check(at == reply.count, "the reply has more than its pieces")
  }
}

extension ReplyTemplate.Number {
  fileprivate func read(_ bytes: ArraySlice<UInt8>) -> (value: Int64, width: Int)? {
    switch self {
    case .fixed(let integer, let isSigned):
      guard let value = integer.value(in: bytes) else { return nil }
      let unused = UInt64(64 - 8 * integer.width)
      let signed = Int64(bitPattern: value << unused) >> Int64(unused)
      return (isSigned ? signed : Int64(bitPattern: value), integer.width)
    case .varint:
      guard let last = bytes.firstIndex(where: { $0 < 128 }) else { return nil }
      let value = bytes[...last].reversed().reduce(Int64(0)) { $0 << 7 | Int64($1 & 127) }
      return (value, last - bytes.startIndex + 1)
    }
  }
}

extension FuzzInput {
  fileprivate mutating func replyValues() -> ReplyValues {
    func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
    var values = ReplyValues(now: pick([0, 1_780_000_000, .max, .min, -1]))
    values.reason = repeated(pick(["a", "é", "€", "😀", "\"\n", "\0"]), number(0...1023))
    values.account = repeated(pick(["bob", "\u{301}", "Ž"]), number(0...40))
    values.listener = repeated("x", number(0...255))
    values.address = "192.0.2.7"
    if bool() { values.until = Int64(bitPattern: word()) }
    if bool() { values.ban = Int64(bitPattern: word()) }
    return values
  }
}
