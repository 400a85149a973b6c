/// A number of a scenario that can be turned, from the command line or to find a smaller failure.
package struct Knob: Sendable {
  package typealias Path = WritableKeyPath<Scenario, Int> & Sendable

  /// What a search for a smaller failure makes of it.
  enum Calm {
    /// The least value makes a run as small and quiet as this number can.
    case least
    /// The value of a new scenario does: a bound, or a time between two events.
    case standard
  }

  /// That of the scenario's property.
  package let name: String
  package let path: any Path
  package let least: Int
  package let most: Int
  /// The value that makes a run small and quiet.
  let calm: Int
  package let meaning: String

  init(
    _ name: String, _ path: any Path, _ range: ClosedRange<Int>, _ meaning: String,
    calm: Calm = .least
  ) {
    self.name = name
    self.path = path
    least = range.lowerBound
    most = range.upperBound
    switch calm {
    case .least: self.calm = range.lowerBound
    case .standard: self.calm = Scenario(seed: 0)[keyPath: path]
    }
    self.meaning = meaning
  }

  static func named(_ name: String) -> Knob? { all.first { $0.name == name } }
}
