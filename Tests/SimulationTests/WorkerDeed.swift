import Primitives

@testable import Simulation

/// One of the things that can be done to a worker.
enum WorkerDeed: CaseIterable {
  case crash, restart, stop, go, exit, ready, reachability, takesPackets, sendsAnswers, broadcast
  case becomeNormal, lie

  /// Lies, and what ends other deeds, are more likely.
  static func draw(_ random: inout SeededRandom) -> WorkerDeed {
    random.pick(allCases + [.go, .restart, .becomeNormal, .becomeNormal, .lie, .lie])
  }

  func perform(on worker: WorkerProcess, _ random: inout SeededRandom) {
    switch self {
    case .crash: worker.crash()
    case .restart: worker.restart()
    case .stop: worker.stop()
    case .go: worker.go()
    case .exit: worker.exitGracefully()
    case .ready: worker.setReady(random.chance(500))
    case .reachability: worker.setReachability(random.pick([.accepts, .refuses, .swallows]))
    case .takesPackets: worker.setTakesPackets(random.chance(500))
    case .sendsAnswers: worker.setSendsAnswers(random.chance(500))
    case .broadcast: worker.broadcast()
    case .becomeNormal: worker.becomeNormal()
    case .lie: worker.lie(random.pick(Lie.allCases))
    }
  }
}
