import Auth
import Framing
import Gateway
import Primitives
import Testing

@testable import Configuration

/// Goal: each kind of authentication gets its keys, and what would not work is told beforehand.
@Suite struct AuthenticationFormTests {
  private static let login = """
    packet = [{ field = [
      { name = "account", kind = "zero-terminated" }, { name = "secret", kind = "rest" },
    ] }]
    """
  private static let key = String(repeating: "5a", count: 32)

  private func text(_ auth: String, framer: String = "raw", more: String = "") -> String {
    """
    [[listener]]
    address = "0.0.0.0:7999"
    framer = { kind = "\(framer)" }
    pool = "game"
    [listener.auth]
    \(auth)
    [[pool]]
    name = "game"
    [[pool.worker]]
    address = "127.0.0.1:45888"
    [[pool]]
    name = "login"
    [[pool.worker]]
    address = "127.0.0.1:45889"
    [[listener]]
    address = "0.0.0.0:7998"
    pool = "login"
    \(more)
    """
  }

  private func authentication(_ auth: String) throws -> AuthenticationConfiguration {
    try #require(loaded(text(auth))?.listeners[0].authentication)
  }

  /// Without place and the path of the table.
  private func problemsOf(_ auth: String, more: String = "") -> [String] {
    problems(text(auth, more: more)).map { line in
      line.firstRange(of: "listener[1].auth.").map { String(line[$0.upperBound...]) } ?? line
    }
  }

  @Test func theCommonKeysAreTaken() throws {
    let auth = """
      kind = "token"
      deadline = "500ms"
      forward_first_packet = false
      duplicate_login = "replace"
      framer = { kind = "length-prefix", max = 99 }
      \(Self.login)
      """
    let listener = try #require(loaded(text(auth))?.listeners[0])
    let found = try #require(listener.authentication)
    #expect(found.kind == .token)
    #expect(found.deadline == .milliseconds(500))
    #expect(!found.forwardsFirstPacket)
    #expect(found.duplicateLogin == .replace)
    #expect(found.login.gives(.secret))
    #expect(listener.loginFramer == .lengthPrefix(try LengthPrefixFramer(packetBytesMax: 99)))
    #expect(listener.clientToServer == .raw)
    #expect(warnings(text(auth)) == [])
  }

