/// Packets whose opcode says how long they are.
public struct TableFramer: Equatable, Sendable {
  /// How long the packets of an opcode are.
  public enum Length: Equatable, Sendable {
    /// So many bytes, the opcode included.
    case fixed(Int)
    /// What a field of the packet says.
    case field(PlainLength)
  }

  /// What packets with an opcode that the table does not have are.
  public enum Unknown: Equatable, Sendable {
    case violation
    case field(PlainLength)
    /// They, and all that follows in their direction, can't be cut.
    case raw
  }

  public struct Entry: Equatable, Sendable {
    public let opcode: UInt16
    public let length: Length

    public init(opcode: UInt16, length: Length) {
      self.opcode = opcode
      self.length = length
    }
  }

  public static let entriesMax = 4_096

  /// Where the opcode stands; 1 or 2 bytes wide.
  public let opcode: LengthField
  /// Sorted by opcode, each of which occurs once.
  public let entries: [Entry]
  public let unknown: Unknown
  public let packetBytesMax: Int

  /// - Parameters:
  ///   - entries: 1 to 4,096; fixed sizes from the opcode's end to `packetBytesMax`.
  ///   - packetBytesMax: up to 64 MiB; bounds what length fields announce, too.
  public init(
    opcode: LengthField, entries: [Entry], unknown: Unknown = .violation,
    packetBytesMax: Int = 65_536
  ) throws(FramerDefinitionError) {
    guard opcode.width <= 2 else {
      throw FramerDefinitionError(key: "width", expected: "1 or 2")
    }
    guard (1...Self.entriesMax).contains(entries.count) else {
      throw FramerDefinitionError(key: "sizes", expected: "1 to \(Self.entriesMax) opcodes")
    }
    _ = try PacketBounds(
      minimum: nil, maximum: packetBytesMax, least: opcode.end, of: "the opcode's end")
    let sorted = entries.sorted { $0.opcode < $1.opcode }
    for (index, entry) in sorted.enumerated() {
      let shown = "0x\(String(entry.opcode, radix: 16))"
      if index > 0 && sorted[index - 1].opcode == entry.opcode {
        throw FramerDefinitionError(key: "sizes", expected: "opcode \(shown) only once")
      }
      guard opcode.width == 2 || entry.opcode <= 0xFF else {
        throw FramerDefinitionError(key: "sizes", expected: "no \(shown), with a width of 1")
      }
      guard case .fixed(let size) = entry.length else { continue }
      guard size >= opcode.end, size <= packetBytesMax else {
        throw FramerDefinitionError(
          key: "sizes",
          expected: "from \(opcode.end) to the \(packetBytesMax) bytes of `max` for \(shown)")
      }
    }
    self.opcode = opcode
    self.entries = sorted
    self.unknown = unknown
    self.packetBytesMax = packetBytesMax
  }
}

/// A ``TableFramer`` as the packet path uses it.
@safe
@usableFromInline
struct TableLayout: BitwiseCopyable {
  struct Entry: BitwiseCopyable {
    var opcode: UInt16
    /// The whole packet's bytes; 0 when a field says them.
    var size: UInt32
    /// Which of the fields it is, if one says the size.
    var field: UInt16
  }

  var opcode: LengthField
  var entries: UnsafeBufferPointer<Entry>
  /// Where each opcode of one byte stands among the entries, plus 1; 0 for unknown ones.
  ///
  /// Empty for opcodes of two bytes.
  var places: UnsafeBufferPointer<UInt16>
  var fields: UnsafeBufferPointer<PlainLength>
  /// Which field says the size of unknown opcodes; nil when none does.
  var unknownField: UInt16?
  /// The stage that goes on with the stream at an unknown opcode; 0 when there is none.
  var unknownStage: UInt8

  /// - Returns: nil when the rest of the stream is raw.
  func step(_ bytes: UnsafeRawBufferPointer) -> PacketCutter.Step? {
    guard bytes.count >= opcode.end else { return .needMore(totalBytes: opcode.end) }
    let found = UInt16(truncatingIfNeeded: unsafe opcode.read(bytes))
    guard let entry = entry(of: found) else {
      if let unknownField { return unsafe fields[Int(unknownField)].step(bytes) }
      return unknownStage > 0 ? nil : .violation(.unknownOpcode(found))
    }
    guard entry.size > 0 else { return unsafe fields[Int(entry.field)].step(bytes) }
    let size = Int(entry.size)
    return bytes.count >= size
      ? .packet(byteCount: size, dropped: 0) : .needMore(totalBytes: size)
  }

  private func entry(of opcode: UInt16) -> Entry? {
    if Int(opcode) < (unsafe places.count) {
      let place = unsafe places[Int(opcode)]
      return place == 0 ? nil : unsafe entries[Int(place) - 1]
    }
    return searched(opcode)
  }

  /// A binary search: tables of opcodes of two bytes are sparse, and their entries few.
  private func searched(_ opcode: UInt16) -> Entry? {
    var low = 0
    var high = unsafe entries.count
    while low < high {
      let middle = (low + high) / 2
      let entry = unsafe entries[middle]
      if entry.opcode == opcode { return entry }
      if entry.opcode < opcode { low = middle + 1 } else { high = middle }
    }
    return nil
  }
}
