/// Looks for the ends of lines between commands of telnet: RFC 854, and RFC 855 for options.
///
/// ```
/// IAC IAC                      a byte FF of text
/// IAC WILL|WONT|DO|DONT option
/// IAC SB option ... IAC SE     a subnegotiation; IAC IAC is a byte FF of it
/// IAC any other                a command of two bytes
/// ```
///
/// A command at the front of a packet is a packet of its own: a server waits for the answers to its
/// questions, and the end of a line may come much later. Inside a line a command is a part of it.
/// What looks like a delimiter inside a command, or with a command in it, is none.
@frozen
public struct TelnetScan: Equatable, BitwiseCopyable, Sendable {
  @usableFromInline enum Mode: UInt8, BitwiseCopyable {
    case text, command, option, sub, subCommand
  }

  /// One byte, as each session has two of these: the mode, and ``run`` behind it.
  @usableFromInline var bits: UInt8 = 0

  @inlinable init() {}

  private var mode: Mode {
    get { Mode(rawValue: bits & 7) ?? .text }
    set { bits = bits & ~7 | newValue.rawValue }
  }

  /// How many bytes of text stand behind the last command, 8 at the most.
  private var run: UInt8 {
    get { bits >> 3 }
    set { bits = bits & 7 | newValue << 3 }
  }

  static let commandByte: UInt8 = 0xFF
  private static let subnegotiationEnd: UInt8 = 0xF0
  private static let subnegotiation: UInt8 = 0xFA
  private static let withOption: ClosedRange<UInt8> = 0xFB...0xFE

  /// - Parameter scanned: bytes at the front that this scan was shown before.
  mutating func step(
    _ bytes: UnsafeRawBufferPointer, scanned: Int, _ framer: DelimiterFramer
  ) -> PacketCutter.Step {
    var place = scanned
    let looked = unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(framer.bounds.maximum))
    while place < looked.count {
      guard mode == .text else {
        let byte = unsafe looked[place]
        place += 1
        if endsCommand(byte), unsafe isCommandFirst(looked) {
          return .packet(byteCount: place, dropped: 0)
        }
        continue
      }
      guard let found = unsafe framer.search.first(in: looked, from: place) else {
        passText(looked.count - place)
        break
      }
      passText(found - place)
      place = found + 1
      guard unsafe looked[found] != Self.commandByte else {
        mode = .command
        continue
      }
      passText(1)
      let window = unsafe framer.window(of: looked, at: place)
      if framer.longestMatch(window, byteCount: Int(run)) > 0 {
        return unsafe framer.packet(endingAt: place, textByteCount: Int(run), of: looked)
      }
    }
    guard bytes.count < framer.bounds.maximum else {
      return .violation(.noDelimiter(maximum: framer.bounds.maximum))
    }
    return .needAnyMore
  }

  private mutating func passText(_ byteCount: Int) { run = UInt8(min(Int(run) + byteCount, 8)) }

  /// Whether a packet that begins like this begins with a command.
  private func isCommandFirst(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe bytes[0] == Self.commandByte && bytes[1] != Self.commandByte
  }

  /// Takes a byte of a command, or its first.
  ///
  /// - Returns: whether it was the last byte of a whole command.
  private mutating func endsCommand(_ byte: UInt8) -> Bool {
    switch mode {
    case .text: mode = .command
    case .command:
      run = 0
      switch byte {
      case Self.commandByte:
        // A byte of text; as it takes two on the wire it belongs to no delimiter.
        mode = .text
      case Self.withOption: mode = .option
      case Self.subnegotiation: mode = .sub
      default:
        mode = .text
        return true
      }
    case .option:
      mode = .text
      return true
    case .sub: if byte == Self.commandByte { mode = .subCommand }
    case .subCommand:
      mode = byte == Self.subnegotiationEnd ? .text : .sub
      return mode == .text
    }
    return false
  }
}
