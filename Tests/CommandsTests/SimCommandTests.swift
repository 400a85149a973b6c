import Primitives
import Simulation
import Testing

@testable import Commands

/// Goal: `gatehouse sim` says what it ran, so that anybody can run it again.
@Suite struct SimCommandTests {
  private let small = "quiet milliseconds=300 clients=2"

  @Test func aSeedRunsTheSameWayTwice() throws {
    let world = try World()
    #expect(world.run(["sim", "--seed", "4", "--scenario", small]) == 0)
    let first = world.output
    #expect(first.hasPrefix("seed 4: passed, "))
    #expect(first.contains("digest "))
    #expect(world.run(["sim", "--seed", "4", "--scenario", small]) == 0)
    #expect(world.output == first)
    #expect(world.errors == "gatehouse sim --seed 4 --scenario \"milliseconds=300 clients=2\"\n")
  }

  @Test func withoutASeedAFreshOneIsSaid() throws {
    let world = try World()
    #expect(world.run(["sim", "--scenario", small]) == 0)
    let command = world.errors.split(separator: " ").map(String.init)
    #expect(command.prefix(3) == ["gatehouse", "sim", "--seed"])
    #expect(world.output.hasPrefix("seed \(command[3]): passed"))
  }

  @Test func theListHasEveryScenarioAndNumber() throws {
    let world = try World()
    #expect(world.run(["sim", "--list"]) == 0)
    for name in NamedScenario.allCases.map(\.rawValue) + Knob.all.map(\.name) {
      #expect(world.output.contains("  \(name)"), "\(name)")
    }
  }

  @Test func wrongOptionsAreNamed() throws {
    let world = try World()
    for (arguments, said) in [
      (["--seed", "many"], "--seed"), (["--seeds", "-1"], "--seeds"),
      (["--scenario", "storms"], "storms"), (["--without", "crashes"], "crashes"),
      (["--minutes", "0"], "--minutes"),
    ] {
      #expect(world.run(["sim"] + arguments) == 2)
      #expect(world.errors.contains(said))
      #expect(world.output == "")
    }
  }

  /// Goal: a build that has faults can have one, by a name that it knows.
  @Test func aFaultIsPutBackForARun() throws {
    let world = try World()
    let scenario = "quiet milliseconds=1000 clients=3 arrivals=2"
    #expect(
      world.run(["sim", "--seed", "1", "--scenario", scenario, "--fault", "loseClientWakeUp"]) == 1)
    #expect(world.output.contains("BROKEN: driver"))
    #expect(world.run(["sim", "--seed", "1", "--scenario", scenario]) == 0)
    #expect(world.run(["sim", "--fault", "loseEverything"]) == 2)
    #expect(world.run(["sim", "--list"]) == 0)
    let list = world.output
    #expect(world.run(["sim", "--fault", "loseEverything"]) == 2)
    for fault in Fault.allCases {
      #expect(list.contains("  \(fault.rawValue)\n"))
      #expect(world.errors.contains(fault.rawValue))
    }
  }
}
