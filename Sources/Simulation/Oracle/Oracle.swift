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
}
