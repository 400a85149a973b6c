internal import Primitives

/// All that tells one simulation from another; everything else follows from it.
///
/// Numbers alone, so that they can be named on the command line and made smaller one by one.
package struct Scenario: Equatable, Sendable {
  package var seed: UInt64
  /// How long faults and load last, in virtual milliseconds; then all must calm down.
  package var milliseconds = 60_000

  // Sizes.
  package var gateways = 1
  package var workers = 3
  package var clients = 20
  package var descriptorsForClients = 1000

  // The network and the system.
  /// System calls that move only a part, of a thousand.
  package var cutPermille = 300
  /// The longest time between something happening and the loop's turn, in microseconds.
  package var turnDelayMicroseconds = 200

  package init(seed: UInt64) { self.seed = seed }

  var turnDelayMax: Interval { Interval(nanoseconds: UInt64(turnDelayMicroseconds) * 1000) }
}
