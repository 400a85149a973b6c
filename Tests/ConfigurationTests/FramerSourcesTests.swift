import Framing
import Gateway
import Testing

@testable import Configuration

/// Goal: framers that a configuration names but does not define are found where it says, and what
/// is wrong with their files is told with the file's name.
@Suite struct FramerSourcesTests {
  private static let both = """
    title = "A game"
    [client_to_server]
    kind = "length-prefix"
    width = 1
    [server_to_client]
    kind = "delimiter"
    delimiter = "\\n"
    [login]
    packet = [{ field = [
      { name = "account", kind = "zero-terminated" }, { name = "secret", kind = "rest" },
    ] }]
    """

  private static func library(_ files: (name: String, text: String)...) -> FramerLibrary {
    FramerLibrary(
      files.map { .init(name: $0.name, path: "lib/\($0.name).toml", text: Array($0.text.utf8)) })
  }

  private func load(
    _ lines: String, ready: FramerLibrary, folder: FramerLibrary? = nil, top: String = ""
  ) -> ConfigurationOutcome {
    let sources = FramerSources(
      ready: { ready },
      folder: { path in
        folder.map { .success($0) } ?? .failure(.init(reason: "\(path) is not there"))
      },
      loadPlugin: { path, _, _ in
        .failure(.init(reason: "no object at \(path)", expected: "an object"))
      })
    return ConfigurationLoader.load(
      text: """
        \(top)
        [[listener]]
        address = "h:7999"
        \(lines)
        [[pool]]
        """, file: "etc/f", framers: sources)
  }

  private func listener(_ outcome: ConfigurationOutcome) throws -> ListenerConfiguration {
    guard case .loaded(let configuration, _) = outcome else {
      throw Refused(problems: problems(outcome))
    }
    return configuration.listeners[0]
  }

  private struct Refused: Error { var problems: [String] }

  private func problems(_ outcome: ConfigurationOutcome) -> [String] {
    guard case .refused(let problems) = outcome else { return [] }
    return problems.map(\.description)
  }

  private var oneByte: Framer {
    get throws { .lengthPrefix(try LengthPrefixFramer(lengthWidth: 1)) }
  }

  private var lines: Framer {
    get throws { .delimiter(try DelimiterFramer(delimiters: [[0x0a]])) }
  }

  @Test func aReadyFramerCutsBothDirections() throws {
    let found = try listener(
      load("framer = \"game\"", ready: Self.library(("game", Self.both))))
    #expect(found.framerName == "game")
    #expect(try found.clientToServer == oneByte)
    #expect(try found.serverToClient == lines)
  }

  @Test func theOtherDirectionCanBeSetByItself() throws {
    let ready = Self.library(("game", Self.both), ("flat", "kind = \"fixed\"\nsize = 3"))
    let raw = try listener(load("framer = \"game\"\nframer_to_client = \"raw\"", ready: ready))
    #expect(raw.serverToClient == .raw)
    let taken = try listener(load("framer_to_client = \"game\"", ready: ready))
    #expect(taken.clientToServer == .raw)
    #expect(try taken.serverToClient == lines)
    let flat = try listener(load("framer = \"flat\"\nframer_to_client = \"flat\"", ready: ready))
    #expect(try flat.serverToClient == .fixed(FixedFramer(size: 3)))
  }

  /// Goal: the configuration's own come first, then its folder's, then the ready-made ones.
  @Test func theNearestOfANameWins() throws {
    let ready = Self.library(("game", "kind = \"fixed\"\nsize = 1"))
    let folder = Self.library(("game", "kind = \"fixed\"\nsize = 2"))
    let own = "[framer.game]\nkind = \"fixed\"\nsize = 3\n"
    let naming = "framer_directory = \"mine\"\n"
    for (top, size) in [("", 1), (naming, 2), (naming + own, 3)] {
      let found = try listener(
        load("framer = \"game\"", ready: ready, folder: folder, top: top))
      #expect(try found.clientToServer == .fixed(FixedFramer(size: size)))
    }
  }

