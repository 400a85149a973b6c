import Foundation
import Testing

@testable import Commands

/// Goal: secrets come in by the terminal or standard input alone, and go out nowhere.
@Suite struct AccountCommandTests {
  @Test func aPasswordIsAskedForTwice() throws {
    let world = try World()
    world.answers = ["correct horse", "correct horse"]
    world.expect("account", "add", "anna")
    #expect(world.prompts == ["New password for anna: ", "The same again: "])
    #expect(!(world.output + world.errors).contains("correct"))
    world.answers = ["one thing", "another"]
    #expect(world.run("account", "passwd", "anna") == 1)
    #expect(
      world.errors == """
        gatehouse account passwd: the two passwords are not the same; nothing was changed

        """)
    world.answers = ["abc"]
    #expect(world.run("account", "passwd", "anna") == 2)
    world.expect("store", "export")
    #expect(!world.output.contains("correct horse"))
    #expect(world.output.contains("$argon2id$"))
  }

  @Test(arguments: [
    "secret line\nsecond", "no end of line", "with cr\r\n", String(repeating: "x", count: 4096),
  ])
  func aPasswordComesByStandardInput(input: String) throws {
    let world = try World()
    world.input = Array(input.utf8)
    world.expect("account", "add", "anna", "--password-stdin")
    world.expect("account", "list")
  }

  @Test(arguments: ["", "\nx", "abc\n", String(repeating: "x", count: 4097)])
  func whatIsNoPasswordIsRefused(input: String) throws {
    let world = try World()
    world.input = Array(input.utf8)
    #expect(world.run("account", "add", "anna", "--password-stdin") == 2)
    // The database is opened, and so made, before the password is read.
    #expect(world.run("account", "list") == 3)
  }

  @Test func accountsAreListedDisabledAndRemoved() throws {
    let world = try World()
    world.expect("account", "add", "Anna", "--no-password")
    world.expect("account", "add", "bert", "--no-password")
    #expect(world.run("account", "add", "ANNA", "--no-password") == 1)
    world.expect("account", "disable", "anna", "--reason", "a break")
    world.expect("account", "list", "--json")
    let rows = try world.objects()
    #expect(rows.map { $0["name"] as? String } == ["Anna", "bert"])
    #expect(rows.map { $0["disabled"] as? Bool } == [true, false])
    world.expect("account", "enable", "anna")
    world.expect("account", "list", "--search", "BER", "--json")
    #expect(try world.objects().count == 1)
    #expect(world.run("account", "list", "--search", "%") == 3)
    #expect(world.run("account", "remove", "bert") == 2)
    world.expect("account", "remove", "bert", "--yes")
    #expect(world.run("account", "remove", "bert", "--yes") == 3)
    #expect(world.run("account", "passwd", "nobody") == 3)
    world.expect("audit", "--json")
    #expect(try world.objects()[0]["action"] as? String == "account remove")
  }

  @Test func aTokenIsShownOnce() throws {
    let world = try World()
    world.expect("account", "add", "anna", "--no-password")
    world.expect("token", "issue", "anna", "--once", "--for", "10m", "--label", "l")
    let secret = world.output.trimmingCharacters(in: .newlines)
    #expect(secret.hasPrefix("ght_") && secret.count == 47)
    #expect(!world.errors.contains(secret))
    world.expect("token", "list", "--json")
    #expect(!world.output.contains(secret))
    let row = try #require(try world.objects().first)
    #expect(row["account"] as? String == "anna" && row["once"] as? Bool == true)
    #expect(row["expires"] as? String == "2027-01-15T08:10:00Z")
    // Whoever pastes the secret instead of the number does not find it on the screen again.
    #expect(world.run("token", "revoke", secret) == 2)
    #expect(!world.errors.contains(secret))
    world.expect("token", "revoke", "1")
    #expect(world.run("token", "revoke", "1") == 3)
    #expect(world.run("token", "list") == 3)
    world.expect("token", "list", "--all")
    #expect(world.run("token", "issue", "nobody") == 3)
  }

  @Test func aSecretOfTheGamesOwnBecomesAToken() throws {
    let world = try World()
    world.expect("account", "add", "anna", "--no-password")
    world.input = Array("old secret of the game\n".utf8)
    #expect(world.run("token", "add", "anna") == 2)
    world.expect("token", "add", "anna", "--stdin")
    #expect(!(world.output + world.errors).contains("old secret"))
    world.input = Array("old secret of the game\n".utf8)
    #expect(world.run("token", "add", "anna", "--stdin") == 1)
    world.expect("token", "revoke", "--account", "anna")
    #expect(world.run("token", "revoke") == 2)
    #expect(world.run("token", "revoke", "1", "--account", "anna") == 2)
  }

  @Test func aTicketIsSignedWithAMadeKey() throws {
    let world = try World()
    let key = world.path("ticket.key")
    world.expect("ticket", "keygen", key)
    #expect(world.output.hasPrefix("ghtp_"))
    let attributes = try FileManager.default.attributesOfItem(atPath: key)
    #expect((attributes[.posixPermissions] as? Int) == 0o600)
    let secret = try world.contents(of: "ticket.key").trimmingCharacters(in: .newlines)
    #expect(secret.hasPrefix("ghts_") && !(world.output + world.errors).contains(secret))
    #expect(world.run("ticket", "keygen", key) == 1)
    world.expect("ticket", "sign", "anna", "--key", key, "--id", "web", "--audience", "game")
    #expect(world.output.hasPrefix("gh1."))
    #expect(world.run("ticket", "sign", "anna", "--key", key, "--id", "web") == 2)
    #expect(
      world.run("ticket", "sign", "anna", "--key", key, "--id", "a b", "--audience", "g") == 2)
    #expect(
      world.run(
        "ticket", "sign", "anna", "--key", world.path("gatehouse.toml"), "--id", "a",
        "--audience", "g") == 1)
    world.expect("ticket", "revoke", "anna")
  }

  @Test func aStoreIsCopiedCheckedAndMoved() throws {
    let world = try World()
    world.expect("account", "add", "anna", "--no-password")
    world.expect("ban", "192.0.2.7")
    world.expect("store", "check")
    world.expect("store", "backup", world.path("copy.db"))
    #expect(world.run("store", "backup", world.path("copy.db")) == 1)
    world.expect("bans", "--store", world.path("copy.db"))
    world.expect("store", "export", world.path("store.jsonl"))
    #expect(world.run("store", "export", world.path("store.jsonl")) == 1)
    world.expect(
      "store", "import", world.path("store.jsonl"), "--store", world.path("new.db"))
    world.expect("account", "list", "--store", world.path("new.db"), "--json")
    #expect(try world.objects().count == 1)
    world.expect("bans", "--store", world.path("new.db"))
    try world.write("{\"kind\":\"nonsense\"}\n", to: "bad.jsonl")
    #expect(world.run("store", "import", world.path("bad.jsonl")) == 1)
  }

  @Test func hashListsAreImported() throws {
    let world = try World()
    // MD5 and SHA-1 of "password".
    try world.write(
      "anna:5f4dcc3b5aa765d61d8327deb882cf99\nbert:5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8\n",
      to: "users")
    world.expect("account", "import", world.path("users"), "--dry-run")
    #expect(world.output == "would import 2, already there 0\n")
    world.expect("account", "import", world.path("users"))
    #expect(world.output == "imported 2, replaced 0, already there 0\n")
    world.expect("account", "import", world.path("users"))
    #expect(world.output == "imported 0, replaced 0, already there 2\n")
    try world.write("carl:nonsense\ndora:5f4dcc3b5aa765d61d8327deb882cf99\n", to: "bad")
    #expect(world.run("account", "import", world.path("bad")) == 1)
    #expect(world.errors.contains("line 1") && world.errors.contains("--skip-bad"))
    #expect(!world.errors.contains("nonsense"))
    world.expect("account", "import", world.path("bad"), "--skip-bad")
    #expect(world.output.hasPrefix("imported 1,"))
    #expect(world.run("account", "import", world.path("bad"), "--format", "rot13") == 2)
  }
}
