internal import Primitives

/// Scenarios that have a name: each shows one side of the gateway's life.
package enum NamedScenario: String, CaseIterable, Sendable {
  case random
  case quiet
  case resets
  case delays
  case partitions
  case crashes
  case stalls
  case lies
  case drains
  case pauses
  case shutdown
  case operators
  case cuts
  case crowd
  case gateways
  case everything

  package var meaning: String {
    switch self {
    case .random: "drawn from the seed: sizes, and a few families of faults or none"
    case .quiet: "no faults: nothing may be lost"
    case .resets: "connections are reset from outside"
    case .delays: "paths go dark or slow for a while"
    case .partitions: "gateways reach no worker for a while"
    case .crashes: "workers crash, exit and come back"
    case .stalls: "workers stop, take or answer nothing, are not ready, can't be reached"
    case .lies: "workers break the contract"
    case .drains: "workers are drained, removed and added"
    case .pauses: "gateways get no time, or no descriptors"
    case .shutdown: "gateways are ended by SIGTERM and started again"
    case .operators: "sessions kicked, listeners removed and added, recordings, questions"
    case .cuts: "no system call moves all that it could"
    case .crowd: "many clients"
    case .gateways: "three gateways share workers"
    case .everything: "all faults and all operators at once"
    }
  }

  package func scenario(seed: UInt64) -> Scenario {
    var scenario = Scenario(seed: seed)
    switch self {
    case .random: return .random(seed: seed)
    case .quiet: break
    case .resets: scenario.resetsPerMinute = 60
    case .delays: scenario.delaysPerMinute = 20
    case .partitions: scenario.partitionsPerMinute = 6
    case .crashes: scenario.crashesPerMinute = 12
    case .stalls: scenario.stallsPerMinute = 12
    case .lies: scenario.liesPerMinute = 12
    case .drains: scenario.drainsPerMinute = 12
    case .pauses: scenario.pausesPerMinute = 20
    case .shutdown: scenario.restartsPerMinute = 4
    case .operators:
      scenario.kicksPerMinute = 20
      scenario.listenersPerMinute = 6
      scenario.recordingsPerMinute = 6
      scenario.questionsPerMinute = 30
    case .cuts: scenario.cutPermille = 1000
    case .crowd: scenario.clients = 400
    case .gateways:
      scenario.gateways = 3
      scenario.clients = 60
    case .everything:
      scenario.cutPermille = 500
      for family in DeedFamily.allCases { scenario[keyPath: family.rate] = 3 }
    }
    return scenario
  }
}
