public import Primitives

/// One TCP connection of a capture.
public struct CapturedStream: Equatable, Sendable {
  /// Counts from 1 in the order in which a capture has them.
  public var number: Int
  public var client: SocketAddress
  public var server: SocketAddress
  /// When its first packet was captured, in nanoseconds since 1970.
  public var startedAt: UInt64
  /// The capture has its beginning; otherwise who is the client is a guess.
  public var isFromStart: Bool

  public init(
    number: Int, client: SocketAddress, server: SocketAddress, startedAt: UInt64,
    isFromStart: Bool = true
  ) {
    self.isFromStart = isFromStart
    self.number = number
    self.client = client
    self.server = server
    self.startedAt = startedAt
  }
}

/// What is known of one direction of a connection when it is over.
public struct CapturedDirectionEnd: Equatable, Sendable {
  /// Its first bytes were captured: the connection did not begin before the capture.
  public var isFromStart: Bool
  /// Segments are missing; what comes behind the first missing byte was left out.
  public var isCut: Bool
  /// Its sender has ended it, and all of it was captured.
  public var isEnded: Bool

  public init(isFromStart: Bool = true, isCut: Bool = false, isEnded: Bool = false) {
    self.isFromStart = isFromStart
    self.isCut = isCut
    self.isEnded = isEnded
  }
}

/// What becomes of the connections of a capture, in order.
public enum CaptureEvent: Equatable, Sendable {
  case opened(CapturedStream)
  /// The next bytes of a direction, and when they were captured: nanoseconds since 1970.
  case bytes(stream: Int, CaptureDirection, ArraySlice<UInt8>, time: UInt64)
  case ended(stream: Int, client: CapturedDirectionEnd, server: CapturedDirectionEnd)
}
