internal import Auth

/// What `kind` may say, each with its own keys.
private enum LoginFieldKind: String, CaseIterable {
  case fixed
  case zeroTerminated = "zero-terminated"
  case lengthPrefixed = "length-prefixed"
  case varintPrefixed = "varint-prefixed"
  case integer
  case bytes
  case word
  case line
  case keyValue = "key-value"
  case split
  case rest

  /// Whether it begins at the packet's start, unless it says otherwise; the others begin where the
  /// previous field ended.
  var readsWholeLine: Bool {
    switch self {
    case .word, .keyValue, .split: true
    case .fixed, .zeroTerminated, .lengthPrefixed, .varintPrefixed, .integer, .bytes, .line, .rest:
      false
    }
  }
}

extension TableReader {
  /// Reads a field of a login's packet; nil when its kind or name is wrong.
  mutating func loginField() -> LoginField? {
    let target = loginTarget()
    let kinds = LoginFieldKind.allCases.map { (name: $0.rawValue, value: $0) }
    let node = takeRequired("kind", expected: list(kinds.map { "\"\($0.name)\"" }))
    guard let node, let kind = choice("kind", node, kinds) else {
      // Without a kind nobody knows which keys belong here.
      for entry in table.entries { _ = take(entry.key) }
      return nil
    }
    let form = loginForm(kind)
    let start = loginStart(kind)
    let charset = loginChoice("charset", LoginField.Charset.allCases)
    let xor = hexBytes("xor", byteCount: 1...LoginField.xorBytesMax)
    let prefix = text("strip_prefix", byteCount: 1...64)
    let suffix = text("strip_suffix", byteCount: 1...64)
    let folding = loginChoice("case", LoginField.Folding.allCases)
    let isOptional = boolean("optional", default: false)
    let bound = target == .secret ? LoginField.secretBytesMax : LoginField.textBytesMax
    let bytesMax = integer("max", 1...bound, default: bound)
    if kind == .integer && (charset != nil || folding != nil || prefix != nil || suffix != nil) {
      note("kind", "an integer has no charset, case, strip_prefix or strip_suffix")
    }
    guard let target, let form else { return nil }
    return LoginField(
      target, form, at: start, charset: charset, xor: xor ?? [], prefixToStrip: prefix ?? "",
      suffixToStrip: suffix ?? "", folding: folding, bytesMax: bytesMax, isOptional: isOptional)
  }

  private mutating func loginChoice<Value: RawRepresentable<String>>(
    _ key: String, _ values: [Value]
  ) -> Value? {
    guard let node = take(key) else { return nil }
    return choice(key, node, values.map { (name: $0.rawValue, value: $0) })
  }

  private mutating func loginTarget() -> LoginField.Target? {
    let expected =
      "\"account\", \"secret\" (or \"password\", \"token\", \"ticket\"), or an attribute's name "
      + "of 1 to 32 letters, digits, \"-\", \"_\" or \".\""
    guard let node = takeRequired("name", expected: expected) else { return nil }
    guard let name = text("name", node, byteCount: 1...32) else { return nil }
    switch name {
    case "account": return .account
    case "secret", "password", "token", "ticket": return .secret
    default:
      guard isName(name) else {
        note("name", "\"\(shown(name))\" is not a name", expected: expected)
        return nil
      }
      return .attribute(name)
    }
  }

  private mutating func loginStart(_ kind: LoginFieldKind) -> LoginField.Start {
    let offset = take("offset").flatMap { integer("offset", $0, Bounds.loginOffset) }
    let skip = take("skip").flatMap { integer("skip", $0, 0...Bounds.loginOffset.upperBound) }
    if table.entry("offset") != nil && table.entry("skip") != nil {
      note("skip", "offset and skip exclude each other", expected: "one of them")
    }
    if let offset { return .offset(offset) }
    if let skip { return .afterPrevious(skip: skip) }
    return kind.readsWholeLine ? .offset(0) : .afterPrevious(skip: 0)
  }

  private mutating func loginForm(_ kind: LoginFieldKind) -> LoginField.Form? {
    switch kind {
    case .fixed:
      let padding = choice(
        "pad", LoginField.Padding.allCases.map { (name: $0.rawValue, value: $0) }, default: .zero)
      return loginWidth().map { .fixed(width: $0, padding: padding) }
    case .zeroTerminated: return .zeroTerminated
    case .lengthPrefixed: return .lengthPrefixed(loginInteger(defaultWidth: nil))
    case .varintPrefixed: return .varintPrefixed
    case .integer:
      let rendering = choice(
        "as", LoginField.Rendering.allCases.map { (name: $0.rawValue, value: $0) },
        default: .decimal)
      return .integer(loginInteger(defaultWidth: nil), rendering)
    case .bytes: return loginWidth().map { .bytes($0) }
    case .word:
      let number = loginNumber()
      let toEnd = boolean("to_end", default: false)
      return number.map { .word($0, toEnd: toEnd) }
    case .line: return .line
    case .keyValue:
      let expected = "the key whose value is meant"
      let key = takeRequired("key", expected: expected).flatMap {
        text("key", $0, byteCount: 1...64)
      }
      let valueSeparator = requiredByteString("value_separator", expected: "\"=\" or the like")
      let pairSeparator = requiredByteString("pair_separator", expected: "\"&\" or the like")
      guard let key, let valueSeparator, let pairSeparator else { return nil }
      return .pair(key: key, valueSeparator: valueSeparator, pairSeparator: pairSeparator)
    case .split:
      let number = loginNumber()
      let delimiter = requiredByteString("delimiter", expected: "what stands between the parts")
      guard let number, let delimiter else { return nil }
      return .split(number, delimiter: delimiter)
    case .rest: return .rest
    }
  }

  private mutating func loginWidth() -> Int? {
    takeRequired("width", expected: "a number of bytes").flatMap {
      integer("width", $0, 1...LoginField.secretBytesMax)
    }
  }

  private mutating func loginNumber() -> Int? {
    takeRequired("number", expected: "which one it is, from 1").flatMap {
      integer("number", $0, 1...1000)
    }
  }
}
