/// Deeds of one kind of person or cause, with a rate and a stream of randomness of their own.
///
/// So leaving a family out, or an entry of one, changes nothing about when the others come.
package enum DeedFamily: String, CaseIterable, Sendable {
  case resets, delays, partitions, crashes, stalls, lies, pauses, restarts, drains, kicks
  case listeners, recordings, questions, bans, diskFaults, kills

  var rate: any Knob.Path {
    switch self {
    case .resets: \.resetsPerMinute
    case .delays: \.delaysPerMinute
    case .partitions: \.partitionsPerMinute
    case .crashes: \.crashesPerMinute
    case .stalls: \.stallsPerMinute
    case .lies: \.liesPerMinute
    case .pauses: \.pausesPerMinute
    case .restarts: \.restartsPerMinute
    case .drains: \.drainsPerMinute
    case .kicks: \.kicksPerMinute
    case .listeners: \.listenersPerMinute
    case .recordings: \.recordingsPerMinute
    case .questions: \.questionsPerMinute
    case .bans: \.bansPerMinute
    case .diskFaults: \.diskFaultsPerMinute
    case .kills: \.killsPerMinute
    }
  }

  var meaning: String {
    switch self {
    case .resets: "connections of clients and workers reset from outside"
    case .delays: "paths that are dark or slow for a while"
    case .partitions: "times that a gateway reaches no worker"
    case .crashes: "workers that crash or exit, and come back"
    case .stalls: "workers that stop, read or answer nothing, are not ready, can't be reached"
    case .lies: "workers that break the contract"
    case .pauses: "times that a gateway gets no time, or no descriptors"
    case .restarts: "gateways that are ended by SIGTERM and started again"
    case .drains: "workers drained, removed and added by operators"
    case .kicks: "sessions closed by operators"
    case .listeners: "listeners removed and added"
    case .recordings: "recordings started, taken and stopped"
    case .questions: "questions of operators"
    case .bans: "bans, their ends, disabled accounts and revoked tokens"
    case .diskFaults: "times that the disk is slow, full or failing"
    case .kills: "gateways that are killed, or lose power, and are started again"
    }
  }

  var kinds: [DeedKind] {
    switch self {
    case .resets: [.resetClient, .resetClient, .resetLink]
    case .delays: [.darkenClient, .slowClient, .darkenLink, .slowLink]
    case .partitions: [.partition]
    case .crashes: [.crash, .crash, .exit]
    case .stalls: [.stop, .takeNothing, .sendNothing, .notReady, .refuse, .swallow]
    case .lies: [.lie]
    case .pauses: [.pause, .pause, .shortage]
    case .restarts: [.restart]
    case .drains: [.drain, .remove]
    case .kicks: [.kick, .kick, .kickAddress]
    case .listeners: [.closeListener, .drainListener]
    case .recordings: [.record]
    case .questions: [.ask]
    case .bans: [.ban]
    case .diskFaults: [.diskFault]
    case .kills: [.kill, .kill, .powerLoss]
    }
  }
}

/// What an entry of a plan does.
package enum DeedKind: String, CaseIterable, Sendable {
  /// A client's connection is reset from between both ends.
  case resetClient
  case resetLink
  /// Nothing gets through to a client for a while.
  case darkenClient
  case slowClient
  case darkenLink
  case slowLink
  /// A gateway reaches none of its workers for a while.
  case partition
  /// A worker's process is killed, and started again after a while.
  case crash
  /// A worker ends as a good one does, and is started again.
  case exit
  /// SIGSTOP, and SIGCONT after a while.
  case stop
  /// A worker gives no flow-control credit.
  case takeNothing
  case sendNothing
  case notReady
  /// A worker refuses new connections.
  case refuse
  /// New connections to a worker are never answered.
  case swallow
  /// A worker breaks the contract in one of many ways.
  case lie
  /// A gateway's loop gets no time.
  case pause
  /// There are no descriptors for further clients.
  case shortage
  /// SIGTERM for a gateway, and a new one in its place.
  case restart
  case drain
  case remove
  case kick
  case kickAddress
  /// A listener is removed and its sessions are closed; it is added again.
  case closeListener
  /// A listener is removed and its sessions stay; it is added again.
  case drainListener
  case record
  case ask
  case ban
  case diskFault
  /// SIGKILL for a gateway, and a new one with the same disk in its place.
  case kill
  /// All gateways are gone at once, and what the disk had not synced.
  case powerLoss
}

/// Names an entry of a plan whatever else is in the plan: `crashes.3`.
package struct EntryName: Hashable, Comparable, Sendable {
  package var family: DeedFamily
  /// Counts the family's entries from 0.
  package var index: Int

  package var text: String { "\(family.rawValue).\(index)" }

  package static func < (a: EntryName, b: EntryName) -> Bool {
    a.family == b.family ? a.index < b.index : a.family.order < b.family.order
  }
}

extension DeedFamily {
  /// Its place among all.
  var order: Int { Self.allCases.firstIndex(of: self)! }
}
