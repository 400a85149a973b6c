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

  // Workers' programs and habits.
  /// Workers that ask for SESSION_EVENTS, of a thousand.
  package var workersSessionEventsPermille = 500
  /// Workers to which `ready` is UNIMPLEMENTED, of a thousand; they get no session events.
  package var workersWithoutReadyPermille = 100
  /// Workers to which `live` is UNIMPLEMENTED, of a thousand.
  package var workersWithoutLivePermille = 100
  /// Workers with HTTP/2 windows of about 1 MiB instead of 16 MiB, of a thousand.
  package var workersSmallWindowPermille = 300
  /// Packets that get no answer, of a thousand.
  package var workersSilentPermille = 100
  /// Packets that get more than one answer, of a thousand.
  package var workersSeveralPermille = 100
  /// The most answers that one packet gets; at least 2.
  package var workersAnswersMax = 4
  /// What few answers come near to, in bytes; 14 to 65,535.
  package var workersAnswerBytesMax = 10_000
  /// Answers of up to 65,535 bytes, of a thousand.
  package var workersLargeAnswerPermille = 2
  /// Answers that take some time, of a thousand.
  package var workersLatePermille = 300
  /// How long those take on the average, in milliseconds.
  package var workersDelayMilliseconds = 5
  /// Answers that take very long, of a thousand.
  package var workersVeryLatePermille = 0
  /// How long those take at the most, in milliseconds.
  package var workersVeryLateMilliseconds = 3000
  /// New sessions that are greeted by a worker with SESSION_EVENTS, of a thousand.
  package var workersGreetPermille = 500
  /// The mean time between two answers of a worker that nobody asked for, in milliseconds; 0 is
  /// never.
  package var workersUnpromptedMilliseconds = 2000
  /// The mean time between two broadcasts of a worker, in milliseconds; 0 is never.
  package var workersBroadcastMilliseconds = 10_000
  /// Calls of `authenticate` that are answered late, of a thousand.
  package var workersAuthenticateLatePermille = 300
  /// How late those are on the average, in milliseconds.
  package var workersAuthenticateDelayMilliseconds = 50
  /// Calls of `authenticate` that end with an error, of a thousand.
  package var workersAuthenticateErrorPermille = 0
  /// Calls of `authenticate` that are never answered, of a thousand.
  package var workersAuthenticateSilentPermille = 0

  package init(seed: UInt64) { self.seed = seed }

  var turnDelayMax: Interval { Interval(nanoseconds: UInt64(turnDelayMicroseconds) * 1000) }
}
