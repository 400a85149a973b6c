package import Primitives

/// All that tells one simulation from another; everything else follows from it.
///
/// Numbers alone, so that they can be named on the command line and made smaller one by one. Each
/// has its line in ``Knob/all``. As it is made, a scenario is a quiet world without faults, in which
/// nothing may be lost.
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

  // What the plan does, so many times a virtual minute; see ``DeedFamily``.
  package var resetsPerMinute = 0
  package var delaysPerMinute = 0
  package var partitionsPerMinute = 0
  package var crashesPerMinute = 0
  package var stallsPerMinute = 0
  package var liesPerMinute = 0
  package var pausesPerMinute = 0
  package var restartsPerMinute = 0
  package var drainsPerMinute = 0
  package var kicksPerMinute = 0
  package var listenersPerMinute = 0
  package var recordingsPerMinute = 0
  package var questionsPerMinute = 0
  package var bansPerMinute = 0
  package var diskFaultsPerMinute = 0
  /// The longest time that a fault of the plan lasts, in milliseconds.
  package var longestFaultMilliseconds = 8000

  /// Entries of the plan that are left out, in the order of ``EntryName``.
  package var without: [EntryName] = []

  package init(seed: UInt64) { self.seed = seed }

  var turnDelayMax: Interval { Interval(nanoseconds: UInt64(turnDelayMicroseconds) * 1000) }
  package var duration: Interval { .milliseconds(UInt64(milliseconds)) }
}
