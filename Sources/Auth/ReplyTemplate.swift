/// Bytes that a client is sent from the configuration, with places for what is known only then.
public struct ReplyTemplate: Equatable, Sendable {
  /// No rendering is longer, in bytes.
  public static let bytesMax = 64 << 10
  /// The longest template without its fields, in bytes.
  public static let literalBytesMax = 16 << 10
  /// The most fields of one template.
  public static let fieldsMax = 16

  enum Field: String, CaseIterable {
    case reason, until, remaining, account, address, listener, ban, now
  }

  enum TextFormat: String, CaseIterable {
    case utf8 = "utf-8"
    case latin1 = "latin-1"
    case cp1252
    case utf16le = "utf-16le"
    case utf16be = "utf-16be"
    /// What may stand between the quotes of a JSON string (RFC 8259 section 7).
    case json
  }

  /// What says where a text ends.
  enum Ending: Equatable {
    case none
    case zero
    case prefix(Number)
    /// Cut or padded with zeros to so many bytes.
    case padded(Int)
  }

  /// How an integer is written.
  enum Number: Equatable {
    case fixed(LoginInteger, isSigned: Bool)
    case varint
  }

  enum Counted: String, CaseIterable {
    /// The whole reply.
    case length
    /// What follows the field.
    case rest
  }

  enum Piece: Equatable {
    case literal([UInt8])
    case text(Field, TextFormat, Ending)
    /// A time in Unix seconds, or a ban's number.
    case integer(Field, Number)
    /// A count of bytes, divided and then adjusted.
    case count(Counted, Number, divisor: Int, adjustment: Int)
  }

  let pieces: [Piece]

  init(pieces: [Piece]) { self.pieces = pieces }

  /// A template that renders as nothing.
  public init() { pieces = [] }

  /// These bytes, always.
  ///
  /// - Precondition: at most 16,384 bytes.
  public init(bytes: [UInt8]) {
    precondition(bytes.count <= Self.literalBytesMax)
    pieces = bytes.isEmpty ? [] : [.literal(bytes)]
  }
}
