import Auth
import Framing
import Gateway
import JSON
import Primitives
import Testing

@testable import Configuration

/// A configuration for listeners to be added to.
private let base = """
  [[listener]]
  name = "game"
  address = "127.0.0.1:7999"
  pool = "main"
  [framer.lines]
  kind = "delimiter"
  delimiter = "\\n"
  [[pool]]
  name = "main"
  [[pool]]
  name = "lobby"
  [management]
  address = "127.0.0.1:8000"
  [limits]
  message_size = "64KiB"
  """

private func reader(_ text: String = base) throws -> ListenerReader {
  ListenerReader(try #require(loaded(text)), text: Array(text.utf8), file: "f")
}

private func read(
  _ json: String, beside neighbours: [ListenerReader.Neighbour] = [], in text: String = base
) throws -> ListenerReader.Outcome {
  try reader(text).read(
    try JSONValue(parsing: Array(json.utf8)), origin: .runtime, beside: neighbours)
}

private func listener(_ json: String, in text: String = base) throws -> ListenerConfiguration? {
  guard case .read(let listener, _) = try read(json, in: text) else { return nil }
  return listener
}

private func complaints(
  _ json: String, beside neighbours: [ListenerReader.Neighbour] = []
) throws -> [String] {
  guard case .refused(let problems) = try read(json, beside: neighbours) else { return [] }
  return problems.map(\.text)
}

/// Goal: a listener that is added is read as one of the file is.
@Suite struct ListenerReaderTests {
  @Test func keysAreThoseOfTheFile() throws {
    let made = try #require(
      try listener(
        """
        {"name": "arena", "address": "[::1]:7171", "pool": "lobby", "framer": "lines",
         "idle_timeout": "5m", "limits": {"concurrent_per_address": 3},
         "refusal": {"listener-removed": "bye"}}
        """))
    #expect(made.name == "arena")
    #expect(made.host == "::1")
    #expect(made.port == 7171)
    #expect(made.pool == 1)
    #expect(made.framerName == "lines")
    #expect(made.idleTimeout == .seconds(300))
    #expect(made.limits.concurrentPerAddress == 3)
    #expect(made.refusals.keys.contains(.listenerRemoved))
    #expect(made.origin == .runtime)
    #expect(made.clientToServer != .raw)
  }

  @Test func withoutANameItIsCalledAfterItsPort() throws {
    let made = try listener(#"{"address": "0.0.0.0:7171", "pool": "main"}"#)
    #expect(made?.name == "listener-7171")
  }

  @Test func itsOwnFramersGoBeforeTheConfigurations() throws {
    let json = """
      {"address": "0.0.0.0:7171", "pool": "main", "framer": "lines", "framers": {
        "lines": {"kind": "length-prefix", "max": 1000}}}
      """
    let own = try #require(try listener(json))
    let theirs = try #require(
      try listener(#"{"address": "0.0.0.0:7171", "pool": "main", "framer": "lines"}"#))
    #expect(own.framerName == "lines")
    #expect(own.clientToServer != theirs.clientToServer)
  }

  /// Goal: everything that is wrong comes at once, by key.
  @Test func allProblemsComeAtOnce() throws {
    let json = """
      {"name": "a b", "adress": "0.0.0.0:1", "pool": "mian", "framer": "own", "keepalive": null,
       "auth": {"kind": "tocken"}, "framers": {"own": {"kind": "delimiter"}}, "idle_timeout": 1.5}
      """
    var found = try complaints(json)
    found.removeAll { $0.hasPrefix("framers.own.delimiter: missing") }
    #expect(try complaints(json).count == found.count + 1)
    #expect(
      found == [
        "adress: unknown key (did you mean \"address\"?)",
        "auth.kind: \"tocken\" is not one of its values; expected \"none\", \"token\", "
          + "\"password\", \"ticket\" or \"worker\" (did you mean \"token\"?)",
        "idle_timeout: found a float; expected a duration such as \"10s\", or a whole number of "
          + "seconds",
        "keepalive: null is no value; expected a value, or no such key",
        "name: \"a b\" is not a name; expected 1 to 64 letters, digits, \"-\", \"_\" or \".\"",
        "pool: no pool is named \"mian\"; expected \"main\" or \"lobby\" (did you mean \"main\"?)",
      ])
  }

  @Test(arguments: [
    ("[]", ": found an array; expected an object: a listener's keys"),
    ("7", ": found a whole number; expected an object: a listener's keys"),
  ]) func whatIsNoTableIsRefused(json: String, problem: String) throws {
    #expect(try complaints(json) == [String(problem.dropFirst(2))])
  }

  /// Goal: who holds the management token can't make the gateway load any object on its disk.
  @Test(arguments: [
    #""framer": {"kind": "plugin", "file": "x.so"}"#,
    #""framer": "mine", "framers": {"mine": {"kind": "plugin", "file": "x.so"}}"#,
    #""framer_to_client": {"kind": "plugin", "file": "x.so"}"#,
  ])
  func pluginsCanNotBeNamed(framer: String) throws {
    let found = try complaints(#"{"address": "127.0.0.1:7171", "pool": "main", \#(framer)}"#)
    #expect(found.count == 1)
    #expect(found.first?.contains("a plugin can't be named here") == true, "\(found)")
  }

  /// Goal: a plugin that is gone since the start does not make a listener raw.
  @Test func aFramerThatCanNotBeReadAgainIsSaid() throws {
    let text = base + "\n[framer.gone]\nkind = \"plugin\"\nfile = \"gone.so\"\n"
    let reader = ListenerReader(try #require(loaded(base)), text: Array(text.utf8), file: "f")
    let json = #"{"address": "127.0.0.1:7171", "pool": "main", "framer": "gone"}"#
    let outcome = reader.read(
      try JSONValue(parsing: Array(json.utf8)), origin: .runtime, beside: [])
    guard case .refused(let problems) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(
      problems.map(\.text) == [
        "framer: the configuration's framer \"gone\" can't be read any more; expected one that "
          + "gatehouse check finds nothing wrong with"
      ])
  }

  @Test(arguments: [
    ("127.0.0.1", 7999 as UInt16, true, true), ("0.0.0.0", 7999, true, true),
    ("127.0.0.2", 7999, false, false), ("localhost", 7999, false, true),
    ("::", 7999, false, false), ("127.0.0.1", 7998, false, false),
    ("localhost", 7998, false, false),
  ]) func whoIsInTheWay(host: String, port: UInt16, surely: Bool, perhaps: Bool) {
    let neighbour = ListenerReader.Neighbour(
      name: "game", host: "127.0.0.1", port: 7999, description: "")
    #expect(neighbour.collides(host: host, port: port) == surely)
    #expect(neighbour.mayCollide(host: host, port: port) == perhaps)
  }

  @Test func namesAndAddressesThatAreTaken() throws {
    let neighbours = [
      ListenerReader.Neighbour(
        name: "game", host: "0.0.0.0", port: 7999, description: "listener \"game\""),
      ListenerReader.Neighbour(
        name: nil, host: "127.0.0.1", port: 8000, description: "the management API"),
    ]
    #expect(
      try complaints(
        #"{"name": "game", "address": "127.0.0.1:7999", "pool": "main"}"#, beside: neighbours)
        == [
          "address: 127.0.0.1:7999 is taken by listener \"game\", which is at 0.0.0.0:7999; "
            + "expected an address or a port of its own",
          "name: \"game\" is taken by listener \"game\"; expected a name of its own",
        ])
    #expect(
      try complaints(#"{"address": "0.0.0.0:8000", "pool": "main"}"#, beside: neighbours).count == 1
    )
    #expect(
      try complaints(#"{"address": "[::1]:8000", "pool": "main"}"#, beside: neighbours).isEmpty)
  }

  @Test func packetsHaveToFitMessages() throws {
    let found = try complaints(
      """
      {"address": "0.0.0.0:7171", "pool": "main",
       "framer": {"kind": "length-prefix", "max": 65536}}
      """)
    #expect(found.count == 1)
    #expect(found[0].hasPrefix("framer: its packets of up to 64KiB do not fit"))
  }

  /// Goal: whatever is sent is either right, or has problems that can be shown.
  ///
  /// Method: seeded values under keys that exist, and some that do not.
  @Test func anyJSONIsReadOrRefused() throws {
    let reader = try reader()
    var generator = SeededRandom(seed: 11)
    let keys = [
      "name", "address", "pool", "framer", "framer_to_client", "auth", "limits", "refusal", "kind",
      "packet", "framers", "lines", "keepalive", "idle_timeout", "default", "\u{1}\n", "text",
    ]
    let texts = [
      "main", "0.0.0.0:7171", "lines", "token", "length-prefix", "", "\u{0}\u{1b}[31m", "{account}",
      "1s", "own", "delimiter",
    ]
    func value(_ depth: Int) -> JSONValue {
      switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &generator) {
      case 0: .null
      case 1: .integer(Int64.random(in: -2...70_000, using: &generator))
      case 2: .bool(Bool.random(using: &generator))
      case 3: .real(0.5)
      case 4, 5: .string(texts.randomElement(using: &generator)!)
      case 6: .array((0..<2).map { _ in value(depth - 1) })
      default: object(depth - 1)
      }
    }
    func object(_ depth: Int) -> JSONValue {
      let chosen = keys.shuffled(using: &generator).prefix(4)
      return .object(chosen.map { JSONValue.Member($0, value(depth)) })
    }
    var read = 0
    for round in 0..<3_000 {
      var json = object(4)
      // Half of them have what is needed.
      if round % 2 == 0, case .object(var members) = json {
        members.removeAll { ["address", "pool"].contains($0.name) }
        members.append(JSONValue.Member("address", .string("0.0.0.0:7171")))
        members.append(JSONValue.Member("pool", .string("main")))
        json = .object(Array(members.suffix(round % 4 == 0 ? 3 : 6)))
      }
      switch reader.read(json, origin: .runtime, beside: []) {
      case .read(let listener, _):
        read += 1
        #expect(listener.port == 7171 && !listener.name.isEmpty)
      case .refused(let problems):
        #expect(!problems.isEmpty)
        for problem in problems {
          #expect(!problem.text.utf8.contains { $0 < 0x20 }, "\(problem.text)")
        }
      }
    }
    #expect(read > 10)
  }

  /// Goal: whatever file is right, each of its listeners could have been added.
  ///
  /// Method: the example and seeded mutations of it; the table becomes JSON and is read again.
  @Test func aListenerOfAnyFileCanBeAdded() throws {
    let example = Array(try contents(of: "gatehouse.example.toml").utf8)
    var generator = SeededRandom(seed: 7)
    var compared = 0
    for round in 0..<600 {
      var text = example
      for _ in 0..<(round % 4) {
        let at = Int.random(in: text.indices, using: &generator)
        text[at] = Array("0197\"#.x".utf8).randomElement(using: &generator)!
      }
      guard case .loaded(let configuration, _) = ConfigurationLoader.load(text: text, file: "f"),
        case .success(let root) = TomlNode.parse(text), case .table(let table) = root.value,
        case .array(let nodes)? = table.entry("listener")?.node.value
      else { continue }
      let reader = ListenerReader(configuration, text: text, file: "f")
      for (node, expected) in zip(nodes, configuration.listeners) {
        var problems: [ConfigurationProblem] = []
        let json = SavedListener(
          name: expected.name, json: node.json(path: "", problems: &problems)
        ).json
        #expect(problems.isEmpty)
        guard case .read(let again, _) = reader.read(json, origin: .configuration, beside: [])
        else {
          Issue.record("round \(round): \(expected.name) is refused")
          continue
        }
        #expect(again == expected)
        compared += 1
      }
    }
    #expect(compared > 300)
  }
}

/// Goal: a table in a file of its own becomes the same request.
@Suite struct ListenerFileTests {
  private func outcome(_ text: String) -> ListenerFile.Outcome {
    ListenerFile.read(text: Array(text.utf8), file: "l.toml")
  }

  private func refused(_ text: String) -> [String] {
    guard case .refused(let problems) = outcome(text) else { return [] }
    return problems.map(\.description)
  }

  @Test func aTableAndItsFramers() throws {
    let text = """
      [[listener]]
      address = "0.0.0.0:7171"
      framer = "own"
      [listener.limits]
      concurrent_per_address = 2
      [framer.own]
      kind = "length-prefix"
      """
    let expected = """
      {"address": "0.0.0.0:7171", "framer": "own", "limits": {"concurrent_per_address": 2},
       "framers": {"own": {"kind": "length-prefix"}}}
      """
    #expect(outcome(text) == .read(try JSONValue(parsing: Array(expected.utf8))))
  }

  @Test func whatElseIsInItIsRefused() {
    #expect(
      refused("[[listener]]\na = 1.5\nb = 2020-01-01\n[pool]\n") == [
        "l.toml:2:5: error: listener.a: no key of a listener takes a float",
        "l.toml:3:5: error: listener.b: no key of a listener takes a date or time",
        "l.toml:4:2: error: pool: unknown table",
      ])
    #expect(refused("[[listener]]\n[[listener]]\n").count == 1)
    #expect(refused("a = ").count == 1)
    #expect(refused("").count == 1)
    #expect(refused("[[listener]]\nsave = true\n").count == 1)
  }
}

/// Goal: what was saved is there again, or the gateway says what is in its way.
@Suite struct SavedListenersTests {
  private func read(_ text: String) throws -> SavedListeners.Outcome {
    SavedListeners.read(
      text: Array(text.utf8), file: "s.json", beside: try #require(loaded(base)),
      by: try reader())
  }

  private func refused(_ text: String) throws -> [String] {
    guard case .refused(let problems) = try read(text) else { return [] }
    return problems.map(\.description)
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let json = try JSONValue(
      parsing: Array(#"{"address": "0.0.0.0:7171", "pool": "main", "name": "ä\u0000"}"#.utf8))
    #expect(SavedListener(name: "other", json: json).json == json)
    let saved = try (1...3).map { number in
      SavedListener(
        name: "l\(number)",
        json: try JSONValue(
          parsing: Array(#"{"address": "0.0.0.0:717\#(number)", "pool": "main"}"#.utf8)))
    }
    for count in 0...3 {
      let text = try #require(SavedListeners.text(Array(saved.prefix(count))))
      guard
        case .read(let again, let listeners, _) = try read(String(decoding: text, as: UTF8.self))
      else {
        Issue.record("what was written is refused")
        continue
      }
      #expect(again == Array(saved.prefix(count)))
      #expect(listeners.map(\.name) == again.map(\.name))
      #expect(listeners.allSatisfy { $0.origin == .saved })
      #expect(SavedListeners.names(in: text) == again.map(\.name))
    }
  }

  @Test func collisionsAreNamed() throws {
    let text = """
      {"listeners": [
      {"name": "game", "address": "0.0.0.0:7171", "pool": "main"},
      {"name": "arena", "address": "0.0.0.0:7999", "pool": "main"},
      {"name": "hall", "address": "0.0.0.0:7200", "pool": "main"},
      {"name": "hall", "address": "0.0.0.0:7200", "pool": "main"}
      ]}
      """
    #expect(
      try refused(text) == [
        "s.json: error: listeners[1].name: \"game\" is taken by the configuration file's listener "
          + "\"game\"; expected a name of its own",
        "s.json: error: listeners[2].address: 0.0.0.0:7999 is taken by the configuration file's "
          + "listener \"game\", which is at 127.0.0.1:7999; expected an address or a port of its "
          + "own",
        "s.json: error: listeners[4].address: 0.0.0.0:7200 is taken by saved listener \"hall\"; "
          + "expected an address or a port of its own",
        "s.json: error: listeners[4].name: \"hall\" is taken by saved listener \"hall\"; expected "
          + "a name of its own",
      ])
  }

  @Test(arguments: [
    "", "{", "[]", "{}", #"{"listeners": 1}"#, #"{"listeners": [], "more": 1}"#,
    #"{"listeners": [1]}"#, #"{"listeners": [{}]}"#, "\u{0}",
  ]) func brokenFilesAreRefused(text: String) throws {
    let problems = try refused(text)
    #expect(!problems.isEmpty)
    #expect(problems.allSatisfy { $0.hasPrefix("s.json: error: ") })
  }

  @Test func thereAreBounds() throws {
    let many = (0..<256).map { number in
      SavedListener(
        name: "l\(number)",
        json: .object([
          JSONValue.Member("address", .string("127.0.0.1:\(10_000 + number)")),
          JSONValue.Member("pool", .string("main")),
        ]))
    }
    let all = try #require(SavedListeners.text(many))
    #expect(try refused(String(decoding: all, as: UTF8.self)).first?.contains("257") == true)
    let most = try #require(SavedListeners.text(many.dropLast()))
    #expect(try refused(String(decoding: most, as: UTF8.self)).isEmpty)
    let long = SavedListener(
      name: "long",
      json: .object([JSONValue.Member("a", .string(String(repeating: "x", count: 1 << 20)))]))
    #expect(SavedListeners.text([long]) == nil)
  }

  @Test func whereTheyAreSaved() {
    #expect(loaded(base)?.savedListenersFile == "f.listeners.json")
    #expect(
      loaded(base, file: "/etc/g/c.toml")?.savedListenersFile == "/etc/g/c.toml.listeners.json")
    let named = base.replacing("[limits]", with: "saved_listeners = \"more.json\"\n[limits]")
    #expect(loaded(named, file: "/etc/g/c.toml")?.savedListenersFile == "/etc/g/more.json")
  }
}

extension SavedListeners {
  fileprivate static func text(_ saved: ArraySlice<SavedListener>) -> [UInt8]? {
    text(Array(saved))
  }
}
