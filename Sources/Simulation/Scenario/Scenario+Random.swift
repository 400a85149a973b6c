internal import Primitives

extension Scenario {
  /// A scenario drawn from its seed: small more often than large, calm more often than wild.
  package static func random(seed: UInt64) -> Scenario {
    var scenario = Scenario(seed: seed)
    var random = SeededRandom(seed: seed, "scenario")
    scenario.drawSizes(&random)
    scenario.drawFaults(&random)
    return scenario
  }

  private mutating func drawSizes(_ random: inout SeededRandom) {
    milliseconds = random.pick([10, 20, 30, 60, 60, 120]) * 1000
    gateways = random.pick([1, 1, 1, 1, 2, 3])
    workers = random.draw(1...5)
    clients = random.pick([3, 8, 15, 25, 25, 40, 80])
    if random.chance(150) { descriptorsForClients = max(2, clients / 2) }
    cutPermille = random.pick([0, 100, 300, 300, 600, 1000])
    turnDelayMicroseconds = random.pick([0, 50, 200, 200, 2000, 20_000])
  }

  /// None in one of six; else a few families, of which one may be wild.
  private mutating func drawFaults(_ random: inout SeededRandom) {
    longestFaultMilliseconds = random.pick([200, 2000, 8000, 8000, 20_000])
    guard !random.chance(166) else { return }
    var order = Array(DeedFamily.allCases.indices)
    random.shuffle(&order)
    for index in order.prefix(random.draw(1...5)) {
      self[keyPath: DeedFamily.allCases[index].rate] = random.pick([1, 3, 6, 12, 12, 40])
    }
  }
}
