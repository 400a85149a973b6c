/// Packets whose first byte says which of two rules tells their length.
extension Search {
  mutating func tryChoices() {
    // Where one rule explains all, two can't do better.
    if let best = best.first, best.score.violations == 0, best.score.total > 60 { return }
    var firsts: [UInt8: Int] = [:]
    for stream in streams.prefix(12) {
      if let lead = stream.bytes.first { firsts[lead, default: 0] += 1 }
    }
    let leads = firsts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3).map(\.key)
    let rules = choiceRules()
    for lead in leads {
      for first in rules {
        let stops = stops(Rule(.choice([Rule.Choice(leads: [lead], rule: first)])))
        guard stops.packets > 0 else { continue }
        for second in rules where second != first {
          for stop in stops.leads.prefix(2) {
            growChoice([
              Rule.Choice(leads: [lead], rule: first), Rule.Choice(leads: [stop], rule: second),
            ])
          }
        }
      }
    }
  }

  /// Lengths behind a first byte, that count in one of the usual ways.
  private func choiceRules() -> [LengthRule] {
    var rules: [LengthRule] = []
    for offset in 1...3 {
      for (width, isLittle) in [(1, false), (2, false), (2, true), (4, false), (4, true)] {
        for adjustment in [0, -(offset + width)] {
          rules.append(
            LengthRule(
              offset: offset, encoding: .binary(width: width, isLittle: isLittle),
              adjustment: adjustment))
        }
      }
    }
    return rules
  }

  /// Adds further first bytes, each to the rule that brings it farther.
  private mutating func growChoice(_ choices: [Rule.Choice]) {
    var choices = choices
    var reached = stops(Rule(.choice(choices)))
    guard reached.bytes > 0 else { return }
    for _ in 0..<6 {
      guard let lead = reached.leads.first else { break }
      var better: (choices: [Rule.Choice], stops: Stops)?
      for index in choices.indices {
        var grown = choices
        grown[index].leads.append(lead)
        let stops = stops(Rule(.choice(grown)))
        if stops.bytes > (better?.stops.bytes ?? reached.bytes) { better = (grown, stops) }
      }
      guard let better else { return }
      choices = better.choices
      reached = better.stops
    }
    attempt(Rule(.choice(choices)))
  }

  /// Where a rule finds first bytes that it does not know.
  struct Stops {
    var packets = 0
    var bytes = 0
    /// The most frequent first.
    var leads: [UInt8] = []
  }

  private func stops(_ rule: Rule) -> Stops {
    guard case .choice(let choices) = rule.shape else { return Stops() }
    var stops = Stops()
    var counts: [UInt8: Int] = [:]
    var walk = Walk()
    for stream in streams.prefix(12) {
      rule.walk(stream.bytes, cutsMax: 64, into: &walk)
      let reached = walk.reached(rule)
      stops.packets += walk.cuts.count
      stops.bytes += reached
      guard walk.end == .violation, reached < stream.bytes.count else { continue }
      let lead = stream.bytes[reached]
      guard !choices.contains(where: { $0.leads.contains(lead) }) else { continue }
      counts[lead, default: 0] += 1
    }
    stops.leads = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    return stops
  }
}
