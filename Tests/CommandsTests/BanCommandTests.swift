import Testing

@testable import Commands

@Suite struct BanCommandTests {
  @Test func aBanIsKeptFoundAndLifted() throws {
    let world = try World()
    world.expect("ban", "192.0.2.0/24", "--for", "1d", "--reason", "flooding", "--note", "n 1")
    #expect(
      world.output
        == "banned 192.0.2.0/24, until 2027-01-16T08:00:00Z, 1d from now (number 1)\n")
    world.expect("bans", "--json")
    let row = try #require(try world.objects().first)
    #expect(row["subject"] as? String == "192.0.2.0/24" && row["reason"] as? String == "flooding")
    #expect(row["note"] as? String == "n 1" && row["author"] as? String == "tester")
    #expect(row["until"] as? String == "2027-01-16T08:00:00Z")
    #expect(world.run("unban", "192.0.2.7") == 3)
    #expect(world.errors.contains("to lift that: gatehouse unban 192.0.2.0/24\n"))
    world.expect("unban", "192.0.2.0/24", "--reason", "appeal")
    #expect(world.run("bans") == 3 && world.output.isEmpty)
    world.expect("bans", "--all", "--json")
    #expect(try world.objects()[0]["lift_reason"] as? String == "appeal")
    world.expect("bans", "--history", "192.0.2.0/24", "--json")
    #expect(try world.objects().map { $0["event"] as? String } == ["lifted", "added"])
  }

  @Test func aBanEndsByItself() throws {
    let world = try World()
    world.expect("ban", "192.0.2.7", "--for", "10s")
    world.now += 9
    world.expect("bans")
    world.now += 1
    #expect(world.run("bans") == 3)
    #expect(world.run("unban", "192.0.2.7") == 3)
  }

  @Test func theAuthorIsWhoeverCalledSudo() throws {
    let world = try World()
    world.variables["SUDO_USER"] = "olga"
    world.expect("ban", "192.0.2.1")
    world.expect("ban", "192.0.2.2", "--by", "the bot")
    world.expect("bans", "--json")
    #expect(try world.objects().map { $0["author"] as? String } == ["the bot", "olga"])
  }

  @Test(arguments: [
    (["192.0.2.7/24"], "the network is 192.0.2.0/24"),
    (["192.0.2.256"], "is not an address"),
    (["nobody"], "say account:nobody if you mean it"),
    (["0.0.0.0/0"], "say --yes"), (["::/0"], "say --yes"), (["10.0.0.0/7"], "say --yes"),
    (["2000::/15"], "say --yes"),
    (["192.0.2.7", "--for", "soon"], "such as 30s"), (["192.0.2.7", "--for", "0s"], "such as 30s"),
    (["192.0.2.7", "--listener", "gaem"], "there are game"),
    (["192.0.2.7", "--reason", "a\u{1b}b"], "control characters"),
    (["192.0.2.7", "--store", "x", "--config", "y"], "not both"),
    (["account:"], "is not an account name"), ([" "], "is not an account name"),
  ])
  func wrongBansAreRefused(arguments: [String], message: String) throws {
    let world = try World()
    #expect(world.run(["ban"] + arguments) == 2)
    #expect(world.errors.contains(message), "\(world.errors)")
    #expect(world.run("bans") != 0)
  }

  @Test func farReachingBansNeedAYes() throws {
    let world = try World()
    world.expect("ban", "0.0.0.0/0", "--yes")
    world.expect("ban", "10.0.0.0/8")
    world.expect("ban", "2001::/16")
  }

  /// Goal: an account that is named like an address is never banned, or missed, by accident.
  @Test func ambiguousSubjectsAreAskedFor() throws {
    let world = try World()
    world.expect("account", "add", "192.0.2.7", "--no-password")
    #expect(world.run("ban", "192.0.2.7") == 2)
    #expect(world.errors.contains("say address:192.0.2.7 or account:192.0.2.7"))
    world.expect("ban", "address:192.0.2.7")
    world.expect("ban", "account:192.0.2.7")
    world.expect("bans", "--json")
    #expect(
      try world.objects().map { $0["subject"] as? String } == ["account:192.0.2.7", "192.0.2.7"])
    world.expect("account", "add", "anna", "--no-password")
    world.expect("ban", "ANNA")
  }

  @Test func allowancesAreKeptApart() throws {
    let world = try World()
    world.expect("allow", "192.0.2.0/24", "--note", "hall")
    world.expect("ban", "192.0.2.7")
    #expect(world.errors.contains("gatehouse unallow 192.0.2.0/24"))
    world.expect("bans", "--allowed", "--json")
    #expect(try world.objects().map { $0["effect"] as? String } == ["allow"])
    #expect(world.run("unban", "192.0.2.0/24") == 3)
    world.expect("unallow", "192.0.2.0/24")
    #expect(world.run("bans", "--allowed") == 3)
  }

  @Test func whyNamesEachBanAndWhatLiftsIt() throws {
    let world = try World()
    world.expect("ban", "192.0.2.0/24", "--listener", "game", "--note", "n")
    world.expect("ban", "192.0.2.7", "--for", "1h")
    world.expect("why", "192.0.2.7")
    #expect(world.output.contains("\n      gatehouse unban 192.0.2.0/24 --listener game\n"))
    #expect(world.output.contains("\n      gatehouse unban 192.0.2.7\n"))
    #expect(world.output.contains("  the gateway does not run\n"))
    world.expect("why", "192.0.2.7", "--json")
    let answer = try #require(try world.json() as? [String: Any])
    #expect((answer["bans"] as? [[String: Any]])?.count == 2)
    world.expect("account", "add", "it's", "--no-password")
    world.expect("account", "disable", "it's", "--reason", "a break")
    world.expect("why", "it's")
    #expect(world.output.contains("  disabled: a break\n"))
    #expect(world.output.contains(#"gatehouse account enable 'it'\''s'"#))
  }

  @Test func namesCannotMoveTheCursor() throws {
    let world = try World()
    world.expect("ban", "account:a\u{202e}b")
    for arguments in [["bans"], ["bans", "--json"], ["audit"], ["why", "account:a\u{202e}b"]] {
      #expect(world.run(arguments) == 0)
      #expect(!world.output.unicodeScalars.contains("\u{202e}"), "\(arguments)")
    }
  }

  @Test func outputThatCannotBeWrittenIsAFailure() throws {
    let world = try World()
    world.expect("ban", "192.0.2.7")
    world.outputFailure = "No space left on device"
    #expect(world.run("bans") == 1)
    #expect(
      world.errors
        == "gatehouse bans: cannot write to standard output: No space left on device\n")
    #expect(world.run("--help") == 1)
  }

  @Test func aMissingDatabaseOrConfigurationIsSaid() throws {
    let world = try World()
    #expect(world.run("bans") == 1)
    #expect(world.errors.contains("there is no database at \(world.path("gatehouse.db"))"))
    world.variables = [:]
    #expect(world.run("bans", "--config", world.path("nowhere.toml")) == 1)
    #expect(world.run("bans", "--store", world.path("nowhere.db")) == 1)
    try world.write("nothing of the kind", to: "text.db")
    #expect(world.run("ban", "192.0.2.7", "--store", world.path("text.db")) == 1)
    #expect(world.errors.contains("text.db"))
  }
}
