import Primitives
import Testing

@testable import Simulation

/// Goal: what is printed of a scenario is the scenario.
@Suite struct ScenarioTests {
  /// A scenario in which each number is drawn.
  private func wild(_ random: inout SeededRandom) -> Scenario {
    var scenario = Scenario(seed: random.next())
    for knob in Knob.all where random.chance(500) {
      scenario[keyPath: knob.path] = random.draw(knob.least...knob.most)
    }
    for _ in 0..<random.draw(0...12) {
      let family = random.pick(DeedFamily.allCases)
      let first = random.draw(0...30)
      scenario.leaveOut(
        (first...first + random.draw(0...4)).map { EntryName(family: family, index: $0) })
    }
    return scenario
  }

  @Test func everyNumberHasAKnob() {
    let properties = Mirror(reflecting: Scenario(seed: 0)).children.compactMap(\.label)
    let knobs = Knob.all.map(\.name)
    #expect(Set(knobs).count == knobs.count)
    #expect(Set(properties) == Set(knobs).union(["seed", "without"]))
  }

  @Test func aKnobTurnsTheNumberOfItsName() {
    for knob in Knob.all {
      var scenario = Scenario(seed: 0)
      #expect(scenario[keyPath: knob.path] >= knob.least, "\(knob.name)")
      #expect(scenario[keyPath: knob.path] <= knob.most, "\(knob.name)")
      #expect(!knob.meaning.isEmpty)
      scenario[keyPath: knob.path] = 4711
      for (label, value) in Mirror(reflecting: scenario).children {
        if let number = value as? Int { #expect((number == 4711) == (label == knob.name)) }
      }
    }
  }

  @Test func someSeedOrNameTurnsEachNumber() {
    let scenarios =
      (0..<2000).map { Scenario.random(seed: UInt64($0)) }
      + NamedScenario.allCases.map { $0.scenario(seed: 1) }
    for knob in Knob.all {
      let values = Set(scenarios.map { $0[keyPath: knob.path] })
      #expect(values.count > 1, "\(knob.name) is always the same")
    }
  }

  @Test func whatIsPrintedIsReadAgain() throws {
    var random = SeededRandom(seed: 3)
    for _ in 0..<200 {
      let scenario = wild(&random)
      #expect(try Scenario.parse(scenario.text, seed: scenario.seed) == scenario)
    }
    #expect(Scenario(seed: 7).text == "")
    #expect(try Scenario.parse("", seed: 7) == Scenario(seed: 7))
  }

  @Test func aCommandRunsItAgain() throws {
    var random = SeededRandom(seed: 4)
    var scenarios = (0..<50).map { _ in wild(&random) }
    scenarios += NamedScenario.allCases.map { $0.scenario(seed: 12) }
    for scenario in scenarios {
      let words = scenario.command.split(separator: " ", maxSplits: 4).map(String.init)
      #expect(words.prefix(3) == ["gatehouse", "sim", "--seed"])
      #expect(UInt64(words[3]) == scenario.seed)
      guard words.count > 4 else {
        #expect(scenario == Scenario.random(seed: scenario.seed))
        continue
      }
      let text = words[4].dropFirst("--scenario \"".count).dropLast()
      #expect(try Scenario.parse(String(text), seed: scenario.seed) == scenario)
    }
    #expect(Scenario.random(seed: 5).command == "gatehouse sim --seed 5")
    #expect(
      NamedScenario.lies.scenario(seed: 5).command
        == "gatehouse sim --seed 5 --scenario \"lies\"")
  }

  @Test func namesAndNumbersGoTogether() throws {
    let scenario = try Scenario.parse("crashes clients=3 seed=9 without=crashes.1-2", seed: 1)
    var expected = NamedScenario.crashes.scenario(seed: 9)
    expected.clients = 3
    expected.without = [1, 2].map { EntryName(family: .crashes, index: $0) }
    #expect(scenario == expected)
  }

  @Test func wrongTextsAreNamed() {
    let table: [(text: String, error: ScenarioError)] = [
      ("earthquakes", .unknownName("earthquakes")),
      ("quiet crashes", .unknownName("crashes")),
      ("clints=3", .unknownKnob("clints")),
      ("=3", .unknownKnob("")),
      ("clients=many", .notANumber(knob: "clients", text: "many")),
      ("clients=", .notANumber(knob: "clients", text: "")),
      ("seed=-1", .notANumber(knob: "seed", text: "-1")),
      ("workers=0", .outOfRange(knob: "workers", least: 1, most: 64)),
      ("workers=99999999999999999999", .notANumber(knob: "workers", text: "99999999999999999999")),
      ("clients=3 clients=3", .twice("clients")),
      ("without=", .notAnEntry("")),
      ("without=crashes", .notAnEntry("crashes")),
      ("without=storms.1", .notAnEntry("storms.1")),
      ("without=crashes.2-1", .notAnEntry("crashes.2-1")),
      ("without=crashes.1-2-3", .notAnEntry("crashes.1-2-3")),
      ("without=crashes.-1", .notAnEntry("crashes.-1")),
      ("without=crashes.0-9999999", .notAnEntry("crashes.0-9999999")),
      ("without=crashes.1,,lies.2", .notAnEntry("")),
      (String(repeating: "a", count: Scenario.textBytesMax + 1), .tooLong),
    ]
    for (text, error) in table {
      #expect(throws: error, "\(text.prefix(40))") { try Scenario.parse(text, seed: 0) }
    }
  }

  @Test func seedsDrawDifferentScenariosAndSomeAreCalm() {
    let scenarios = (0..<200).map { Scenario.random(seed: UInt64($0)) }
    #expect(Set(scenarios.map(\.text)).count > 150)
    let calm = scenarios.count { scenario in
      DeedFamily.allCases.allSatisfy { scenario[keyPath: $0.rate] == 0 }
    }
    #expect(calm > 10 && calm < 80)
    for family in DeedFamily.allCases {
      #expect(scenarios.contains { $0[keyPath: family.rate] > 0 }, "\(family)")
    }
    for scenario in scenarios + NamedScenario.allCases.map({ $0.scenario(seed: 1) }) {
      for knob in Knob.all {
        let value = scenario[keyPath: knob.path]
        #expect(value >= knob.least && value <= knob.most, "\(knob.name)=\(value)")
      }
    }
  }
}
