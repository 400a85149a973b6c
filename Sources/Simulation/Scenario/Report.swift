package import Primitives

/// How a simulation went.
package struct Report {
  package let scenario: Scenario
  package let violations: [Violation]
  /// Virtual time from the beginning to the end, or to the first violation.
  package let elapsed: Interval
  package let eventCount: Int
  package let digest: UInt64
  /// Deeds that were done, with how often; those that never were are left out.
  package let deeds: [(kind: DeedKind, count: Int)]
  /// What clients and workers did, in figures.
  package let summary: String
  /// The last events, a line each.
  package let lastLines: [String]
  private let start: Instant

  package var hasPassed: Bool { violations.isEmpty }

  init(_ simulation: Simulation) {
    scenario = simulation.scenario
    violations = simulation.oracle.violations
    elapsed = simulation.elapsed
    eventCount = simulation.eventCount
    digest = simulation.trace.digest
    start = simulation.start
    deeds = zip(DeedKind.allCases, simulation.deeds.counts).filter { $0.1 > 0 }
      .map { (kind: $0.0, count: $0.1) }
    summary = simulation.oracle.summary.lines.map { "\($0.name) \($0.count)" }
      .joined(separator: ", ")
    lastLines = simulation.trace.lastLines
  }

  /// When a violation was found, counted from the beginning.
  package func time(of violation: Violation) -> Interval { violation.at.since(start) }

  /// One line: the seed, how it went, and the digest.
  package var line: String {
    let outcome = violations.first.map { "BROKEN: \($0.property.rawValue)" } ?? "passed"
    let seconds = ElapsedTime.text(elapsed).drop { $0 == " " }
    return "seed \(scenario.seed): \(outcome), \(seconds) s, \(eventCount) events, "
      + "digest \(hexadecimal(digest))"
  }

  /// All of it, for a person; ends with a line break.
  ///
  /// - Parameter lineCount: so many of the last events are shown of a run that failed.
  package func text(lineCount: Int = 40) -> String {
    var text = line + "\n"
    let settings = scenario.text
    text += "scenario: \(settings.isEmpty ? "as it is made" : settings)\n"
    if !summary.isEmpty { text += summary + "\n" }
    let done = deeds.map { "\($0.kind.rawValue) \($0.count)" }.joined(separator: ", ")
    text += "deeds: \(done.isEmpty ? "none" : done)\n"
    guard !hasPassed else { return text }
    text += "\nThe last events:\n"
    for line in lastLines.suffix(lineCount) { text += "  \(line)\n" }
    text += "\n"
    for violation in violations {
      let gateway = violation.gateway.map { ", gateway \($0)" } ?? ""
      text +=
        "BROKEN: \(violation.property.rawValue) at \(ElapsedTime.text(time(of: violation))) s"
        + "\(gateway): \(violation.text)\n"
    }
    text += "\nAgain: \(scenario.command)\n"
    return text
  }
}
