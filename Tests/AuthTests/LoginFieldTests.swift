import Auth
import Testing

/// Goal: every form, character set and bound of a field does what it says, on its edges.
@Suite struct LoginFieldTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// What one field makes of a packet.
  private enum Read: Equatable {
    case value(String)
    case secret([UInt8])
    case none
    case fault(LoginFault)
  }

  private func read(_ field: LoginField, _ packet: [UInt8]) -> Read {
    switch LoginDescription.fields(field).outcome(of: [packet]) {
    case .complete(let credentials):
      if let text = credentials.account ?? credentials.attributes.first?.value {
        return .value(text)
      }
      return credentials.secret.isEmpty ? .none : .secret(credentials.secret)
    case .fault(let fault): return .fault(fault)
    case .more, .close, nil: return .none
    }
  }

  private func text(_ form: LoginField.Form, _ charset: LoginField.Charset? = nil) -> LoginField {
    LoginField(.attribute("a"), form, charset: charset)
  }

  @Test func charactersAreDecodedStrictly() {
    let table: [(charset: LoginField.Charset, bytes: [UInt8], read: Read)] = [
      (.ascii, [0x41], .value("A")),
      (.ascii, [0xe9], .fault(.badCharacters)),
      (.utf8, [0xc3, 0xa9], .value("é")),
      (.utf8, [0xc3], .fault(.badCharacters)),
      (.utf8, [0xc0, 0x80], .fault(.badCharacters)),
      (.utf8, [0xed, 0xa0, 0x80], .fault(.badCharacters)),
      (.latin1, [0xe9, 0xff], .value("éÿ")),
      (.latin1, [0x80], .fault(.badCharacters)),
      (.cp1252, [0x80, 0x9f, 0xe9], .value("€Ÿé")),
      (.cp1252, [0x81], .fault(.badCharacters)),
      (.utf16le, [0xac, 0x20], .value("€")),
      (.utf16le, [0x3d, 0xd8, 0x00, 0xde], .value("😀")),
      (.utf16le, [0x3d, 0xd8, 0x41, 0], .fault(.badCharacters)),
      (.utf16le, [0x41, 0, 0x42], .fault(.badCharacters)),
      (.hex, bytes("4a6F"), .value("Jo")),
      (.hex, bytes("4a6"), .fault(.badCharacters)),
      (.hex, bytes("4g"), .fault(.badCharacters)),
      (.hex, bytes("ff"), .fault(.badCharacters)),
      (.base64, bytes("Sm8="), .value("Jo")),
      (.base64, bytes("Sm8"), .value("Jo")),
      (.base64, bytes("Sm9="), .fault(.badCharacters)),
      (.base64, bytes("Sm8=="), .fault(.badCharacters)),
      (.base64, bytes("S==="), .fault(.badCharacters)),
      (.base64, bytes("S"), .fault(.badCharacters)),
      (.base64, bytes("Sm 8"), .fault(.badCharacters)),
    ]
    for (charset, bytes, expected) in table {
      #expect(read(text(.rest, charset), bytes) == expected, "\(charset) \(bytes)")
    }
  }

  @Test func textHasNoControlCharacters() {
    for byte in (0...0x1f).map(UInt8.init) + [0x7f] {
      #expect(read(text(.rest), [0x41, byte]) == .fault(.badCharacters), "\(byte)")
    }
    #expect(read(text(.rest), [0xc2, 0x85]) == .fault(.badCharacters))
  }

  @Test func secretsStayAsTheyAreUnlessDecodingIsAskedFor() {
    let raw: [UInt8] = [0, 0xff, 0x0a, 0xe9]
    #expect(read(LoginField(.secret, .rest), raw) == .secret(raw))
    #expect(
      read(LoginField(.secret, .rest, charset: .latin1), [0xe9]) == .secret([0xc3, 0xa9]))
    #expect(
      read(LoginField(.secret, .rest, charset: .base64), bytes("-_8A")) == .secret([0xfb, 0xff, 0]))
    #expect(read(LoginField(.secret, .rest, charset: .hex), bytes("00fF")) == .secret([0, 0xff]))
    #expect(read(LoginField(.secret, .rest), []) == .fault(.missingField))
    #expect(read(LoginField(.secret, .rest, isOptional: true), []) == .none)
  }

  @Test func widthsAndEdgesOfForms() {
    let big2 = LoginInteger(width: 2)
    let table: [(form: LoginField.Form, bytes: [UInt8], read: Read)] = [
      (.fixed(width: 3, padding: .zero), [0x41, 0, 0x42], .value("A")),
      (.fixed(width: 3, padding: .zero), [0x41, 0x20, 0], .value("A ")),
      (.fixed(width: 3, padding: .zero), [0x41, 0x42], .fault(.missingField)),
      (.fixed(width: 3, padding: .space), [0x41, 0x20, 0], .value("A")),
      (.fixed(width: 3, padding: .space), [0x20, 0x20, 0x20], .value("")),
      (.fixed(width: .max, padding: .zero), [0x41], .fault(.missingField)),
      (.fixed(width: -1, padding: .zero), [0x41], .fault(.missingField)),
      (.zeroTerminated, [0x41, 0], .value("A")),
      (.zeroTerminated, [0x41], .fault(.missingField)),
      (.zeroTerminated, [], .fault(.missingField)),
      (.lengthPrefixed(big2), [0, 1, 0x41], .value("A")),
      (.lengthPrefixed(big2), [0, 2, 0x41], .fault(.missingField)),
      (.lengthPrefixed(big2), [0], .fault(.missingField)),
      (
        .lengthPrefixed(LoginInteger(width: 8)), Array(repeating: 0xff, count: 8),
        .fault(.missingField)
      ),
      (.varintPrefixed, [0x81, 0x00, 0x41], .value("A")),
      (.varintPrefixed, [0xff, 0xff, 0xff, 0xff, 0x0f], .fault(.missingField)),
      (.varintPrefixed, [0xff, 0xff, 0xff, 0xff, 0x7f], .fault(.missingField)),
      (.varintPrefixed, [0x80, 0x80, 0x80, 0x80, 0x80, 0], .fault(.missingField)),
      (.integer(big2, .decimal), [1, 0], .value("256")),
      (.integer(big2, .hex), [0, 0x2a], .value("002a")),
      (.integer(LoginInteger(width: 3, endianness: .little), .hex), [1, 2, 3], .value("030201")),
      (
        .integer(LoginInteger(width: 8), .decimal), Array(repeating: 0xff, count: 8),
        .value("18446744073709551615")
      ),
      (.integer(big2, .decimal), [1], .fault(.missingField)),
      (.bytes(2), [0xde, 0xad], .value("dead")),
      (.bytes(3), [0xde, 0xad], .fault(.missingField)),
      (.word(1, toEnd: false), bytes("  a b"), .value("a")),
      (.word(2, toEnd: false), bytes("a  b\r\nc"), .value("b")),
      (.word(3, toEnd: false), bytes("a b\r\nc"), .fault(.missingField)),
      (.word(0, toEnd: false), bytes("a b"), .fault(.missingField)),
      (.word(.max, toEnd: false), bytes("a b"), .fault(.missingField)),
      (.line, bytes("a b\r\nc"), .value("a b")),
      (.line, bytes("\n"), .value("")),
      (.line, [], .value("")),
      (.split(2, delimiter: bytes(",,")), bytes("a,b,,c,,d"), .value("c")),
      (.split(3, delimiter: bytes(",,")), bytes("a,b,,c,,d\r\n"), .value("d")),
      (.split(4, delimiter: bytes(",,")), bytes("a,b,,c,,d"), .fault(.missingField)),
      (.split(2, delimiter: []), bytes("ab"), .fault(.missingField)),
      (.split(0, delimiter: [1]), bytes("ab"), .fault(.missingField)),
    ]
    for (form, bytes, expected) in table {
      #expect(read(text(form), bytes) == expected, "\(form) \(bytes)")
    }
  }

  @Test func wideTextEndsAtAWideZero() {
    let wide: [UInt8] = [0x41, 0, 0, 0x42, 0, 0, 0x43, 0]
    #expect(read(text(.zeroTerminated, .utf16le), wide) == .value("A\u{4200}"))
    #expect(read(text(.fixed(width: 8, padding: .zero), .utf16le), wide) == .value("A\u{4200}"))
    #expect(
      read(text(.fixed(width: 6, padding: .space), .utf16le), [0x41, 0, 0x20, 0, 0, 0])
        == .value("A"))
  }

  @Test func offsetsCountFromEitherEnd() {
    let packet = bytes("abcdef")
    let table: [(start: LoginField.Start, read: Read)] = [
      (.offset(0), .value("ab")), (.offset(4), .value("ef")), (.offset(-2), .value("ef")),
      (.offset(-6), .value("ab")), (.offset(5), .fault(.missingField)),
      (.offset(-1), .fault(.missingField)), (.offset(-7), .fault(.missingField)),
      (.offset(.max), .fault(.missingField)), (.offset(.min), .fault(.missingField)),
      (.afterPrevious(skip: 1), .value("bc")), (.afterPrevious(skip: -1), .fault(.missingField)),
      (.afterPrevious(skip: .max), .fault(.missingField)),
    ]
    for (start, expected) in table {
      #expect(
        read(LoginField(.attribute("a"), .fixed(width: 2, padding: .zero), at: start), packet)
          == expected, "\(start)")
    }
  }

  @Test func aFieldBehindOneThatIsNotThereStartsWhereThatWould() {
    let description = LoginDescription.fields(
      LoginField(.attribute("a"), .fixed(width: 9, padding: .zero), isOptional: true),
      LoginField(.attribute("b"), .fixed(width: 2, padding: .zero)))
    #expect(
      description.credentials(from: [bytes("xyz")])?.attributes == [.init(name: "b", value: "xy")])
  }

  @Test func textIsStrippedAndFolded() {
    func field(_ charset: LoginField.Charset?, folding: LoginField.Folding?) -> LoginField {
      LoginField(
        .attribute("a"), .rest, charset: charset, prefixToStrip: ":", suffixToStrip: "!",
        folding: folding)
    }
    #expect(read(field(nil, folding: .lower), bytes(":AbÉ!")) == .value("abÉ"))
    #expect(read(field(nil, folding: .upper), bytes("Ab:!")) == .value("AB:"))
    #expect(read(field(nil, folding: nil), bytes(":")) == .value(""))
    #expect(read(field(.hex, folding: .lower), bytes(":4A!")) == .value("j"))
  }

  @Test func lengthsAreBounded() {
    let long = Array(repeating: UInt8(ascii: "x"), count: 257)
    #expect(read(text(.rest), long) == .fault(.fieldTooLong))
    #expect(read(text(.rest), long.dropLast()) == .value(String(repeating: "x", count: 256)))
    let latin = Array(repeating: UInt8(0xe9), count: 129)
    #expect(read(text(.rest, .latin1), latin) == .fault(.fieldTooLong))
    let secret = Array(repeating: UInt8(1), count: 4097)
    #expect(read(LoginField(.secret, .rest), secret) == .fault(.fieldTooLong))
    #expect(read(LoginField(.secret, .rest), secret.dropLast()) == .secret(secret.dropLast()))
    #expect(read(LoginField(.secret, .rest, bytesMax: 2), [1, 2, 3]) == .fault(.fieldTooLong))
  }

  @Test func accountsNeedANameThatCanBeOne() {
    let account = LoginField(.account, .rest)
    #expect(read(account, bytes("Änne")) == .value("Änne"))
    #expect(read(account, bytes(" anna")) == .fault(.badName))
    #expect(read(account, bytes(String(repeating: "x", count: 65))) == .fault(.badName))
    #expect(read(account, []) == .fault(.missingField))
  }
}
