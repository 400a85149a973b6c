import Testing

@testable import Commands

@Suite struct BanListCommandTests {
  private let list = "192.0.2.0/24 ; SBL1\n198.51.100.7\naccount:mallory\n2001:db8::/32\n"

  @Test func aListIsImportedOnce() throws {
    let world = try World()
    try world.write(list, to: "list")
    world.expect("ban", "import", world.path("list"), "--dry-run")
    #expect(world.output == "would add 4, already there 0 (format plain)\n")
    world.expect("ban", "import", world.path("list"), "--for", "1d", "--reason", "r", "--note", "n")
    #expect(world.output == "added 4, already there 0 (format plain)\n")
    world.expect("ban", "import", world.path("list"))
    #expect(world.output == "added 0, already there 4 (format plain)\n")
    world.expect("bans", "--search", "SBL1", "--json")
    let row = try #require(try world.objects().first)
    #expect(row["note"] as? String == "SBL1" && row["reason"] as? String == "r")
    #expect(row["until"] as? String == "2027-01-16T08:00:00Z")
    world.input = Array("203.0.113.1\n203.0.113.1\n".utf8)
    world.expect("ban", "import", "-")
    #expect(world.output == "added 1, already there 1 (format plain)\n")
  }

  @Test func aBadLineStopsAllUnlessItMayBeLeftOut() throws {
    let world = try World()
    world.input = Array("192.0.2.7\nnonsense\n".utf8)
    #expect(world.run("ban", "import", "-") == 1)
    #expect(world.errors.contains("-: line 2: \"nonsense\""))
    #expect(world.run("bans") == 1)
    world.input = Array("192.0.2.7\nnonsense\n".utf8)
    world.expect("ban", "import", "-", "--skip-bad")
    #expect(world.output == "added 1, already there 0, left out 1 bad (format plain)\n")
    world.input = Array("0.0.0.0/1\n".utf8)
    #expect(world.run("ban", "import", "-") == 1)
    #expect(world.errors.contains("say --yes"))
    #expect(world.run("ban", "import", "-", "--format", "xml") == 2)
    #expect(world.run("ban", "import", world.path("nowhere")) == 1)
  }

  /// Goal: what is exported is imported as it was.
  @Test(arguments: ["plain", "csv", "json", "p2p", "dat"])
  func exportsAreRead(format: String) throws {
    let world = try World()
    world.input = Array(list.utf8)
    world.expect("ban", "import", "-")
    world.expect(
      "ban", "203.0.113.0/28", "--for", "1d", "--reason", "a \"b\", c", "--listener", "game")
    let file = world.path("exported")
    world.expect("ban", "export", "--format", format, file)
    #expect(world.run("ban", "export", file) == 1)
    let isWhole = format == "csv" || format == "json"
    world.expect("ban", "import", file, "--store", world.path("other.db"))
    #expect(world.output.hasSuffix("(format \(format))\n"))
    world.expect("bans", "--store", world.path("other.db"), "--json")
    let rows = try world.objects()
    #expect(rows.count == (format == "p2p" || format == "dat" ? 3 : 5))
    let limited = try #require(rows.first { $0["subject"] as? String == "203.0.113.0/28" })
    #expect((limited["reason"] as? String == "a \"b\", c") == isWhole)
    #expect((limited["until"] as? String == "2027-01-16T08:00:00Z") == isWhole)
    #expect((limited["listener"] as? String == "game") == isWhole)
    #expect(rows.contains { $0["note"] as? String == "SBL1" })
  }

  @Test func anExportThatFailsLeavesNothing() throws {
    let world = try World()
    world.expect("ban", "192.0.2.7")
    world.outputFailure = "Broken pipe"
    #expect(world.run("ban", "export") == 1)
    #expect(world.run("ban", "export", world.path("no/such/folder")) == 1)
  }
}
