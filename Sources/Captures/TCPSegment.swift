public import Primitives

/// One TCP segment (RFC 9293 section 3.1) as a capture has it.
public struct TCPSegment: Equatable, Sendable {
  public struct Flags: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let finish = Flags(rawValue: 1)
    public static let synchronize = Flags(rawValue: 2)
    public static let reset = Flags(rawValue: 4)
    public static let acknowledge = Flags(rawValue: 16)
  }

  public var source: SocketAddress
  public var destination: SocketAddress
  public var sequence: UInt32
  public var acknowledgement: UInt32
  public var flags: Flags
  public var payload: ArraySlice<UInt8>
  /// Nanoseconds since 1970.
  public var time: UInt64

  public init(
    source: SocketAddress, destination: SocketAddress, sequence: UInt32,
    acknowledgement: UInt32 = 0, flags: Flags = [.acknowledge], payload: ArraySlice<UInt8> = [],
    time: UInt64 = 0
  ) {
    self.source = source
    self.destination = destination
    self.sequence = sequence
    self.acknowledgement = acknowledgement
    self.flags = flags
    self.payload = payload
    self.time = time
  }
}