  @Test func problemsNameTheFileTheyAreIn() {
    let ready = Self.library(
      ("wrong", "title = 1\n[client_to_server]\nkind = \"fixed\"\nsise = 2"), ("torn", "a ="))
    #expect(
      problems(load("framer = \"wrong\"", ready: ready)) == [
        "lib/wrong.toml:1:9: error: title: found an integer; expected a string",
        "lib/wrong.toml:4:1: error: client_to_server.sise: unknown key (did you mean \"size\"?)",
      ])
    let torn = problems(load("framer = \"torn\"", ready: ready))
    #expect(torn.count == 1)
    #expect(torn.first?.hasPrefix("lib/torn.toml:1:") == true)
  }

  /// Goal: what `framer learn` prints, a table of a configuration, is a file of a definition too.
  @Test func aTableOfAConfigurationIsADefinition() throws {
    let text = "[framer.learnt.client_to_server]\nkind = \"fixed\"\nsize = 3\n"
    let file = FramerLibrary.File(name: "mine", path: "mine.toml", text: Array(text.utf8))
    let found = try FramerDefinition.load(file, loadPlugin: FramerSources.none.loadPlugin).get()
    #expect(try found.clientToServer == .fixed(FixedFramer(size: 3)))
    #expect(found.name == "mine")
  }

  /// Goal: a slip in a name is told as such, and what is right beside it is not complained of.
  @Test func misspeltDirections() {
    let ready = Self.library(
      ("a", "title = \"A\"\n[client_to_sever]\nkind = \"raw\""),
      ("b", Self.both + "\n[[vector]]\nname = \"v\"\nviolation = \"packet-to-long\""))
    #expect(
      problems(load("framer = \"a\"", ready: ready)) == [
        "lib/a.toml:2:2: error: client_to_sever: unknown table (did you mean "
          + "\"client_to_server\"?)"
      ])
    let violation = problems(load("framer = \"b\"", ready: ready))
    #expect(violation.count == 1)
    #expect(violation.first?.hasSuffix("(did you mean \"packet-too-long\"?)") == true)
  }

  @Test func whatIsNotThere() {
    let ready = Self.library(("game", Self.both))
    #expect(
      problems(load("framer = \"gaem\"", ready: ready)) == [
        "etc/f:4:10: error: listener[1].framer: no framer is named \"gaem\"; expected "
          + "\"raw\", the NAME of a [framer.NAME] table, or a ready-made framer (gatehouse framer "
          + "list shows them) (did you mean \"game\"?)"
      ])
    #expect(
      problems(load("", ready: ready, top: "framer_directory = \"mine\"")) == [
        "etc/f:1:20: error: framer_directory: \"mine\": etc/mine is not there; expected a folder "
          + "with NAME.toml files"
      ])
    #expect(
      problems(load("framer = { kind = \"plugin\", file = \"x.so\" }", ready: ready)) == [
        "etc/f:4:36: error: listener[1].framer.file: \"x.so\": no object at etc/x.so; expected an "
          + "object"
      ])
  }

  /// Goal: what is installed beside the program runs no code; the operator's own folder may.
  @Test func aReadyFramerCanNotBeAPlugin() {
    let library = Self.library(("game", "kind = \"plugin\"\nfile = \"x.so\""))
    #expect(
      problems(load("framer = \"game\"", ready: library)) == [
        "lib/game.toml:2:8: error: file: \"x.so\": a ready-made framer can't be a plugin; expected "
          + "a definition in the configuration, or in its framer_directory"
      ])
    let top = "framer_directory = \"mine\""
    #expect(
      problems(load("framer = \"game\"", ready: library, folder: library, top: top)) == [
        "lib/game.toml:2:8: error: file: \"x.so\": no object at etc/x.so; expected an object"
      ])
  }

  /// Goal: a login that came with the framer holds, unless the listener describes its own.
  @Test func theLoginComesWithTheFramer() throws {
    let ready = Self.library(("game", Self.both))
    let store = "[store]\npath = \"p\"\n"
    let auth = "framer = \"game\"\n[listener.auth]\nkind = \"password\"\n"
    let found = try listener(load(auth, ready: ready, top: store))
    #expect(found.authentication?.login.parts.first?.fields.count == 2)
    let described = auth + "packet = [{ field = [{ name = \"account\", kind = \"rest\" }] }]\n"
    #expect(problems(load(described, ready: ready, top: store)).count == 1)
    let flat = auth.replacing("game", with: "raw")
    #expect(problems(load(flat, ready: ready, top: store)).count == 2)
  }

  /// Goal: nothing is taken from what a worker sends to a client.
  @Test func clientsGetEveryByte() {
    let dropping = "kind = \"delimiter\"\ndelimiter = \"\\n\"\nkeep = false\n"
    let ready = Self.library(("lines", dropping), ("game", "[server_to_client]\n" + dropping))
    for line in ["framer_to_client = \"lines\"", "framer = \"game\""] {
      let found = problems(load(line, ready: ready))
      #expect(found.count == 1, "\(found)")
      #expect(found.first?.contains("expected keep = true") == true)
    }
    #expect(problems(load("framer = \"lines\"", ready: ready)) == [])
  }

  @Test(arguments: [
    ("80 'a b' 00*3 5D", [0x80, 0x61, 0x20, 0x62, 0, 0, 0, 0x5D]), ("", []), ("''", []),
    ("'\u{E9}' fF", [0xE9, 0xFF]), ("0A0b", [0x0A, 0x0B]), ("00*0", []),
  ])
  func bytesOfVectors(text: String, bytes: [UInt8]) {
    #expect(bytesOfVector(text) == bytes)
  }

  @Test(arguments: ["8", "8 0", "'a", "00*", "00*x", "zz", "'\u{20AC}'", "00*9999999", "00*-1"])
  func whatIsNoVector(text: String) {
    #expect(bytesOfVector(text) == nil)
  }
}
