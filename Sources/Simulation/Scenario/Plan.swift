internal import Primitives

/// What is done to a simulation and when: faults, and operators' deeds.
struct Plan {
  struct Entry {
    /// From the beginning.
    var after: Interval
    var deed: Deed
  }

  private(set) var entries: [Entry] = []

  init(_ scenario: Scenario) {}
}

/// One thing that is done to a simulation.
enum Deed {
  case nothing
}

extension Simulation {
  func perform(_ entry: Plan.Entry) {}

  /// All faults end, and time passes until everything that waited has come through.
  func calmDown() {}

  /// Clients leave, gateways shut down; nothing may be left.
  func endEverything() {}
}
