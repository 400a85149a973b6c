import Configuration
import Foundation
import Testing

@testable import Commands

/// A folder with a configuration in it, and a person at a terminal; commands run in this process.
final class World {
  let folder: URL
  var now: Int64 = 1_800_000_000
  var variables: [String: String] = [:]
  /// What is left of standard input.
  var input: [UInt8] = []
  /// What the person answers to prompts, in order.
  var answers: [String] = []
  private(set) var prompts: [String] = []
  private(set) var output = ""
  private(set) var errors = ""
  /// Standard output is a terminal.
  var isTerminal = false
  /// Writing to standard output fails.
  var outputFailure: String?

  init(_ configuration: String = minimalConfiguration) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try write(configuration, to: "gatehouse.toml")
    variables["GATEHOUSE_CONFIG"] = path("gatehouse.toml")
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  func contents(of name: String) throws -> String {
    String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
  }

  struct PromptFailed: Error {}

  /// The exit status; ``output`` and ``errors`` are of this run alone.
  func run(_ arguments: [String]) -> Int32 {
    output = ""
    errors = ""
    let surroundings = Surroundings(
      now: { self.now }, variable: { self.variables[$0] }, loginName: { "tester" },
      write: { bytes in
        if let reason = self.outputFailure { return .failed(reason) }
        self.output += String(decoding: bytes, as: UTF8.self)
        return .written
      },
      writeError: { self.errors += $0 },
      read: { count in
        let piece = Array(self.input.prefix(count))
        self.input.removeFirst(piece.count)
        return piece
      },
      askSecret: { prompt in
        self.prompts.append(prompt)
        guard !self.answers.isEmpty else { throw PromptFailed() }
        return Array(self.answers.removeFirst().utf8)
      }, isTerminal: { self.isTerminal }, framers: Self.framers)
    return Commands.run(["gatehouse"] + arguments, Self.table, surroundings)
  }

  func run(_ arguments: String...) -> Int32 { run(arguments) }

  /// Runs what has to go well.
  func expect(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(run(arguments) == 0, "\(arguments): \(errors)", sourceLocation: sourceLocation)
  }

  /// The last output as JSON.
  func json() throws -> Any { try JSONSerialization.jsonObject(with: Data(output.utf8)) }

  func objects() throws -> [[String: Any]] { try #require(try json() as? [[String: Any]]) }

  /// The ready-made ones are those of the project.
  private static let framers: FramerSources = {
    var sources = FramerSources.system
    sources.ready = {
      let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      return FramerFolder.read(root.appendingPathComponent("framers").path) ?? FramerLibrary()
    }
    return sources
  }()

  static let table = SubcommandTable(
    GatewayPrograms(serve: { _ in 0 }, check: { _ in 0 }, demo: { 0 }))
}

let minimalConfiguration = """
  [[listener]]
  name = "game"
  address = "127.0.0.1:7999"
  pool = "default"
  [[pool]]
  name = "default"
  [store]
  path = "gatehouse.db"
  [management]
  address = "127.0.0.1:1"
  token = "0123456789abcdef0123"

  """
