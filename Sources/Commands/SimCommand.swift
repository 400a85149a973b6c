internal import Primitives
internal import Simulation

let simCommand = Subcommand(
  words: ["sim"],
  options: [
    .seed, .seeds, .minutes, .scenario, .without, .trace, .shrink, .listScenarios,
  ] + faultOptions,
  summary: "try the gateway out in a simulated world, and check that nothing is lost",
  explanation: """
    Runs the very gateway that `gatehouse serve` runs in a world of its own: a virtual network,
    clients, workers, a database and a clock, in which everything goes wrong that can. What is
    promised is checked all the time. Nothing outside is touched, and no port is opened.

    All of it follows from a seed: the same seed gives the same digest on any machine with
    the same versions of SQLite and nghttp2. Without --seed fresh seeds are taken, and
    printed. --scenario takes a name, numbers to be changed, or both; --list shows all of
    them. A run that fails prints what is broken, the last events, and the command that runs
    it again; the exit status is then 1.
    """,
  examples: [
    "gatehouse sim --seed 7 --scenario \"quiet milliseconds=1000 clients=2\"",
    "gatehouse sim --seeds 3 --scenario \"crashes milliseconds=500 clients=2\"",
    "gatehouse sim --list",
  ], run: { try simulate($0) })

extension CommandOption {
  fileprivate static let seed = CommandOption(
    "seed", argument: "NUMBER", "the seed, and the first one of several")
  fileprivate static let seeds = CommandOption(
    "seeds", argument: "COUNT", "so many seeds, one after the other; 0 goes on until Ctrl-C")
  fileprivate static let minutes = CommandOption(
    "minutes", argument: "NUMBER", "virtual minutes of load and faults")
  fileprivate static let scenario = CommandOption(
    "scenario", argument: "TEXT", "a scenario's name, and numbers as in \"lies clients=5\"")
  fileprivate static let without = CommandOption(
    "without", argument: "LIST", "leave out faults of the plan, as in crashes.3,resets.0-4")
  fileprivate static let trace = CommandOption("trace", "print each event as it happens")
  fileprivate static let shrink = CommandOption(
    "shrink", "of a run that fails, look for a smaller one that fails alike")
  fileprivate static let listScenarios = CommandOption(
    "list", "show scenarios and their numbers, and run nothing")
}

private func simulate(_ call: Call) throws -> ExitStatus {
  if call.has(.listScenarios) {
    try call.console.write(scenarioList())
    return .done
  }
  let firstSeed = try seed(call)
  let count = try call.number(.seeds, in: 0...1_000_000_000, default: 1)
  // What is wrong with the text is said before anything runs.
  _ = try scenario(call, seed: firstSeed ?? 0)
  return try withFault(call) {
    guard count != 1 else {
      let passes = try runOne(call, seed: firstSeed ?? freshSeed(), isAlone: true)
      return passes ? .done : .failed
    }
    return try runMany(call, firstSeed: firstSeed, count: count)
  }
}

/// Seeds one after the other, until one fails.
private func runMany(_ call: Call, firstSeed: UInt64?, count: Int) throws -> ExitStatus {
  let interruption = Interruption()
  defer { interruption.end() }
  var passed = 0
  while count == 0 || passed < count {
    if interruption.comes(withinMilliseconds: 0) { break }
    let seed = firstSeed.map { $0 &+ UInt64(passed) } ?? freshSeed()
    guard try runOne(call, seed: seed, isAlone: false) else {
      try call.console.write("\(passed) seeds passed before\n")
      return .failed
    }
    passed += 1
  }
  try call.console.write("\(passed) seeds passed\n")
  return .done
}

// MARK: One run

/// - Returns: true when nothing was broken.
private func runOne(_ call: Call, seed: UInt64, isAlone: Bool) throws -> Bool {
  let scenario = try scenario(call, seed: seed)
  // Known even of a run that ends the process.
  call.console.note("\(scenario.command)")
  let report = run(scenario, shows: call.has(.trace) ? call.console : nil)
  try call.console.write(
    isAlone || !report.hasPassed ? report.text() : report.line + "\n")
  try call.console.flush()
  if !report.hasPassed, call.has(.shrink) { try shrink(report, call.console) }
  return report.hasPassed
}

private func run(_ scenario: Scenario, shows console: Console? = nil) -> Report {
  guard let console else { return Simulation(scenario).run() }
  var isWritable = true
  let trace = Trace { line in
    guard isWritable else { return }
    do {
      try console.write(line + "\n")
    } catch {
      // Said when the results are written, which fails alike.
      isWritable = false
    }
  }
  return Simulation(scenario, trace: trace).run()
}

private func shrink(_ report: Report, _ console: Console) throws {
  guard let violation = report.violations.first else { return }
  let failure = Shrinker.Failure(
    property: violation.property, after: report.time(of: violation))
  var shrinker = Shrinker(
    report.scenario, failure,
    run: { scenario in
      let report = run(scenario)
      return report.violations.first.map {
        Shrinker.Failure(property: $0.property, after: report.time(of: $0))
      }
    },
    progress: { scenario, runs in console.note("after \(runs) runs: \(scenario.command)") })
  shrinker.shrink()
  let smallest = run(shrinker.scenario)
  try console.write("\nThe smallest of \(shrinker.runs) tried:\n" + smallest.text())
  try console.flush()
}

// MARK: What was asked

private func seed(_ call: Call) throws(CommandFailure) -> UInt64? {
  guard let text = call.value(.seed) else { return nil }
  guard let seed = UInt64(text) else {
    throw CommandFailure(
      "--seed \(quoted(text)): expected a whole number from 0 to \(UInt64.max)",
      .wrongCommandLine)
  }
  return seed
}

/// Small enough to be told over the telephone.
private func freshSeed() -> UInt64 { UInt64.random(in: 0..<1 << 32) }

private func scenario(_ call: Call, seed: UInt64) throws(CommandFailure) -> Scenario {
  var scenario = Scenario.random(seed: seed)
  if let text = call.value(.scenario) {
    do throws(ScenarioError) {
      scenario = try Scenario.parse(text, seed: seed)
    } catch {
      throw CommandFailure("--scenario: \(visible(error.description))", .wrongCommandLine)
    }
  }
  if let text = call.value(.without) {
    do throws(ScenarioError) {
      scenario.leaveOut(try Scenario.entries(text))
    } catch {
      throw CommandFailure("--without: \(visible(error.description))", .wrongCommandLine)
    }
  }
  if call.has(.minutes) {
    scenario.milliseconds = try call.number(.minutes, in: 1...6000, default: 1) * 60_000
  }
  return scenario
}

private func scenarioList() -> String {
  let start = Scenario(seed: 0)
  let knobs = Knob.all.map { knob in
    (
      "\(knob.name)=\(start[keyPath: knob.path])",
      "\(knob.meaning) (\(knob.least) to \(knob.most))"
    )
  }
  return "Scenarios:\n"
    + aligned(NamedScenario.allCases.map { ($0.rawValue, $0.meaning) })
    + "\nNumbers, as they are where a scenario does not say otherwise:\n" + aligned(knobs)
    + faultList
}
