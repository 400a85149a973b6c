import Captures
import Foundation
import Primitives
import Testing

@testable import Commands

@Suite struct FramerLearnCommandTests {
  /// A length of two bytes, little-endian, in front of an opcode and some text.
  private func stream(_ number: Int) -> [UInt8] {
    (0..<12).flatMap { index -> [UInt8] in
      let text = Array(repeating: "go north \(number * 7) ", count: 1 + (index * number) % 5)
        .joined().utf8
      return [UInt8(text.count + 1), 0, UInt8(1 + index % 3)] + text
    }
  }

  private func world() throws -> World {
    let world = try World()
    for number in 1...4 {
      try Data(stream(number)).write(to: URL(filePath: world.path("\(number).bin")))
    }
    return world
  }

  private func files(_ world: World) -> [String] { (1...4).map { world.path("\($0).bin") } }

  @Test func proposalsAreShownWithADefinition() throws {
    let world = try world()
    #expect(world.run(["framer", "learn"] + files(world)) == 0, "\(world.errors)")
    #expect(world.output.hasPrefix("To the server: 4 streams, "))
    #expect(world.output.contains("\n1. length-prefix (2-byte little-endian length at 0"))
    #expect(world.output.contains("     [framer.learnt.client_to_server]\n"))
    #expect(world.output.contains("     endian = \"little\"\n"))
    #expect(!world.output.contains("go north"), "players' words stay in their files")
  }

  @Test func theOtherDirectionIsNamed() throws {
    let world = try world()
    #expect(world.run(["framer", "learn", "--direction", "to-client"] + files(world)) == 0)
    #expect(world.output.contains("[framer.learnt.server_to_client]"))
  }

  /// A connection of which the server sends lines.
  private func capture(_ number: Int, port: UInt16, into file: inout [UInt8]) {
    var writer = CaptureWriter(
      client: SocketAddress(ipv4: 192, 0, 2, 1, port: UInt16(50_000 + number)),
      server: SocketAddress(ipv4: 198, 51, 100, 1, port: port))
    let start = UInt64(number) * 1_000_000_000
    writer.writeOpening(at: start, into: &file)
    writer.write(stream(number)[...], .clientToServer, at: start + 1, into: &file)
    let lines = (0..<9).map { "you see \($0 * number) trees\n" }.joined()
    writer.write(Array(lines.utf8)[...], .serverToClient, at: start + 2, into: &file)
    writer.writeEnd(of: .clientToServer, at: start + 3, into: &file)
    writer.writeEnd(of: .serverToClient, at: start + 4, into: &file)
  }

  @Test func capturesHaveBothDirections() throws {
    let world = try World()
    var file = CaptureWriter.fileHeader
    for number in 1...4 { capture(number, port: 7171, into: &file) }
    try Data(file).write(to: URL(filePath: world.path("all.pcap")))
    #expect(world.run("framer", "learn", "--pcap", world.path("all.pcap")) == 0, "\(world.errors)")
    #expect(world.output.contains("\n1. length-prefix (2-byte little-endian length at 0"))
    #expect(world.output.contains("To the client: 4 streams"))
    #expect(world.output.contains("\n1. delimiter (ends with 0A"))
  }

  @Test func capturesOfSeveralServersNeedAPort() throws {
    let world = try World()
    var file = CaptureWriter.fileHeader
    for number in 1...4 { capture(number, port: 7171, into: &file) }
    capture(5, port: 80, into: &file)
    try Data(file).write(to: URL(filePath: world.path("all.pcap")))
    #expect(world.run("framer", "learn", "--pcap", world.path("all.pcap")) == 2)
    #expect(world.errors.contains("7171 (4), 80 (1); name one with --port"))
    #expect(world.run("framer", "learn", "--pcap", "--port", "7171", world.path("all.pcap")) == 0)
  }

  @Test func scriptsGetObjects() throws {
    let world = try world()
    #expect(world.run(["framer", "learn", "--json", "--top", "1"] + files(world)) == 0)
    let root = try #require(try world.json() as? [String: Any])
    let direction = try #require(root["client_to_server"] as? [String: Any])
    let proposals = try #require(direction["proposals"] as? [[String: Any]])
    #expect(direction["streams"] as? Int == 4)
    #expect(proposals.count == 1 && proposals[0]["confidence"] as? String == "strong")
    #expect(proposals[0]["packets"] as? Int == 48)
  }

  @Test func nothingThatFitsIsAnExitStatusOfItsOwn() throws {
    let world = try World()
    try world.write("", to: "empty.bin")
    #expect(world.run("framer", "learn", world.path("empty.bin")) == 3)
    #expect(world.output.contains("there are no bytes to learn from"))
  }

  @Test func wrongCommandLinesAreExplained() throws {
    let world = try world()
    let file = world.path("1.bin")
    #expect(world.run("framer", "learn") == 2)
    #expect(world.run("framer", "learn", "--direction", "up", file) == 2)
    #expect(world.errors.contains("to-server, to-client or both"))
    #expect(world.run("framer", "learn", "--direction", "both", file) == 2)
    #expect(world.run("framer", "learn", "--port", "7171", file) == 2)
    #expect(world.errors.contains("--pcap"))
    #expect(world.run("framer", "learn", "--top", "0", file) == 2)
    #expect(world.run("framer", "learn", world.path("missing.bin")) == 1)
    #expect(world.run("framer", "learn", "--pcap", file) == 1)
  }
}
