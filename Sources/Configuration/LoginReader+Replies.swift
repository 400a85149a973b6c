internal import Auth
internal import Gateway

/// Reads `[listener.refusal]`: what clients are sent before they are closed, by reason.
///
/// `default` stands for each reason that is not given. Those that nobody could be told of, because
/// the client is gone, takes nothing, or has had its answer, are no keys.
func readRefusals(_ listener: inout TableReader) -> [CloseReason: ReplyTemplate] {
  guard var table = listener.subtable("refusal") else { return [:] }
  var refusals: [CloseReason: ReplyTemplate] = [:]
  let fallback = table.replyTemplate("default")
  for reason in CloseReason.allCases where reason.canBeTold {
    refusals[reason] = table.replyTemplate(reason.name) ?? fallback
  }
  listener.add(table.finish())
  return refusals
}

extension CloseReason {
  fileprivate var canBeTold: Bool {
    switch self {
    case .clientClosed, .clientReset, .slowClient, .answered: false
    case .idleTimeout, .framingViolation, .loginTimeout, .loginInvalid, .loginRefused,
      .accountDisabled, .banned, .duplicateLogin, .replaced, .rateLimited, .connectionLimit,
      .noWorker, .workerViolation, .packetRefused, .overCapacity, .shutdown, .closedByOperator,
      .storeUnavailable, .loginEvicted, .authUnavailable, .listenerRemoved:
      true
    }
  }
}

extension TableReader {
  private static let replyExpected = "a text, { text = \"…\" } or { hex = \"…\" }"

  /// A reply; nil when absent or wrong.
  mutating func replyTemplate(_ key: String) -> ReplyTemplate? {
    guard let (node, isHex, key) = textOrHex(key, expected: Self.replyExpected) else { return nil }
    do throws(ReplyTemplateError) {
      return isHex ? try ReplyTemplate(hex: node.text) : try ReplyTemplate(text: node.text)
    } catch {
      note(
        at: node.position, key, "character \(error.position): \(error.found)",
        expected: error.expected)
      return nil
    }
  }

  /// Bytes given as text or as `{ hex = "…" }`; nil when absent or wrong.
  mutating func byteString(_ key: String, byteCount: ClosedRange<Int>) -> [UInt8]? {
    guard
      let (node, isHex, key) = textOrHex(key, expected: "a text or { hex = \"…\" }")
    else { return nil }
    return bytes(of: node.text, isHex: isHex, key, node.position, byteCount: byteCount)
  }

  mutating func requiredByteString(_ key: String, expected: String) -> [UInt8]? {
    guard takeRequired(key, expected: expected) != nil else { return nil }
    return byteString(key, byteCount: 1...16)
  }

  /// Bytes given as hex digits; nil when absent or wrong.
  mutating func hexBytes(_ key: String, byteCount: ClosedRange<Int>) -> [UInt8]? {
    guard let node = take(key) else { return nil }
    guard case .string(let digits) = node.value else {
      noteWrongType(key, node, expected: "hex digits in a string")
      return nil
    }
    return bytes(of: digits, isHex: true, key, node.position, byteCount: byteCount)
  }

  private mutating func bytes(
    of text: String, isHex: Bool, _ key: String, _ position: TextPosition,
    byteCount: ClosedRange<Int>
  ) -> [UInt8]? {
    guard let bytes = isHex ? bytesOfHex(text) : bytesOfText(text) else {
      note(
        at: position, key,
        isHex
          ? "\"\(shown(text))\" is not bytes in hex" : "\"\(shown(text))\" has an unknown escape",
        expected: isHex
          ? "pairs of hex digits, spaces allowed between them" : Self.escapesExpected)
      return nil
    }
    guard byteCount.contains(bytes.count) else {
      note(
        at: position, key, "\(bytes.count) bytes",
        expected: "\(byteCount.lowerBound) to \(byteCount.upperBound) bytes")
      return nil
    }
    return bytes
  }

  /// The text under `key`, or under `text` or `hex` of the table there, with the key it has.
  private mutating func textOrHex(
    _ key: String, expected: String
  ) -> (node: (text: String, position: TextPosition), isHex: Bool, key: String)? {
    guard let node = take(key) else { return nil }
    if case .string(let text) = node.value { return ((text, node.position), false, key) }
    guard case .table(let table) = node.value else {
      noteWrongType(key, node, expected: expected)
      return nil
    }
    guard table.entries.count == 1, let entry = table.entries.first,
      ["text", "hex"].contains(entry.key)
    else {
      note(key, "the table is not a reply or bytes", expected: expected)
      return nil
    }
    let key = "\(key).\(entry.key)"
    guard case .string(let text) = entry.node.value else {
      noteWrongType(key, entry.node, expected: "a string")
      return nil
    }
    return ((text, entry.node.position), entry.key == "hex", key)
  }

  /// Notes a problem whose place is not that of one of the table's own keys.
  private mutating func note(
    at position: TextPosition, _ key: String, _ message: String, expected: String
  ) {
    add([ConfigurationProblem(at: position, key: path(of: key), message, expected: expected)])
  }
}
