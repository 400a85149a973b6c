import Foundation
import Testing

@testable import Commands

/// Goal: a command line that can't be meant does nothing; what a gateway says is tested with one.
@Suite struct ListenerCommandTests {
  @Test(arguments: [
    (["listener", "add"], "give --port, --address or --file"),
    (["listener", "add", "--port", "1", "--address", "h:1"], "not both"),
    (["listener", "add", "--port", "0"], "from 1 to 65535"),
    (["listener", "add", "--port", "65536"], "from 1 to 65535"),
    (["listener", "add", "--file", "f", "--name", "n"], "--file or --name"),
    (["listener", "remove"], "NAME"),
  ]) func wrongCommandLines(words: [String], said: String) throws {
    let world = try World()
    #expect(world.run(words) == 2)
    #expect(world.errors.contains(said), "\(world.errors)")
  }

  /// Goal: what is wrong with a file is said at its place, before any gateway is asked.
  @Test func filesThatAreNoListener() throws {
    let world = try World()
    try world.write("[[listener]]\naddress = 1.5\n[pool]\n", to: "l.toml")
    let path = world.path("l.toml")
    #expect(world.run("listener", "add", "--file", path) == 1)
    #expect(world.errors.contains("\(path):2:11: error: listener.address: no key"))
    #expect(world.errors.contains("\(path):3:2: error: pool: unknown table"))
    #expect(world.errors.hasSuffix("gatehouse listener add: nothing was added\n"))
    #expect(world.run("listener", "add", "--file", world.path("none.toml")) == 1)
  }

  /// Goal: a listener that is saved may be named in a ban, though no gateway runs.
  @Test func bansKnowSavedListeners() throws {
    let world = try World()
    #expect(world.run("ban", "192.0.2.7", "--listener", "arena") == 2)
    try world.write(
      #"{"listeners": [{"name": "arena", "address": "0.0.0.0:7171"}]}"#,
      to: "gatehouse.toml.listeners.json")
    world.expect("ban", "192.0.2.7", "--listener", "arena")
    #expect(world.run("ban", "192.0.2.8", "--listener", "hall") == 2)
    #expect(world.errors.contains("arena"))
  }
}

/// Goal: the file of saved listeners is the old one or the new one.
@Suite struct SavedListenersFileTests {
  @Test func itIsReplacedAsAWhole() throws {
    let world = try World()
    let path = world.path("saved.json")
    let file = SavedListenersFile(path: path)
    // What a crash left.
    try world.write("half", to: "saved.json.new")
    try file.write([])
    #expect(try world.contents(of: "saved.json") == "{\"listeners\": [\n]}\n")
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(!FileManager.default.fileExists(atPath: path + ".new"))
  }

  @Test func withoutAPlaceNothingIsSaved() throws {
    let world = try World()
    #expect(throws: SavedListenersFile.Failure.self) { try SavedListenersFile(path: "").write([]) }
    let path = world.path("no/such/folder/saved.json")
    let failure = #expect(throws: SavedListenersFile.Failure.self) {
      try SavedListenersFile(path: path).write([])
    }
    #expect(failure?.message.contains(path) == true)
  }
}
