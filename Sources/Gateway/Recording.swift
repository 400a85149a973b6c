public import Primitives

/// Names a recording of a shard; a number is used once.
public struct RecordingID: Hashable, Sendable {
  public var rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// What is to be recorded, and how much of it.
public struct RecordingRequest: Equatable, Sendable {
  public static let bytesRange = 1024...1 << 30
  /// A session's mark has 16 bits for its number.
  public static let sessionsRange = 1...1024
  public static let secondsRange: ClosedRange<UInt64> = 1...3600

  public var listener: String
  /// What is recorded of all sessions together, in bytes; within ``bytesRange``.
  public var bytesMax = 16 << 20
  /// Within ``sessionsRange``.
  public var sessionsMax = 64
  /// Whole seconds within ``secondsRange``.
  public var duration = Interval.seconds(60)
  /// Sessions of these addresses alone; nil means all.
  public var client: AddressPrefix?

  public init(listener: String) { self.listener = listener }
}

/// Why a recording is over.
public enum RecordingEnd: String, Sendable, CaseIterable {
  /// Its time is.
  case time
  /// It has as many bytes as it may have.
  case bytes
  /// It had as many sessions as it may have, and they are over.
  case sessions
  /// Somebody stopped it.
  case stopped
  /// Nobody took what was recorded.
  case abandoned
  /// Its listener was removed, and the last session is over.
  case listenerRemoved = "listener-removed"
}

/// How far a recording has come.
public struct RecordingSummary: Equatable, Sendable {
  public var id: RecordingID
  public var listener: String
  public var sessions = 0
  /// Sessions whose recording has ended before they did, for want of room for what nobody took.
  public var sessionsCut = 0
  /// Bytes of clients and for clients.
  public var bytes: UInt64 = 0
  /// Nil while it goes on.
  public var end: RecordingEnd?

  public init(id: RecordingID, listener: String) {
    self.id = id
    self.listener = listener
  }
}

/// Something that happened to a recorded session.
public struct RecordedEvent: Equatable, Sendable {
  public enum Kind: Sendable {
    case opened
    /// Bytes came from the client.
    case fromClient
    /// The client was given bytes.
    case toClient
    /// The client has ended its direction.
    case clientEnded
    case closed
  }

  public var kind: Kind
  /// Its place in ``RecordedBatch/clients``.
  public var session: Int
  /// Of the batch's bytes, behind those of the events before; 0 for other kinds.
  public var byteCount: Int
  public var unixMilliseconds: UInt64
  /// Recorded bytes of the client before this.
  public var clientBytes: UInt64
  /// Recorded bytes for the client before this.
  public var serverBytes: UInt64
  public var clientHasEnded: Bool
}

/// What was recorded since the last batch was taken.
public struct RecordedBatch: Equatable, Sendable {
  /// Of the listener; of an address that is no number, the port alone counts.
  public var server: SocketAddress
  /// The client of every session that was recorded, also of those without an event here.
  public var clients: [SocketAddress]
  public var events: [RecordedEvent]
  public var bytes: [UInt8]
  /// No batch was taken before.
  public var isFirst: Bool
  public var summary: RecordingSummary

  /// Nothing is here and nothing will come.
  public var isEnd: Bool { summary.end != nil && events.isEmpty }
}

/// A session's place in a recording; in the session itself, so that a packet needs no look-up.
struct RecordingMark: BitwiseCopyable {
  static let none = RecordingMark(slot: .max, number: 0)
  /// The recording is at the door.
  static let elsewhere = RecordingMark(slot: .max - 1, number: 0)

  var slot: UInt8
  var number: UInt16

  @inline(__always)
  var isSet: Bool { slot != .max }
}

/// One recording: what was asked for, and what waits to be taken.
struct Recording {
  /// What may wait to be taken, in bytes, each event counting for ``eventBytes`` more.
  static let waitingBytesMax = 8 << 20
  static let eventBytes = 64
  /// A recording that nobody has taken from for so long is over.
  static let abandonedAfter = Interval.seconds(10)

  private struct RecordedSession {
    var id: SessionID
    var clientBytes: UInt64 = 0
    var serverBytes: UInt64 = 0
    var clientHasEnded = false
  }