  @Test func withoutTheTableEverybodyIsLetIn() {
    #expect(loaded(minimalText)?.listeners[0].authentication == nil)
    #expect(loaded(text("kind = \"none\""))?.listeners[0].authentication == nil)
    #expect(warnings(text("kind = \"none\"")) == [])
    #expect(
      warnings(text("kind = \"none\"\ndeadline = 5")) == [
        "f:6:8: warning: listener[1].auth.kind: everybody is let in, and the other keys of this "
          + "table mean nothing"
      ])
  }

  @Test func theKeysOfATicketAreTaken() throws {
    let found = try authentication(
      """
      kind = "ticket"
      audience = "game"
      lifetime = "1d"
      single_use = false
      keys = [
        { id = "a", public_key = "\(Self.key)" },
        { id = "b", public_key = "ghtp_\(Self.key)" },
        { id = "c", public_key = "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=" },
        { id = "d", public_key = "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo" },
      ]
      \(Self.login)
      """)
    let key = [UInt8](repeating: 0x5a, count: 32)
    var ticket = TicketConfiguration(
      keys: ["a", "b", "c", "d"].map { TicketConfiguration.Key(id: $0, publicKey: key) },
      audience: "game")
    ticket.lifetimeSecondsMax = 86_400
    ticket.singleUse = false
    #expect(found.kind == .ticket(ticket))
  }

  @Test func aWorkerOfAnotherPoolIsAsked() throws {
    let elsewhere = try authentication(
      "kind = \"worker\"\npool = \"login\"\ntimeout = \"1s\"\n\(Self.login)")
    #expect(elsewhere.kind == .worker(pool: 1, timeout: .seconds(1)))
    let here = try authentication("kind = \"worker\"\n\(Self.login)")
    #expect(here.kind == .worker(pool: 0, timeout: .seconds(3)))
  }

  /// Goal: a pool that only decides about logins is used.
  @Test func aPoolThatIsAskedIsUsed() {
    let file = text("kind = \"worker\"\npool = \"login\"\n\(Self.login)", framer: "length-prefix")
    #expect(warnings(file.replacing("pool = \"login\"\n", with: "pool = \"game\"\n")) != [])
    let one = file.split(separator: "[[listener]]")[0]
    #expect(warnings("[[listener]]" + one) == [])
  }

  @Test func aRawFramerIsAWarning() {
    let warning =
      "with the raw framer the first packet is whatever arrives first, which may be "
      + "half a login or more than one packet"
    #expect(
      warnings(text("kind = \"token\"\n\(Self.login)")) == [
        "f:5:1: warning: listener[1].auth.framer: \(warning)"
      ])
    #expect(warnings(text("kind = \"token\"\n\(Self.login)", framer: "length-prefix")) == [])
    let nothingHeld = "forward_first_packet = false\nbefore = \"refuse\"\n"
    #expect(
      warnings(
        text(
          "kind = \"token\"\nframer = \"raw\"\n\(nothingHeld)\(Self.login)",
          framer: "length-prefix"))
        == ["f:7:10: warning: listener[1].auth.framer: \(warning)"])
  }

  /// Goal: the login may have a framer of its own, unless the two can't stand behind one another.
  @Test func theLoginsFramerFitsBeforeMostOthers() {
    let lines = "kind = \"token\"\nframer = { kind = \"delimiter\", delimiter = \"x\" }\n"
    for framer in ["raw", "length-prefix"] {
      #expect(problems(text(lines + Self.login, framer: framer)) == [], "\(framer)")
    }
    let sequence =
      "\n[listener.auth.framer]\nkind = \"sequence\"\n"
      + "step = [{ until = \"authenticated\", framer = \"raw\" }, { framer = \"raw\" }]\n"
    let found = problems(text("kind = \"token\"\n" + Self.login + sequence))
    #expect(found.count == 1, "\(found)")
  }

  @Test(arguments: [
    ("", "kind: missing; expected \"none\", \"token\", \"password\", \"ticket\" or \"worker\""),
    (
      "kind = \"tokn\"",
      "kind: \"tokn\" is not one of its values; expected \"none\", \"token\", "
        + "\"password\", \"ticket\" or \"worker\" (did you mean \"token\"?)"
    ),
    (
      "kind = \"worker\"\npool = \"gaem\"",
      "pool: no pool is named \"gaem\"; expected \"game\" or "
        + "\"login\" (did you mean \"game\"?)"
    ),
    (
      "kind = \"worker\"\ntimeout = \"11s\"",
      "timeout: it is longer than the deadline of the whole "
        + "login; expected at most 10s"
    ),
    ("kind = \"token\"\naudience = \"x\"", "audience: unknown key"),
    (
      "kind = \"token\"\nduplicate_login = \"no\"",
      "duplicate_login: \"no\" is not one of its "
        + "values; expected \"allow\", \"reject\" or \"replace\""
    ),
  ])
  func whatIsWrong(auth: String, problem: String) {
    #expect(problemsOf(auth + "\n" + Self.login) == [problem])
  }

  @Test(arguments: [
    ("[]", "keys: the list is empty; expected at least one [[listener.auth.keys]]"),
    (
      "[{ id = \"a\" }]",
      "keys[1].public_key: missing; expected an Ed25519 public key: 32 bytes in "
        + "hexadecimal or base64"
    ),
    (
      "[{ id = \"a b\", public_key = \"\(key)\" }]",
      "keys[1].id: \"a b\" is not a key's id; "
        + "expected 1 to 32 letters, digits, \"-\" or \"_\""
    ),
    (
      "[{ id = \"a\", public_key = \"\(key)\" }, { id = \"a\", public_key = \"\(key)\" }]",
      "keys[2].id: another key has this id; expected an id of its own"
    ),
    (
      "[{ id = \"a\", public_key = \"\(key)00\" }]",
      "keys[1].public_key: not 32 bytes; expected an "
        + "Ed25519 public key: 32 bytes in hexadecimal or base64"
    ),
    (
      "[{ id = \"a\", public_key = \"ghts_\(key)\" }]",
      "keys[1].public_key: this is a secret key, "
        + "which belongs to whoever signs; expected an Ed25519 public key: 32 bytes in hexadecimal "
        + "or base64"
    ),
  ])
  func ticketKeysThatAreWrong(keys: String, problem: String) {
    let found = problemsOf(
      "kind = \"ticket\"\naudience = \"x\"\nkeys = \(keys)\n" + Self.login)
    #expect(found == [problem])
  }

  @Test func aTicketNeedsAnAudience() {
    let keys = "keys = [{ id = \"a\", public_key = \"\(Self.key)\" }]"
    #expect(
      problemsOf("kind = \"ticket\"\n\(keys)\n" + Self.login) == [
        "audience: missing; expected the name that tickets for this game carry"
      ])
    #expect(
      problemsOf("kind = \"ticket\"\naudience = \"\"\n\(keys)\n" + Self.login) == [
        "audience: the string is empty; expected 1 to 64 bytes"
      ])
  }

  /// Goal: a login that can't give what its kind needs is found before anybody tries to come in.
  @Test func whatTheKindNeedsMustBeInTheLogin() {
    let nothing = "packet = [{ field = [{ name = \"client\", kind = \"rest\" }] }]"
    #expect(
      problemsOf("kind = \"token\"\n" + nothing) == [
        "packet: no field of the login is the token, which kind = \"token\" needs; expected a "
          + "field with name = \"token\""
      ])
    #expect(problemsOf("kind = \"password\"\n" + nothing).count == 2)
    #expect(problemsOf("kind = \"worker\"\n" + nothing) == [])
  }

  @Test func whatTheStoreKeepsNeedsAStore() {
    let off = "[store]\nenabled = false"
    for kind in ["token", "password"] {
      #expect(
        problemsOf("kind = \"\(kind)\"\n" + Self.login, more: off) == [
          "kind: \"\(kind)\" needs the store, which store.enabled switches off; expected "
            + "\"worker\" or \"none\" without a store"
        ])
    }
    #expect(problemsOf("kind = \"worker\"\n" + Self.login, more: off) == [])
  }

  /// Goal: bytes mean the same in a login as in a framer.
  @Test func bytesOfALoginHaveTheEscapesOfAFramersBytes() throws {
    let answers = try authentication(
      #"kind = "worker"\#nanswer = [{ first_bytes = '\\a\0\xfe', reply = "b" }]"#
    ).login.answers
    #expect(answers.map(\.question) == [.stream([0x5c, 0x61, 0x00, 0xfe])])
    #expect(
      problemsOf(#"kind = "worker"\#nanswer = [{ first_bytes = '\a' }]"#) == [
        #"answer[1].first_bytes: "\a" has an unknown escape; expected "#
          + TableReader.escapesExpected
      ])
  }

  /// Goal: packets of a login fit the message that takes them to a worker.
  @Test func packetsOfTheLoginFitAMessage() {
    #expect(
      problems(
        text(
          "kind = \"worker\"\nframer = { kind = \"length-prefix\", max = \"5MiB\" }\n\(Self.login)")
      )
        == [
          "f:5:1: error: listener[1].auth.framer: its packets of up to 5MiB do not fit "
            + "limits.message_size, which is 4MiB; expected message_size to be at least 256 bytes "
            + "more than the framer's max"
        ])
  }
}
