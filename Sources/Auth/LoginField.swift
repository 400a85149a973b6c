/// Something that is taken from a packet of the identity.
public struct LoginField: Equatable, Sendable {
  /// What it becomes.
  public enum Target: Equatable, Sendable {
    case account
    /// The password, token or ticket.
    case secret
    /// Something the worker is told, under this name of 1 to 32 bytes.
    case attribute(String)

    /// As in configurations and logs.
    public var name: String {
      switch self {
      case .account: "account"
      case .secret: "secret"
      case .attribute(let name): name
      }
    }
  }

  /// Where it begins.
  public enum Start: Equatable, Sendable {
    /// Bytes from the packet's start, or from its end when negative.
    case offset(Int)
    /// So many bytes behind the previous field's end; behind the packet's start for the first one.
    case afterPrevious(skip: Int)
  }

  /// How long it is, and how it stands there.
  public enum Form: Equatable, Sendable {
    /// So many bytes, of which what stands behind the padding's start is left out.
    case fixed(width: Int, padding: Padding)
    /// Up to a zero: two bytes of it, an even number of bytes from the start, for UTF-16.
    case zeroTerminated
    /// An integer says how many bytes follow it.
    case lengthPrefixed(LoginInteger)
    /// As ``lengthPrefixed(_:)``, the integer being an unsigned LEB128 of at most 5 bytes.
    case varintPrefixed
    /// Unsigned.
    case integer(LoginInteger, Rendering)
    /// So many bytes as they are; for an attribute, in hex digits.
    case bytes(Int)
    /// The n-th word, from 1, of the line that begins there; words stand between spaces or tabs.
    /// With `toEnd`, all of the line from that word on.
    case word(Int, toEnd: Bool)
    /// All up to the line's end, which is taken but left out: LF, CR LF or the packet's end.
    case line
    /// The value of a key, in pairs up to the packet's end. When both separators are the same,
    /// keys and values take turns, and one separator may come before the first key.
    case pair(key: String, valueSeparator: [UInt8], pairSeparator: [UInt8])
    /// The n-th part, from 1, of what is there up to the packet's end.
    case split(Int, delimiter: [UInt8])
    /// All up to the packet's end.
    case rest
  }

  public enum Padding: String, CaseIterable, Sendable {
    /// The first zero ends it; what stands behind it means nothing.
    case zero
    /// Spaces and zeros at its end are left out.
    case space
  }

  public enum Rendering: String, CaseIterable, Sendable { case decimal, hex }

  /// How text is written; also how a secret is, when it is said.
  public enum Charset: String, CaseIterable, Sendable {
    case ascii
    case utf8 = "utf-8"
    /// Two bytes, little endian, for a unit.
    case utf16le = "utf-16le"
    case latin1 = "latin-1"
    /// Windows' code page for western Europe.
    case cp1252
    /// Hex digits of what is meant.
    case hex
    /// Base64 of what is meant, in the usual or the URL alphabet (RFC 4648 sections 4 and 5).
    case base64
  }

  public enum Folding: String, CaseIterable, Sendable { case lower, upper }

  /// The longest text, in bytes of UTF-8.
  public static let textBytesMax = 256
  /// The longest secret, in bytes.
  public static let secretBytesMax = 4096
  /// The longest key for ``xor``, in bytes.
  public static let xorBytesMax = 64

  public var target: Target
  public var form: Form
  public var start: Start
  /// Nil: UTF-8 for text, and no decoding for a secret.
  public var charset: Charset?
  /// Repeated over the field's bytes before anything else is done; none when empty.
  public var xor: [UInt8]
  /// Left out when the text begins with it.
  public var prefixToStrip: String
  /// Left out when the text ends with it.
  public var suffixToStrip: String
  /// Brings ASCII letters to one case.
  public var folding: Folding?
  /// Bytes of the value: at most 256 for text and 4096 for a secret, whatever it says.
  public var bytesMax: Int
  /// Whether the packet may be without it.
  public var isOptional: Bool

  public init(
    _ target: Target, _ form: Form, at start: Start = .afterPrevious(skip: 0),
    charset: Charset? = nil, xor: [UInt8] = [], prefixToStrip: String = "",
    suffixToStrip: String = "", folding: Folding? = nil, bytesMax: Int = Self.secretBytesMax,
    isOptional: Bool = false
  ) {
    self.target = target
    self.form = form
    self.start = start
    self.charset = charset
    self.xor = xor
    self.prefixToStrip = prefixToStrip
    self.suffixToStrip = suffixToStrip
    self.folding = folding
    self.bytesMax = bytesMax
    self.isOptional = isOptional
  }
}
