/// What a community's web site signs so that a player can come in: format version 1.
///
/// ```
/// gh1.KEY.ACCOUNT.AUDIENCE.ISSUED.EXPIRES.NONCE.SIGNATURE
/// ```
///
/// Eight fields, in this order, between dots. ACCOUNT, AUDIENCE, NONCE and SIGNATURE are base64url
/// (see ``Base64URL``), KEY is 1 to 32 of `A-Z a-z 0-9 - _`, the times are Unix seconds in decimal.
/// The signature is Ed25519's (RFC 8032) over the text before its dot. Positions instead of names
/// leave nothing to be ordered, escaped or given twice: each ticket has one text.
///
/// Source: docs/tickets.md.
public struct Ticket: Equatable, Sendable {
  /// The longest ticket, in bytes: all fields at their longest, and a margin.
  public static let byteCountMax = 384
  /// Of the nonce, in bytes.
  public static let nonceByteCount = 16
  /// The longest audience, in bytes of UTF-8.
  public static let audienceByteCountMax = 64
  /// The longest key name, in bytes.
  public static let keyByteCountMax = 32

  /// The name of the key that it says it was signed with.
  public var key: String
  public var account: AccountName
  /// Which gateway or game it is for.
  public var audience: String
  /// Unix seconds.
  public var issuedAt: Int64
  /// Unix seconds; later than ``issuedAt``.
  public var expiresAt: Int64
  /// Random; makes each ticket different from all others.
  public var nonce: [UInt8]

  /// - Returns: nil when a field is beyond its bounds.
  public init?(
    key: String, account: AccountName, audience: String, issuedAt: Int64, expiresAt: Int64,
    nonce: [UInt8]
  ) {
    guard Self.isKeyName(key), (1...Self.audienceByteCountMax).contains(audience.utf8.count),
      Self.times.contains(issuedAt), Self.times.contains(expiresAt), issuedAt < expiresAt,
      nonce.count == Self.nonceByteCount
    else { return nil }
    self.key = key
    self.account = account
    self.audience = audience
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
    self.nonce = nonce
  }

  /// What is signed: the ticket's text without its signature and the dot before it.
  public var unsignedText: String {
    [
      "gh1", key, Base64URL.encode(Array(account.text.utf8)),
      Base64URL.encode(Array(audience.utf8)), String(issuedAt), String(expiresAt),
      Base64URL.encode(nonce),
    ].joined(separator: ".")
  }

  /// 1 to 32 letters, digits, `-` and `_`.
  public static func isKeyName(_ name: String) -> Bool {
    (1...keyByteCountMax).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }

  /// What ten digits can say.
  private static let times: ClosedRange<Int64> = 0...9_999_999_999
}

/// A ticket as it came, whose signature nobody has looked at yet.
public struct SignedTicket: Equatable, Sendable {
  public var ticket: Ticket
  /// 64 bytes.
  public var signature: [UInt8]
  /// What the signature is over.
  public var signedBytes: [UInt8]

  /// Of an Ed25519 signature, in bytes (RFC 8032 section 5.1.6).
  public static let signatureByteCount = 64

  /// Reads a ticket's text; a result's text is always `signedBytes`, a dot, and the signature.
  ///
  /// - Throws: ``TicketError`` for anything that is not a ticket's one proper text.
  public init(parsing text: [UInt8]) throws(TicketError) {
    guard text.count <= Ticket.byteCountMax else { throw .tooLong(byteCount: text.count) }
    guard text.starts(with: "gh1.".utf8) else { throw .otherVersion }
    let fields = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard fields.count == 8 else { throw .wrongFieldCount(fields.count) }
    let key = String(decoding: fields[1], as: UTF8.self)
    guard Ticket.isKeyName(key) else { throw .badKeyName }
    let account = try Self.bytes(fields[2], .account, 1...AccountName.byteCountMax)
    guard let accountText = String(validating: account, as: UTF8.self),
      let name = AccountName(accountText)
    else { throw .badAccount }
    let audience = try Self.bytes(fields[3], .audience, 1...Ticket.audienceByteCountMax)
    guard let audienceText = String(validating: audience, as: UTF8.self) else {
      throw .badAudience
    }
    let issuedAt = try Self.seconds(fields[4], .issued)
    let expiresAt = try Self.seconds(fields[5], .expires)
    let nonce = try Self.bytes(fields[6], .nonce, Ticket.nonceByteCount...Ticket.nonceByteCount)
    signature = try Self.bytes(
      fields[7], .signature, Self.signatureByteCount...Self.signatureByteCount)
    guard
      let ticket = Ticket(
        key: key, account: name, audience: audienceText, issuedAt: issuedAt, expiresAt: expiresAt,
        nonce: nonce)
    else { throw .noLifetime }
    self.ticket = ticket
    signedBytes = Array(text[..<(fields[7].startIndex - 1)])
  }

  /// Whose a ticket says it is, true or not, without a look at the rest of it.
  ///
  /// - Returns: nil when there is no account's name in its place.
  public static func claimedAccount(in text: [UInt8]) -> AccountName? {
    guard text.count <= Ticket.byteCountMax, text.starts(with: "gh1.".utf8) else { return nil }
    let fields = text.split(
      separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
    guard fields.count == 4, let bytes = Base64URL.decode(fields[2]) else { return nil }
    return String(validating: bytes, as: UTF8.self).flatMap { AccountName($0) }
  }

  private static func bytes(
    _ field: ArraySlice<UInt8>, _ name: TicketError.Field, _ counts: ClosedRange<Int>
  ) throws(TicketError) -> [UInt8] {
    guard let bytes = Base64URL.decode(field) else { throw .badBase64(name) }
    guard counts.contains(bytes.count) else { throw .badLength(name) }
    return bytes
  }

  private static func seconds(
    _ field: ArraySlice<UInt8>, _ name: TicketError.Field
  ) throws(TicketError) -> Int64 {
    guard (1...10).contains(field.count), field.count == 1 || field.first != UInt8(ascii: "0"),
      field.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { throw .badNumber(name) }
    return field.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
  }
}
