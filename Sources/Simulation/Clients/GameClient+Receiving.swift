internal import Gateway
internal import Primitives

/// What a client is sent, and how soon it reads it.
extension GameClient {
  private static let fullBytesMax = 256 << 10

  // MARK: Reading

  /// Whoever reads slowly has a small buffer, too.
  func limitReading() {
    switch stay!.plan.reading {
    case .eager: stay!.connection.toPeer.bytesMax = Self.fullBytesMax
    case .slow(let bytesMax, _): stay!.connection.toPeer.bytesMax = 2 * bytesMax + 500
    case .stalled: stay!.connection.toPeer.bytesMax = 8000
    }
  }

  /// Something came.
  func readAsPlanned() {
    guard stay != nil, stay!.isConnected || stay!.connection.phase == .reset else { return }
    switch stay!.plan.reading {
    case .eager: read(bytesMax: .max)
    case .slow(_, let pause): planReading(after: pause)
    case .stalled(let after, let until):
      let elapsed = simulation.now.since(stay!.cameAt)
      if elapsed < after || elapsed >= until ?? .seconds(.max) {
        read(bytesMax: .max)
      } else if let until {
        planReading(after: Interval(nanoseconds: until.nanoseconds - elapsed.nanoseconds))
      }
    }
  }

  func planReading(after delay: Interval) {
    guard !stay!.isReadPlanned else { return }
    stay!.isReadPlanned = true
    remind(.read, after: delay)
  }

  func readSlowly() {
    stay!.isReadPlanned = false
    guard case .slow(let bytesMax, let pause) = stay!.plan.reading else { return readAsPlanned() }
    read(bytesMax: bytesMax)
    guard let stay, stay.connection.toPeer.arrivedByteCount > 0 else { return }
    planReading(after: pause)
  }

  private func read(bytesMax: Int) {
    guard let connection = stay?.connection else { return }
    let bytes = simulation.network.read(connection, at: .peer, bytesMax: bytesMax)
    if !bytes.isEmpty {
      simulation.trace.note("client reads", number, stay!.visit, bytes.count, bytes: bytes)
      stay!.input += bytes
      takeAnswers()
    }
    guard connection.toPeer.arrivedByteCount == 0 else { return }
    if connection.phase == .reset {
      gatewayEnded(reset: true)
    } else if connection.toPeer.endArrived {
      gatewayEnded(reset: false)
    }
  }

  // MARK: Answers

  private func takeAnswers() {
    var rest = stay!.input[...]
    while let byteCount = Answer.byteCount(atFrontOf: rest), rest.count >= byteCount {
      guard take(rest.prefix(byteCount)) else { return stay!.input = [] }
      rest = rest.dropFirst(byteCount)
    }
    stay!.input = Array(rest)
  }

  /// - Returns: false when it makes no sense, which the oracle has been told.
  private func take(_ bytes: ArraySlice<UInt8>) -> Bool {
    if stay!.wasRefused {
      complain("\(bytes.count) bytes came behind a refusal")
      return false
    }
    if bytes.count < Answer.headByteCount { return take(notice: bytes) }
    guard let answer = Answer(bytes) else {
      complain("\(bytes.count) bytes came that are no answer: \(HexText.shown(bytes))")
      return false
    }
    stay!.wasGreeted = true
    simulation.oracle.received(stay!.visit, answer)
    return true
  }

  private func take(notice bytes: ArraySlice<UInt8>) -> Bool {
    switch Notice(bytes) {
    case .greeting? where game.login?.greets == true && !stay!.wasGreeted:
      stay!.wasGreeted = true
      return true
    case .closed(let reason)? where canBeTold(reason):
      stay!.wasRefused = true
      simulation.trace.note("client is told", number, stay!.visit, Int(reason.rawValue))
      simulation.oracle.told(stay!.visit, reason)
      return true
    case nil, .greeting?, .closed?:
      complain("\(bytes.count) bytes came that nobody may send: \(HexText.shown(bytes))")
      return false
    }
  }

  private func canBeTold(_ reason: CloseReason) -> Bool {
    guard reason == .answered else { return game.tells.contains(reason) }
    guard case .question = stay!.plan.login else { return false }
    return true
  }

  /// The gateway has ended the connection.
  func checkEnd(reset: Bool) {
    guard !stay!.input.isEmpty, !reset else { return }
    // What can't be written within the grace is cut off.
    guard !stay!.gateway.isFinished, !simulation.oracle.mayBeCut(stay!.visit) else { return }
    complain("the connection ended within an answer, after \(stay!.input.count) bytes of it")
  }

  private func complain(_ text: String) {
    simulation.oracle.broken(
      .answers, "client \(number), visit \(stay!.visit): \(text)",
      gateway: stay!.connection.gateway)
  }
}

extension HexText {
  /// The first bytes, for people.
  static func shown(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: text(bytes.prefix(32)), as: UTF8.self) + (bytes.count > 32 ? "…" : "")
  }
}
