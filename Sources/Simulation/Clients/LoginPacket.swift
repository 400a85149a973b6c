internal import Auth
internal import Primitives

/// The packet with which a client says who it is.
///
/// ```
/// binary: stamp | length (2) | secret | length (1) | account | padding | check (8)
/// text:   stamp, secret, check and account, all of them in hexadecimal | LF
/// ```
///
/// The check follows from all that stands before it in the binary form, padding left out. An
/// account that is not named has no bytes, and no word.
struct LoginPacket: Equatable {
  var stamp: Stamp
  var account: [UInt8]
  var secret: [UInt8]

  /// Bodies have so many bytes at the least, so that a varint before them has 2 bytes.
  private static let bodyByteCountMin = 128
  private static let checkByteCount = 8

  init(visit: Int, number: Int, _ credential: Credential) {
    stamp = Stamp(kind: .login, visit: UInt32(visit), number: UInt32(number))
    account = Array((credential.account ?? "").utf8)
    secret = credential.secret
  }

  /// Reads a packet as a client sends it, header included; what it says is not checked.
  init?(_ packet: ArraySlice<UInt8>, _ shape: PacketShape) {
    switch shape {
    case .line, .bareLine: self.init(line: packet)
    case .raw, .byte, .fixed: return nil
    case .short, .long, .varint, .table, .choice:
      self.init(body: packet.dropFirst(shape.headerByteCountMax))
    }
  }

  private init?(body: ArraySlice<UInt8>) {
    guard let stamp = Stamp(body) else { return nil }
    self.stamp = stamp
    var rest = body.dropFirst(PacketShape.headByteCount)
    guard let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
    let secretByteCount = Int(high) << 8 | Int(low)
    guard rest.count > secretByteCount else { return nil }
    secret = Array(rest.prefix(secretByteCount))
    rest = rest.dropFirst(secretByteCount)
    guard let accountByteCount = rest.popFirst(), rest.count >= Int(accountByteCount) else {
      return nil
    }
    account = Array(rest.prefix(Int(accountByteCount)))
  }

  private init?(line: ArraySlice<UInt8>) {
    let words = line.dropLast().split(separator: UInt8(ascii: " "))
    guard words.count == 5 || words.count == 6, let stamp = Stamp(text: line),
      let secret = HexText.bytes(words[3]),
      let account = words.count == 5 ? [] : HexText.bytes(words[5])
    else { return nil }
    self.stamp = stamp
    self.secret = secret
    self.account = account
  }

  func bytes(_ shape: PacketShape) -> [UInt8] {
    var body = said
    switch shape {
    case .raw, .byte, .fixed: preconditionFailure("a login has no room there")
    case .line, .bareLine:
      var line = stamp.text
      let words = [secret, check] + (account.isEmpty ? [] : [account])
      for word in words { line += [UInt8(ascii: " ")] + HexText.text(word) }
      return line + [UInt8(ascii: "\n")]
    case .short, .long, .varint, .table, .choice:
      var padding = stamp.padding
      while body.count + Self.checkByteCount < Self.bodyByteCountMin { body.append(padding.next()) }
      return shape.wrapped(body + check)
    }
  }

  private var said: [UInt8] {
    stamp.bytes + [UInt8(secret.count >> 8), UInt8(secret.count & 0xff)] + secret
      + [UInt8(account.count)] + account
  }

  /// FNV-1a, 64 bits.
  private var check: [UInt8] {
    let hash = said.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return (0..<8).map { UInt8(truncatingIfNeeded: hash >> UInt64(8 * $0)) }
  }
}

extension PacketShape {
  /// What tells packets of a kind from others.
  func condition(_ kind: Stamp.Kind) -> LoginCondition {
    switch self {
    case .line, .bareLine: .bytes([kind.rawValue, UInt8(ascii: " ")], offset: 0)
    case .raw, .short, .long, .byte, .varint, .fixed, .table, .choice:
      .bytes([kind.rawValue], offset: headerByteCountMax)
    }
  }

  /// How a listener reads a login packet.
  ///
  /// - Parameter namesAccount: whether it must name an account; otherwise it may.
  func loginPart(namesAccount: Bool) -> LoginPart {
    let fields: [LoginField]
    switch self {
    case .line, .bareLine:
      fields = [
        LoginField(.secret, .word(4, toEnd: false), at: .offset(0), charset: .hex),
        LoginField(
          .account, .word(6, toEnd: false), at: .offset(0), charset: .hex,
          isOptional: !namesAccount),
      ]
    case .raw, .short, .long, .byte, .varint, .fixed, .table, .choice:
      let place = headerByteCountMax + Self.headByteCount
      fields = [
        LoginField(
          .secret, .lengthPrefixed(LoginInteger(width: 2, endianness: .big)), at: .offset(place)),
        LoginField(
          .account, .lengthPrefixed(LoginInteger(width: 1)), isOptional: !namesAccount),
      ]
    }
    return LoginPart(match: [condition(.login)], fields: fields)
  }
}
