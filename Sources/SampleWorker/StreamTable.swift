/// The calls of one connection and what happened on them.
///
/// A class because nghttp2 keeps its address as user data: the callbacks write here.
final class StreamTable {
  let limits: ServerConnection.Limits
  private var streams: [Int32: ServerStream] = [:]
  /// Events in the order in which they came.
  private var arrivedEvents: [ServerConnection.Event] = []
  /// Older events, the next one last.
  private var nextEvents: [ServerConnection.Event] = []
  /// Bytes of messages that nghttp2 has not fetched, over all streams.
  private(set) var waitingBytes = 0
  /// True once more events waited than ``ServerConnection/Limits/events``.
  private(set) var overflowed = false

  init(limits: ServerConnection.Limits) {
    self.limits = limits
  }

  /// Calls that are not finished, in ascending order.
  var openStreams: [Int32] {
    streams.keys.filter { reply(of: $0) == .notStarted || reply(of: $0) == .open }.sorted()
  }

  /// The oldest event; with `stream`, the oldest that is not of that call.
  func popEvent(passingOver stream: Int32? = nil) -> ServerConnection.Event? {
    if nextEvents.isEmpty {
      nextEvents = arrivedEvents.reversed()
      arrivedEvents = []
    }
    guard let stream else { return nextEvents.popLast() }
    if let index = nextEvents.lastIndex(where: { $0.stream != stream }) {
      return nextEvents.remove(at: index)
    }
    guard let index = arrivedEvents.firstIndex(where: { $0.stream != stream }) else { return nil }
    return arrivedEvents.remove(at: index)
  }

  private func push(_ event: ServerConnection.Event) {
    guard arrivedEvents.count + nextEvents.count < limits.events else {
      overflowed = true
      return
    }
    arrivedEvents.append(event)
  }

  // MARK: The request

  func begin(_ stream: Int32) {
    streams[stream] = ServerStream(messageBytesMax: limits.messageBytes)
  }

  func setHead(_ field: WritableKeyPath<ServerStream.Head, String>, _ value: String, of id: Int32) {
    guard streams[id]?.isAnnounced == false else { return }
    streams[id]?.head[keyPath: field] = value
  }

  enum OnHead: Equatable {
    /// A gRPC call, announced as an event.
    case announced
    /// Answer with this HTTP status, and nothing else.
    case refuse(httpStatus: String)
    /// Trailers, or nothing known: no answer.
    case ignore
  }

  /// The request's head is complete.
  func headReceived(_ id: Int32) -> OnHead {
    guard let stream = streams[id], !stream.isAnnounced else { return .ignore }
    streams[id]?.isAnnounced = true
    guard stream.head.method == "POST" else { return refuse(id, httpStatus: "405") }
    guard stream.head.isGRPC else { return refuse(id, httpStatus: "415") }
    push(.opened(stream: id, path: stream.head.path))
    return .announced
  }

  private func refuse(_ id: Int32, httpStatus: String) -> OnHead {
    streams[id]?.ignoresInput = true
    streams[id]?.reply = .finished
    return .refuse(httpStatus: httpStatus)
  }

  enum OnData: Equatable {
    /// The bytes are kept, or were thrown away already: give back this much window.
    case took(creditBytes: Int)
    /// The same, and the call is to be ended.
    case failed(GRPCStatus, String, creditBytes: Int)
  }

  /// DATA of a request; whole messages become events.
  func dataReceived(_ id: Int32, _ chunk: UnsafeBufferPointer<UInt8>) -> OnData {
    guard streams[id]?.ignoresInput == false else { return .took(creditBytes: chunk.count) }
    let before = streams[id]?.assembler.pendingBytes ?? 0
    var announcedBytes = 0
    do throws(MessageAssembler.Failure) {
      try unsafe streams[id]?.assembler.append(chunk) { message in
        announcedBytes += MessageAssembler.prefixBytes + message.count
        push(.message(stream: id, bytes: message))
      }
      return .took(creditBytes: 0)
    } catch {
      streams[id]?.ignoresInput = true
      // Everything but the messages that wait as events.
      let credit = before + chunk.count - announcedBytes
      streams[id]?.assembler = MessageAssembler(messageBytesMax: 0)
      switch error {
      case .compressed: return .failed(.unimplemented, "no compression here", creditBytes: credit)
      case .tooLong: return .failed(.resourceExhausted, "message too long", creditBytes: credit)
      }
    }
  }

  /// The request ended; false when it did so in the middle of a message.
  func inputEnded(_ id: Int32) -> Bool {
    guard streams[id]?.ignoresInput == false else { return true }
    streams[id]?.ignoresInput = true
    guard streams[id]?.assembler.pendingBytes == 0 else { return false }
    push(.ended(stream: id))
    return true
  }

  /// The stream is gone; returns how much of the connection's window it still held, in bytes.
  func closed(_ id: Int32) -> Int {
    guard let stream = streams.removeValue(forKey: id) else { return 0 }
    waitingBytes -= stream.waitingBytes
    // A refused request was never announced as a call, so nobody waits for its end.
    if stream.isAnnounced && stream.head.method == "POST" && stream.head.isGRPC {
      push(.closed(stream: id))
    }
    return stream.assembler.pendingBytes
  }

  // MARK: The reply

  func reply(of id: Int32) -> ServerStream.Reply? { streams[id]?.reply }

  func setReply(_ reply: ServerStream.Reply, of id: Int32) {
    streams[id]?.reply = reply
  }

  func enqueue(_ bytes: [UInt8], on id: Int32) {
    guard streams[id] != nil else { return }
    streams[id]?.enqueue(bytes)
    waitingBytes += bytes.count
  }

  func setDeferred(_ id: Int32) {
    streams[id]?.isDeferred = true
  }

  /// Returns whether nghttp2 had been told to wait.
  func clearDeferred(_ id: Int32) -> Bool {
    guard streams[id]?.isDeferred == true else { return false }
    streams[id]?.isDeferred = false
    return true
  }

  /// Moves waiting bytes of a reply into `buffer`; nil when the stream is not known.
  func dequeue(_ id: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    guard let count = unsafe streams[id]?.dequeue(into: buffer) else { return nil }
    waitingBytes -= count
    return count
  }

  /// True when every byte of the reply was fetched.
  func isDrained(_ id: Int32) -> Bool { streams[id]?.waitingBytes == 0 }
}
