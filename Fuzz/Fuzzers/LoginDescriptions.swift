import Auth

/// Any description that is possible, out of few bytes; sense is not asked for.
extension FuzzInput {
  mutating func integer() -> LoginInteger {
    LoginInteger(width: number(1...8), endianness: pick(LoginInteger.Endianness.allCases))
  }

  private mutating func offset() -> Int {
    let offset = number(-64...191)
    return switch offset {
    case 191: .max
    case 190: .min
    default: offset
    }
  }

  private mutating func separator() -> [UInt8] { bytes(3) }

  mutating func form() -> LoginField.Form {
    switch number(0...10) {
    case 0: .fixed(width: offset(), padding: pick(LoginField.Padding.allCases))
    case 1: .zeroTerminated
    case 2: .lengthPrefixed(integer())
    case 3: .varintPrefixed
    case 4: .integer(integer(), pick(LoginField.Rendering.allCases))
    case 5: .bytes(offset())
    case 6: .word(offset(), toEnd: bool())
    case 7: .line
    case 8: pair()
    case 9: .split(offset(), delimiter: separator())
    default: .rest
    }
  }

  private mutating func pair() -> LoginField.Form {
    let separator = separator()
    return .pair(
      key: pick(["a", "", "name"]), valueSeparator: separator,
      pairSeparator: bool() ? separator : self.separator())
  }

  private mutating func field() -> LoginField {
    let target: LoginField.Target = pick([.account, .secret, .attribute("a"), .attribute("b")])
    var field = LoginField(target, form())
    let options = byte()
    if options & 1 != 0 {
      field.start = bool() ? .offset(offset()) : .afterPrevious(skip: offset())
    }
    if options & 2 != 0 { field.charset = pick(LoginField.Charset.allCases) }
    if options & 4 != 0 { field.xor = bytes(4) }
    if options & 8 != 0 { field.prefixToStrip = pick(["a", "ab", " "]) }
    if options & 16 != 0 { field.suffixToStrip = pick(["a", "ab", " "]) }
    if options & 32 != 0 { field.folding = pick(LoginField.Folding.allCases) }
    if options & 64 != 0 { field.bytesMax = offset() }
    field.isOptional = options & 128 != 0
    return field
  }

  private mutating func condition() -> LoginCondition {
    switch number(0...3) {
    case 0: .bytes(bytes(4), offset: offset())
    case 1: .integer(integer(), offset: offset(), mask: word(), value: UInt64(byte()))
    case 2: .text(pick(["a", "LOGIN", "é"]), ignoresCase: bool())
    default: .byteCount(0...number(0...255))
    }
  }

  private mutating func conditions() -> [LoginCondition] {
    (0..<number(0...2)).map { _ in condition() }
  }

  mutating func loginDescription() -> LoginDescription {
    let parts = (0..<number(1...3)).map { _ in
      LoginPart(
        packet: bool() ? .ordinal(offset()) : .firstMatch, match: conditions(),
        isOptional: bool(), fields: (0..<number(0...3)).map { _ in field() })
    }
    let answers = (0..<number(0...3)).map { _ in
      LoginAnswer(
        on: bool() ? .packet(conditions()) : .stream(bytes(8)), reply: nil,
        then: pick(LoginAnswer.Then.allCases))
    }
    let options = byte()
    return LoginDescription(
      parts: parts, isOrdered: options & 1 != 0, isTelnet: options & 2 != 0, answers: answers,
      before: pick(LoginDescription.Before.allCases),
      packetsMax: options & 4 == 0 ? 16 : offset(), bytesMax: options & 8 == 0 ? 1024 : offset())
  }
}
