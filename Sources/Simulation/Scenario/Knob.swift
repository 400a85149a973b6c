/// A number of a scenario that can be turned, from the command line or to find a smaller failure.
package struct Knob: Sendable {
  package typealias Path = WritableKeyPath<Scenario, Int> & Sendable

  /// That of the scenario's property.
  package let name: String
  package let path: any Path
  /// The value that makes a run as small and quiet as this number can.
  package let least: Int
  package let most: Int
  package let meaning: String

  init(_ name: String, _ path: any Path, _ range: ClosedRange<Int>, _ meaning: String) {
    self.name = name
    self.path = path
    least = range.lowerBound
    most = range.upperBound
    self.meaning = meaning
  }
}

extension Knob {
  /// One for each number of a scenario, in its order.
  package static let all: [Knob] = sizes + network + deeds

  static func named(_ name: String) -> Knob? { all.first { $0.name == name } }

  private static let sizes = [
    Knob("milliseconds", \.milliseconds, 1...360_000_000, "how long load and faults last"),
    Knob("gateways", \.gateways, 1...16, "gateways, which share workers and database"),
    Knob("workers", \.workers, 1...64, "workers' processes"),
    Knob("clients", \.clients, 0...100_000, "players' programs"),
    Knob(
      "descriptorsForClients", \.descriptorsForClients, 1...1_000_000,
      "connections that a gateway may have with clients"),
  ]

  private static let network = [
    Knob("cutPermille", \.cutPermille, 0...1000, "system calls that move only a part, of 1000"),
    Knob(
      "turnDelayMicroseconds", \.turnDelayMicroseconds, 0...1_000_000,
      "the longest time until a gateway's loop wakes up"),
  ]

  private static let deeds =
    DeedFamily.allCases.map { family in
      Knob(
        "\(family.rawValue)PerMinute", family.rate, 0...6000,
        "a virtual minute: \(family.meaning)")
    } + [
      Knob(
        "longestFaultMilliseconds", \.longestFaultMilliseconds, 10...600_000,
        "the longest time that a fault lasts")
    ]
}
