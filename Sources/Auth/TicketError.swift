/// Why a text is no ticket; see ``Ticket``.
public enum TicketError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Field: String, Sendable {
    case key, account, audience, issued, expires, nonce, signature
  }

  /// It has so many bytes, more than ``Ticket/byteCountMax``.
  case tooLong(byteCount: Int)
  /// It does not begin with `gh1.`.
  case otherVersion
  /// It has not the eight fields of version 1.
  case wrongFieldCount(Int)
  /// The key's name is not 1 to 32 letters, digits, `-` and `_`.
  case badKeyName
  /// The field is not base64url without padding (RFC 4648 section 5), in its one proper form.
  case badBase64(Field)
  /// The field's bytes are too few, too many, or not UTF-8.
  case badLength(Field)
  /// The field is not 1 to 10 decimal digits without a leading zero.
  case badNumber(Field)
  /// The account can't be a name.
  case badAccount
  /// The audience is not UTF-8.
  case badAudience
  /// It expires before or when it was issued.
  case noLifetime

  public var description: String {
    switch self {
    case .tooLong(let byteCount):
      "the ticket has \(byteCount) bytes; at most \(Ticket.byteCountMax) can be right"
    case .otherVersion: "the ticket does not begin with \"gh1.\""
    case .wrongFieldCount(let count): "the ticket has \(count) fields between dots instead of 8"
    case .badKeyName: "the ticket's key name is not 1 to 32 letters, digits, - and _"
    case .badBase64(let field): "the ticket's \(field.rawValue) is not base64url without padding"
    case .badLength(let field): "the ticket's \(field.rawValue) has a wrong number of bytes"
    case .badNumber(let field): "the ticket's \(field.rawValue) time is not in whole Unix seconds"
    case .badAccount: "the ticket's account is not a name of 1 to 64 bytes of UTF-8"
    case .badAudience: "the ticket's audience is not UTF-8"
    case .noLifetime: "the ticket expires before it was issued"
    }
  }
}
