@testable import Auth

/// Goal: no bytes make any description trap, give a value beyond its bounds, or an account that
/// can't be one; and each form takes what a plain model of it takes.
enum LoginFuzzer {
  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let form = input.form()
    let description = input.loginDescription()
    var packets: [[UInt8]] = []
    while !input.isEmpty, packets.count < 8 { packets.append(input.bytes(255)) }
    follow(packets, description)
    for packet in packets {
      compare(form, packet)
      checkDecoding(packet)
      checkTelnet(packet)
    }
    checkStreamAnswer(packets.first ?? [], description)
  }

  private static func follow(_ packets: [[UInt8]], _ description: LoginDescription) {
    var progress = LoginProgress()
    for packet in packets {
      let before = progress
      let step = progress.take(packet, of: description)
      var again = before
      check(again.take(packet, of: description) == step, "the same packet is the same step")
      check(Int(progress.packets) <= max(0, description.packetsMax), "more packets than may be")
      check(Int(progress.bytes) <= max(0, description.bytesMax), "more bytes than may be")
      switch step.next {
      case .more: check(step.field == nil, "a field is named and nothing is wrong")
      case .close: return
      case .fault:
        check(step.disposition == .consume && step.reply == nil, "a faulty packet is no part")
        return
      case .complete(let credentials):
        check(step.disposition == .identity, "what completes an identity is part of it")
        checkBounds(credentials, description)
        return
      }
    }
  }

  private static func checkBounds(_ credentials: Credentials, _ description: LoginDescription) {
    let name = credentials.account
    check(name == nil || name.flatMap(AccountName.init) != nil, "not an account's name")
    check(credentials.secret.count <= LoginField.secretBytesMax, "the secret is too long")
    let named = description.parts.flatMap(\.fields).map(\.target.name)
    var last = -1
    for attribute in credentials.attributes {
      check(attribute.value.utf8.count <= LoginField.textBytesMax, "an attribute is too long")
      check(isPrintable(attribute.value), "an attribute has control characters")
      let place = named.firstIndex(of: attribute.name) ?? -1
      check(place > last, "attributes come once, in the description's order")
      last = place
    }
  }

  private static func compare(_ form: LoginField.Form, _ packet: [UInt8]) {
    let description = LoginDescription(parts: [LoginPart(fields: [LoginField(.secret, form)])])
    var progress = LoginProgress()
    let next = progress.take(packet, of: description).next
    // An empty secret is none.
    let expected: LoginStep.Next =
      switch LoginModel.outcome(form, packet) {
      case .missing, .value([]): .fault(.missingField)
      case .repeated: .fault(.repeatedField)
      case .value(let secret): .complete(Credentials(secret: secret))
      }
    check(next == expected, "\(form) gives \(next) instead of \(expected)")
  }

  /// What is decoded says all that stood there.
  private static func checkDecoding(_ bytes: [UInt8]) {
    if let decoded = try? LoginDecoding.hex(bytes) {
      check(hexDigits(of: decoded) == bytes.map(foldedASCII), "hex")
    }
    if let decoded = try? LoginDecoding.base64(bytes) {
      let url = bytes.filter { $0 != UInt8(ascii: "=") }.map { byte in
        byte == UInt8(ascii: "+") ? UInt8(ascii: "-") : byte == UInt8(ascii: "/") ? 0x5f : byte
      }
      check(Array(Base64URL.encode(decoded).utf8) == url, "base64")
    }
    if let decoded = try? LoginDecoding.utf16le(bytes) {
      let units = String(decoding: decoded, as: UTF8.self).utf16
      check(units.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] } == bytes, "UTF-16")
    }
    if let decoded = try? LoginDecoding.cp1252(bytes) {
      let scalars = String(decoding: decoded, as: UTF8.self).unicodeScalars
      check(scalars.map { LoginDecoding.cp1252Byte($0) } == bytes.map { $0 }, "CP1252")
    }
    let latin1 = String(decoding: LoginDecoding.latin1(bytes), as: UTF8.self)
    check(latin1.unicodeScalars.map { UInt8(exactly: $0.value) } == bytes.map { $0 }, "Latin 1")
  }

  private static func checkTelnet(_ bytes: [UInt8]) {
    check(TelnetCommands.stripped(from: bytes).count <= bytes.count, "stripping adds bytes")
    let escaped = bytes.flatMap { $0 == 255 ? [255, 255] : [$0] }
    check(TelnetCommands.stripped(from: escaped) == bytes, "escaped data is not the data")
  }

  private static func checkStreamAnswer(_ first: [UInt8], _ description: LoginDescription) {
    let patterns = description.answers.compactMap { answer -> [UInt8]? in
      guard case .stream(let pattern) = answer.question else { return nil }
      return pattern.isEmpty ? nil : pattern
    }
    let whole = patterns.filter { first.starts(with: $0) }.map(\.count).max()
    let isBegun = patterns.contains { $0.count > first.count && $0.starts(with: first) }
    switch first.withUnsafeBytes({ description.streamAnswer(for: $0) }) {
    case .none: check(whole == nil && !isBegun, "a question is passed over")
    case .undecided: check(whole == nil && isBegun, "nothing to wait for")
    case .matched(let byteCount, _): check(byteCount == whole, "not the longest question")
    }
  }
}

extension LoginProgress {
  fileprivate mutating func take(
    _ packet: [UInt8], of description: LoginDescription
  ) -> LoginStep {
    packet.withUnsafeBytes { take($0, of: description) }
  }
}