  let request: RecordingRequest
  let listener: Int
  let server: SocketAddress
  let deadline: Instant
  private(set) var summary: RecordingSummary
  private var takenAt: Instant
  private var sessions: [RecordedSession] = []
  private var clients: [SocketAddress] = []
  private var openSessions = 0
  private var events: [RecordedEvent] = []
  private var bytes: [UInt8] = []
  private var wasTaken = false

  init(
    _ request: RecordingRequest, id: RecordingID, listener: Int, server: SocketAddress,
    now: Instant
  ) {
    self.request = request
    self.listener = listener
    self.server = server
    deadline = now + request.duration
    takenAt = now
    summary = RecordingSummary(id: id, listener: request.listener)
  }

  var isRunning: Bool { summary.end == nil }

  /// When it is abandoned unless somebody takes something.
  var abandonedAt: Instant { takenAt + Self.abandonedAfter }

  /// When something is to be done about it.
  var nextDeadline: Instant { isRunning ? min(deadline, abandonedAt) : abandonedAt }

  /// What waits to be taken, in bytes, each event counting for ``eventBytes``.
  var waitingByteCount: Int { bytes.count + events.count * Self.eventBytes }

  /// The sessions that were recorded.
  var sessionIDs: [SessionID] { sessions.map(\.id) }

  /// Whether a new session of this listener and client belongs into it.
  func takes(listener: Int, client: SocketAddress) -> Bool {
    isRunning && listener == self.listener && sessions.count < request.sessionsMax
      && request.client?.contains(client) ?? true
  }

  /// - Returns: the session's number.
  mutating func begin(_ id: SessionID, client: SocketAddress, at time: UInt64) -> UInt16 {
    sessions.append(RecordedSession(id: id))
    clients.append(client)
    openSessions += 1
    summary.sessions += 1
    _ = append(.opened, sessions.count - 1, 0, time)
    return UInt16(sessions.count - 1)
  }

  /// Notes what happened to a session.
  ///
  /// - Returns: false when the session is not recorded any further.
  mutating func note(
    _ kind: RecordedEvent.Kind, _ number: UInt16, _ new: UnsafeRawBufferPointer, at time: UInt64
  ) -> Bool {
    let session = Int(number)
    let kept = min(new.count, request.bytesMax - Int(summary.bytes))
    guard append(kind, session, kept, time) else {
      summary.sessionsCut += 1
      closeSession()
      return false
    }
    unsafe bytes.append(contentsOf: new.prefix(kept))
    summary.bytes += UInt64(kept)
    switch kind {
    case .fromClient: sessions[session].clientBytes += UInt64(kept)
    case .toClient: sessions[session].serverBytes += UInt64(kept)
    case .clientEnded: sessions[session].clientHasEnded = true
    case .closed: closeSession()
    case .opened: break
    }
    if summary.bytes >= UInt64(request.bytesMax) { end(.bytes) }
    return true
  }

  /// A session is recorded no further, for want of room on its way.
  mutating func cut() {
    summary.sessionsCut += 1
    closeSession()
  }

  mutating func end(_ reason: RecordingEnd) {
    if isRunning { summary.end = reason }
  }

  /// Hands out what waits.
  mutating func take(now: Instant) -> RecordedBatch {
    takenAt = now
    defer {
      wasTaken = true
      events = []
      bytes = []
    }
    return RecordedBatch(
      server: server, clients: clients, events: events, bytes: bytes, isFirst: !wasTaken,
      summary: summary)
  }

  private mutating func closeSession() {
    openSessions -= 1
    if openSessions == 0, sessions.count == request.sessionsMax { end(.sessions) }
  }

  private mutating func append(
    _ kind: RecordedEvent.Kind, _ session: Int, _ byteCount: Int, _ time: UInt64
  ) -> Bool {
    // Openings are few; without its opening a session could not be read.
    let added = byteCount + Self.eventBytes
    guard waitingByteCount + added <= Self.waitingBytesMax || kind == .opened else {
      return false
    }
    events.append(
      RecordedEvent(
        kind: kind, session: session, byteCount: byteCount, unixMilliseconds: time,
        clientBytes: sessions[session].clientBytes, serverBytes: sessions[session].serverBytes,
        clientHasEnded: sessions[session].clientHasEnded))
    return true
  }
}
