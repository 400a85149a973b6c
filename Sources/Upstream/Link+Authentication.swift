public import Primitives

/// A worker is asked whether a client may come in: unary calls beside the one with the packets.
///
/// Whatever goes wrong with such a call is that call's matter alone, and the link stays up.
extension Link {
  /// How many calls may be open, or answered and not taken, at one time.
  public static let authenticationsMax = 256
  /// The longest answer, in bytes.
  static let answerBytesMax = 64 << 10
  private static let path = "/upstream.grpc.service.UpstreamPeerService/authenticate"

  struct Authentication {
    let call: UInt64
    let stream: Int32
    let deadline: Instant
    /// What came of the answer, gRPC prefix included.
    var answer: [UInt8] = []
  }

  /// Asks the worker about a client; ``takeAnswers()`` has the answer, or its failure, later.
  ///
  /// Changes ``deadline``, and leaves something to write. It is the owner's to end a call that
  /// nobody waits for any more (``cancelAuthentication(call:)``).
  ///
  /// - Parameters:
  ///   - call: the owner's number for it; unique among those that are open.
  ///   - request: see ``ContractWriter/authenticate(_:)``.
  /// - Returns: false when the worker can't be asked: it is not ready, or has as many calls as it
  ///   or the link allows. Then there will be no answer.
  public mutating func authenticate(
    call: UInt64, request: [UInt8], timeout: Interval, now: Instant
  ) -> Bool {
    // The calls for packets and life come first: one that waits for its turn looks like a dead one.
    guard phase == .active, authentications.count + answers.count < Self.authenticationsMax,
      authentications.count + 2 < http?.callsMax ?? 0
    else { return false }
    do {
      let stream = try http!.beginUnary(
        path: Self.path, authority: configuration.authority, message: request, timeout: timeout)
      authentications.append(
        Authentication(call: call, stream: stream, deadline: now + timeout))
      return true
    } catch {
      // No memory, or no stream number left: the caller asks another worker.
      return false
    }
  }

  /// Forgets a call that nobody waits for any more; there will be no answer.
  public mutating func cancelAuthentication(call: UInt64) {
    answers.removeAll { $0.call == call }
    guard let index = authentications.firstIndex(where: { $0.call == call }) else { return }
    http!.cancel(authentications[index].stream)
    authentications.remove(at: index)
  }

  /// There is something to take.
  public var hasAnswers: Bool { !answers.isEmpty }

  /// What became of calls since the last time, oldest first.
  ///
  /// Anything that happens to a link can answer calls or make them fail, its end above all. So take
  /// them after every event; a link can't be started anew before.
  public mutating func takeAnswers() -> [AuthenticateAnswer] {
    defer { answers = [] }
    return answers
  }

  // MARK: What happens to calls

  /// Takes bytes of an answer; false when the stream is another call's.
  mutating func answerArrived(_ bytes: UnsafeRawBufferPointer, on stream: Int32) -> Bool {
    guard let index = authentication(on: stream) else { return false }
    let byteCount = authentications[index].answer.count + bytes.count
    guard byteCount <= ContractWriter.prefixByteCount + Self.answerBytesMax else {
      fail(index, "the answer is longer than \(Self.answerBytesMax) bytes")
      return true
    }
    unsafe authentications[index].answer.append(contentsOf: bytes)
    return true
  }

  /// Takes the header fields or the trailers of an answer; false when the stream is another call's.
  mutating func answerFieldsArrived(_ fields: HTTP2Fields, on stream: Int32) -> Bool {
    guard let index = authentication(on: stream) else { return false }
    if fields.httpStatus != 0, fields.httpStatus != 200 {
      // 100 to 199 announce the response proper.
      if !(100..<200).contains(fields.httpStatus) {
        fail(index, "HTTP status \(fields.httpStatus)")
      }
      return true
    }
    if fields.httpStatus == 200, !fields.isGRPC {
      fail(index, "not gRPC")
      return true
    }
    switch fields.grpcStatus {
    case nil: break
    case 0?: finish(index, Self.outcome(of: authentications[index].answer))
    case let status?:
      let detail = fields.statusMessage.isEmpty ? "" : " \(fields.statusMessage)"
      fail(index, "gRPC status \(status)\(detail)")
    }
    return true
  }

  /// A stream ended without a status; false when it is another call's.
  mutating func answerEnded(on stream: Int32, _ detail: String) -> Bool {
    guard let index = authentication(on: stream) else { return false }
    fail(index, detail)
    return true
  }

  var authenticationDeadline: Instant {
    var first = Instant.distantFuture
    for open in authentications { first = min(first, open.deadline) }
    return first
  }

  mutating func endOverdueAuthentications(now: Instant) {
    while let index = authentications.firstIndex(where: { $0.deadline <= now }) {
      // Its request may not even have been sent.
      http!.cancel(authentications[index].stream)
      finish(index, .failed("deadline"), isOpen: false)
    }
  }

  /// The connection is gone.
  mutating func failAuthentications(_ problem: String) {
    for open in authentications {
      answers.append(AuthenticateAnswer(call: open.call, outcome: .failed(problem)))
    }
    authentications = []
  }

  private func authentication(on stream: Int32) -> Int? {
    authentications.firstIndex { $0.stream == stream }
  }

  private mutating func fail(_ index: Int, _ problem: String) {
    finish(index, .failed(problem))
  }

  private mutating func finish(
    _ index: Int, _ outcome: AuthenticateOutcome, isOpen: Bool = true
  ) {
    let done = authentications.remove(at: index)
    if isOpen { http!.closeAnswered(done.stream) }
    answers.append(AuthenticateAnswer(call: done.call, outcome: outcome))
  }

  private static func outcome(of answer: [UInt8]) -> AuthenticateOutcome {
    guard !answer.isEmpty else { return .failed("no answer") }
    let prefixByteCount = ContractWriter.prefixByteCount
    guard answer[0] == 0 else { return .failed("compressed answer") }
    guard answer.count >= prefixByteCount else { return .failed("malformed answer") }
    let outcome: AuthenticateOutcome? = unsafe answer.withUnsafeBytes { bytes in
      guard unsafe ContractWriter.messageByteCount(at: bytes) == bytes.count else { return nil }
      return unsafe ContractReader.authenticated(
        UnsafeRawBufferPointer(rebasing: bytes[prefixByteCount...]))
    }
    return outcome ?? .failed("malformed answer")
  }
}
