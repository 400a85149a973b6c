import Captures
import Foundation
import Testing

@testable import Commands

/// Goal: what a reader copies from the help or from the reference works.
///
/// Method: each example is run in a world of its own, in which what examples talk about is there.
@Suite struct ExampleTests {
  /// A command line as a shell takes it apart, with the file that is redirected into it.
  private func words(_ line: String) throws -> (words: [String], input: String?) {
    var words: [String] = []
    var rest = line[...]
    while let first = rest.first {
      if first == " " {
        rest.removeFirst()
      } else if first == "\"" {
        let end = try #require(rest.dropFirst().firstIndex(of: "\""))
        words.append(String(rest[rest.index(after: rest.startIndex)..<end]))
        rest = rest[rest.index(after: end)...]
      } else {
        let word = rest.prefix { $0 != " " }
        words.append(String(word))
        rest = rest.dropFirst(word.count)
      }
    }
    guard let arrow = words.firstIndex(of: "<") else { return (words, nil) }
    return (Array(words[..<arrow]), words[arrow + 1])
  }

  private func world(for words: [String]) throws -> World {
    let world = try World()
    world.answers = ["correct horse", "correct horse"]
    try world.write("correct horse\n", to: "password")
    try world.write("a secret of the game's own\n", to: "secret")
    try world.write("; DROP\n192.0.2.0/24 ; SBL1\n", to: "drop.txt")
    try world.write("[\n{\"subject\":\"192.0.2.9\"}\n]\n", to: "bans.json")
    try world.write("carl:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n", to: "users.htpasswd")
    try world.write(
      "name,hash,salt\ndora,5f4dcc3b5aa765d61d8327deb882cf99,abc\n", to: "forum.csv")
    try world.write("[[listener]]\naddress = \"0.0.0.0:7171\"\n", to: "listener.toml")
    try world.write(lines, to: "my-game.toml")
    try world.write("one\ntwo\n", to: "stream.bin")
    for name in ["game.pcap", "evening.pcap"] {
      try Data(CaptureWriter.fileHeader).write(to: URL(fileURLWithPath: world.path(name)))
    }
    for number in 1...3 { try world.write("one\ntwo\n", to: "login-\(number).bin") }
    world.expect("ban", "192.0.2.7", "--reason", "flooding")
    world.expect("ban", "account:mallory")
    world.expect("allow", "198.51.100.0/24")
    if words.prefix(2) != ["ticket", "keygen"] {
      world.expect("ticket", "keygen", world.path("ticket.key"))
    }
    if words.prefix(2) != ["store", "export"] {
      world.expect("store", "export", world.path("store.jsonl"))
    }
    if words.prefix(3) != ["account", "add", "anna"] {
      world.expect("account", "add", "anna", "--no-password")
      world.expect("token", "issue", "anna")
    }
    return world
  }

  /// - Parameter allowed: exit statuses.
  private func run(_ line: String, allowed: Set<Int32>) throws {
    let (words, input) = try words(line)
    #expect(words.first == "gatehouse")
    let arguments = Array(words.dropFirst())
    let world = try world(for: arguments)
    if let input { world.input = Array(try world.contents(of: input).utf8) }
    if arguments.contains("p2p") { world.input = Array("org:192.0.2.0-192.0.2.9\n".utf8) }
    let isFile = try Regex(#"[\w-]+\.(txt|json|jsonl|csv|db|key|toml|htpasswd|pcap|bin)"#)
    let placed = arguments.map { $0.wholeMatch(of: isFile) == nil ? $0 : world.path($0) }
    let status = world.run(placed)
    #expect(allowed.contains(status), "\(line): \(status): \(world.errors)")
  }

  /// Without a gateway, what is asked of one fails, and says so.
  private func allowed(_ line: String) -> Set<Int32> {
    let live = ["sessions", "kick", "listener", "record"].map { "gatehouse \($0)" }
    let isLive = live.contains { line.hasPrefix($0) }
    // There is little to learn from in these worlds, and nobody has logged in.
    if line.hasPrefix("gatehouse framer learn") { return [0, 3] }
    // Their capture has no stream in it.
    if line.hasPrefix("gatehouse framer test"), line.contains("--pcap") { return [3] }
    return isLive ? [1] : line.hasPrefix("gatehouse logins") ? [3] : [0]
  }

  @Test(arguments: World.table.commands.flatMap(\.examples))
  func examplesOfTheHelpWork(line: String) throws { try run(line, allowed: allowed(line)) }

  @Test(arguments: examplesOfTheReference())
  func examplesOfTheReferenceWork(line: String) throws { try run(line, allowed: allowed(line)) }

  @Test func theReferenceHasEveryCommand() throws {
    let examples = examplesOfTheReference()
    #expect(examples.count > 40)
    for command in World.table.commands where command.words != ["demo"] {
      #expect(
        examples.contains { $0 == command.program || $0.hasPrefix(command.program + " ") },
        "\(command.program)")
    }
  }
}

private let lines = """
  [client_to_server]
  kind = "delimiter"
  delimiter = "\\n"
  [[vector]]
  name = "two lines"
  packets = ["'one' 0A", "'two' 0A"]

  """

/// The indented lines of docs/commands.md that are command lines.
private func examplesOfTheReference() -> [String] {
  let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  guard
    let text = try? String(
      contentsOf: root.appendingPathComponent("docs/commands.md"), encoding: .utf8)
  else { return [] }
  return text.split(separator: "\n").filter { $0.hasPrefix("    gatehouse ") }
    .map { String($0.dropFirst(4)) }
}
