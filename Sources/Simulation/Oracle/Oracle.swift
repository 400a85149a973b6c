internal import Auth
internal import Gateway
internal import Primitives

/// Keeps account of everything that was said, and says when a property is broken.
final class Oracle {
  unowned var simulation: Simulation!
  private(set) var violations: [Violation] = []
  var hasFailed: Bool { !violations.isEmpty }

  init(_ scenario: Scenario, _ games: [Game]) {}

  func broken(_ property: Property, _ text: String, gateway: Int? = nil) {
    violations.append(
      Violation(property: property, at: simulation.now, gateway: gateway, text: text))
  }

  // MARK: What gateways do

  func accepted(_ connection: Connection, uuid: SessionUUID, by gateway: VirtualGateway) {}
  /// Turned away at the door, without a session.
  func refused(_ connection: Connection, by gateway: VirtualGateway) {}
  func gatewayRead(_ bytes: ArraySlice<UInt8>, from connection: Connection) {}
  func gatewaySawEnd(of connection: Connection) {}
  func gatewayClosed(_ connection: Connection, _ manner: ClosingManner) {}
  func verdict(_ verdict: LoginVerdict, for session: SessionID, at gateway: VirtualGateway) {}
  func logged(_ event: LogEvent, by gateway: VirtualGateway) {}
  func answered(_ token: UInt64, _ reply: Reply, by gateway: VirtualGateway) {}
  /// After each turn of a gateway's loop.
  func turnEnded(_ gateway: VirtualGateway) {}
  /// Ten times a second.
  func check() {}

  // MARK: What clients do

  /// - Returns: the visit's number; the first is 0.
  func began(_ visit: Visit) -> Int { 0 }
  /// A whole packet goes into the client's output; the first is number 0.
  func willSend(_ visit: Int, packet number: Int) {}
  /// So many further bytes of a raw game's visit go into the client's output.
  func willSend(_ visit: Int, rawByteCount: Int) {}
  /// From here on what the client sends is garbage.
  func willViolate(_ visit: Int) {}
  /// It has ended its direction behind all that it sent.
  func clientEnded(_ visit: Int) {}
  /// It has closed its socket.
  func clientLeft(_ visit: Int, byReset: Bool) {}
  func received(_ visit: Int, _ answer: Answer) {}
  /// A refusal in the game's bytes.
  func told(_ visit: Int, _ reason: CloseReason) {}
  /// The gateway closed.
  func sawEnd(_ visit: Int, reset: Bool) {}
  func isOver(_ visit: Int) -> Bool { false }

  // MARK: What workers do

  func visit(of uuid: String) -> Int? { nil }
  /// - Returns: the packet stream's number; the first is 1.
  func opened(worker: Int, gateway: Int, sessionEvents: Bool) -> Int { 0 }
  func handled(_ request: WorkerRequest, on stream: Int) {}
  /// What the gateway had written wholly and nobody will handle; told when the gateway has closed.
  func lost(_ requests: [WorkerRequest], on stream: Int) {}
  /// HTTP/2 has taken an answer.
  func willAnswer(_ answer: Answer, to uuid: String, on stream: Int) {}
  func willBroadcast(_ answer: Answer, audience: UInt8, on stream: Int) {}
  /// - Parameter losesAnswers: the gateway may not have read all of its answers.
  func ended(_ stream: Int, losesAnswers: Bool) {}

  // MARK: What operators do

  /// A ban is in the database; its subject is an account's name, an address or a network, as
  /// `gatehouse ban` takes them.
  func banned(_ subject: String) {}
  func unbanned(_ subject: String) {}

  // MARK: At the end

  /// What still waits, in words; empty once everything has come through.
  func settled() -> [String] { [] }
}
