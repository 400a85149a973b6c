internal import Primitives

/// A player's program at the far end of the network: connects, plays, leaves, comes again.
final class GameClient {
  unowned let simulation: Simulation
  let number: Int

  init(_ simulation: Simulation, number: Int) {
    self.simulation = simulation
    self.number = number
  }

  func start() {}
  /// What was put into the queue as `.client(number)`.
  func act() {}
  func arrived(_ kind: Arrival.Kind, on connection: Connection) {}
}
