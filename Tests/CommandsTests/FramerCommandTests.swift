import Captures
import Foundation
import Primitives
import Testing

@testable import Commands

/// Goal: definitions are found and shown; streams are cut as the packet path would cut them, and
/// what is wrong is said at its byte.
@Suite struct FramerCommandTests {
  private static let lengths = """
    title = "A game"
    ports = [7171]
    [client_to_server]
    kind = "length-prefix"
    leading = { hex = "7F" }
    offset = 1
    width = 2
    max = 100
    [server_to_client]
    kind = "delimiter"
    delimiter = "\\n"
    max = 10
    [opcode]
    offset = 3
    width = 2
    endian = "little"

    """

  private func world(_ definition: String = lengths, stream: [UInt8] = []) throws -> World {
    let world = try World()
    try world.write(definition, to: "game.toml")
    try Data(stream).write(to: URL(fileURLWithPath: world.path("stream")))
    return world
  }

  private func test(_ world: World, _ arguments: String...) -> Int32 {
    world.run(["framer", "test", world.path("game.toml")] + arguments)
  }

  private func packet(_ body: [UInt8]) -> [UInt8] { [0x7f, 0, UInt8(body.count)] + body }

  // MARK: Finding

  @Test func readyMadeFramersAreListed() throws {
    let world = try World()
    world.expect("framer", "list")
    #expect(world.output.contains("minecraft "))
    #expect(world.errors == "")
    world.expect("framer", "list", "--json")
    let tibia = try #require(world.objects().first { $0["name"] as? String == "tibia-login" })
    #expect(tibia["ports"] as? [Int] == [7171])
    #expect(tibia["client_to_server"] as? String == "length-prefix")
  }

  /// Goal: looking something up runs nobody's code, and needs no object to be there.
  @Test func onlyTestingAFramerLoadsItsPlugin() throws {
    let plugin = "kind = \"plugin\"\nfile = \"missing.so\"\n"
    let world = try world(plugin)
    world.expect("framer", "show", world.path("game.toml"))
    #expect(test(world, world.path("stream")) == 1)
    #expect(world.errors.contains("missing.so"))
    let listener = minimalConfiguration.replacing(
      "pool = \"default\"", with: "pool = \"default\"\nframer = \"own\"")
    try world.write(listener + "[framer.own]\n" + plugin, to: "gatehouse.toml")
    world.expect("ban", "192.0.2.7", "--listener", "game")
    world.expect("bans")
  }

  /// Goal: every definition that comes with the program does what it says of itself.
  @Test func readyMadeFramersCutTheirVectors() throws {
    let world = try World()
    world.expect("framer", "list", "--json")
    let names = try world.objects().compactMap { $0["name"] as? String }
    #expect(names.count > 20)
    for name in names {
      #expect(world.run("framer", "test", name) == 0, "\(name): \(world.output)\(world.errors)")
    }
  }

  @Test func aDefinitionIsShownInWordsAndInFull() throws {
    let world = try world()
    world.expect("framer", "show", world.path("game.toml"))
    #expect(world.output.contains("title       A game\n"))
    #expect(world.output.contains("opcode      2 bytes at 3, little-endian\n"))
    #expect(world.output.hasSuffix(Self.lengths))
  }

  @Test func whatIsNotThereIsSaid() throws {
    let world = try world("[client_to_server]\nkind = \"delimter\"\n")
    #expect(world.run("framer", "show", "minecarft") == 2)
    #expect(world.errors.contains("did you mean \"minecraft\""))
    #expect(world.run("framer", "show", "./no-such-file") == 1)
    #expect(test(world) == 1)
    #expect(world.errors.contains("game.toml:2:8: error: client_to_server.kind"))
  }

  // MARK: Cutting

  @Test func packetsAreShown() throws {
    let world = try world(stream: packet([0x34, 0x12, 0x41, 0x42]) + packet([]) + [0x7f, 0, 9, 1])
    #expect(test(world, world.path("stream")) == 0)
    #expect(
      world.output == """
        #1  offset 0  7 bytes  opcode 0x1234
                   0  7F 00 04 34 12 41 42                             ...4.AB
        #2  offset 7  3 bytes
                   7  7F 00 00                                         ...
        4 bytes left over at offset 10: no whole packet
                  10  7F 00 09 01                                      ....
        2 packets, 10 bytes, 4 bytes left over, no violation

        """)
  }

  @Test func standardInputIsRead() throws {
    let world = try world()
    world.input = packet([1, 2])
    #expect(test(world, "-") == 0)
    #expect(world.output.contains("#1  offset 0  5 bytes  opcode 0x0201"))
  }

  @Test func theOtherDirectionHasItsOwnFramer() throws {
    let world = try world(stream: Array("one\ntwo\n".utf8))
    #expect(test(world, world.path("stream"), "--direction", "to-client") == 0)
    #expect(world.output.contains("#2  offset 4  4 bytes"))
    #expect(test(world, world.path("stream"), "--direction", "both") == 2)
    #expect(test(world, world.path("stream"), "--direction", "up") == 2)
  }

  @Test func longPacketsAreShortened() throws {
    let world = try world(stream: packet([UInt8](repeating: 0x55, count: 90)))
    #expect(test(world, world.path("stream")) == 0)
    #expect(world.output.contains("… 29 more bytes"))
    #expect(test(world, world.path("stream"), "--full") == 0)
    #expect(!world.output.contains("more bytes"))
    let many = try self.world(stream: Array((0..<9).map { packet([$0]) }.joined()))
    #expect(test(many, many.path("stream"), "--limit", "2") == 0)
    #expect(many.output.contains("#2") && !many.output.contains("#3"))
    #expect(many.output.contains("… 7 more packets\n9 packets, 36 bytes"))
  }

  // MARK: Violations

  @Test func aViolationIsSaidAtItsByte() throws {
    let world = try world(stream: packet([1]) + [0x7f, 0x10, 0x00, 1, 2])
    #expect(test(world, world.path("stream")) == 1)
    #expect(
      world.output.contains(
        "violation at offset 5, in packet #2: packet-too-long: a packet of 4099 bytes, and 100 are "
          + "the most\n"))
    #expect(world.output.contains("  read:     10 00 at 5\n"))
    #expect(world.output.contains("(little-endian) the length would be 16\n"))
    #expect(world.output.hasSuffix("1 packet, 4 bytes, 5 bytes left over, 1 violation\n"))
  }

  @Test func wrongConstantsAreShown() throws {
    let world = try world(stream: [0x7e, 0, 1, 1])
    #expect(test(world, world.path("stream")) == 1)
    #expect(world.output.contains("violation at offset 0, in packet #1: wrong-constant"))
    #expect(world.output.contains("  read:     7E 00 01 01 at 0\n  expected: 7F\n"))
    #expect(world.output.contains("is the direction right"))
  }

  @Test func missingDelimitersAreShown() throws {
    let world = try world(stream: Array("much too long for it".utf8))
    #expect(test(world, world.path("stream"), "--direction", "to-client") == 1)
    #expect(world.output.contains("  expected: 0A within 10 bytes\n"))
  }

  @Test func authenticationChangesTheFramer() throws {
    let world = try world(
      """
      [client_to_server]
      kind = "sequence"
      [[client_to_server.step]]
      framer = { kind = "fixed", size = 2 }
      until = "authenticated"
      [[client_to_server.step]]
      framer = { kind = "fixed", size = 3, leading = "x" }

      """, stream: Array("abcdxyz".utf8))
    #expect(test(world, world.path("stream"), "--authenticated-after", "2") == 0)
    #expect(world.output.contains("3 packets, 7 bytes, no violation"))
    #expect(test(world, world.path("stream"), "--authenticated-after", "1") == 1)
    #expect(world.output.contains("violation at offset 2"))
    #expect(!world.output.contains("--authenticated-after"))
    #expect(test(world, world.path("stream"), "--authenticated-after", "0") == 1)
    #expect(world.output.contains("violation at offset 0"))
  }

  // MARK: JSON and colours

  @Test func jsonHasAllOfIt() throws {
    let body = [UInt8](repeating: 7, count: 90)
    let world = try world(stream: packet(body) + [0x7f, 0xff, 0xff])
    #expect(test(world, world.path("stream"), "--json") == 1)
    let found = try world.objects()
    #expect(found.map { $0["type"] as? String } == ["packet", "violation", "summary"])
    #expect(found[0]["hex"] as? String == "7f005a" + String(repeating: "07", count: 90))
    #expect(found[0]["opcode"] as? Int == 0x0707)
    #expect(found[1]["violation"] as? String == "packet-too-long")
    #expect(found[1]["offset"] as? Int == 94 && found[1]["packet_offset"] as? Int == 93)
    #expect(found[2]["violations"] as? Int == 1)
  }

  @Test func coloursAreForTerminals() throws {
    let world = try world(stream: packet([1, 2]))
    #expect(test(world, world.path("stream")) == 0)
    #expect(!world.output.contains("\u{1b}"))
    world.isTerminal = true
    #expect(test(world, world.path("stream")) == 0)
    #expect(world.output.contains("\u{1b}[1m#1\u{1b}[0m"))
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
      world.variables[name] = value
      #expect(test(world, world.path("stream")) == 0)
      #expect(!world.output.contains("\u{1b}"))
      world.variables[name] = nil
    }
    // What the stream holds is never obeyed.
    let other = try self.world(stream: packet([0x1b, 0x5b, 0x32, 0x4a]))
    #expect(test(other, other.path("stream")) == 0)
    #expect(!other.output.contains("\u{1b}"))
  }

  // MARK: Vectors

  @Test func vectorsAreTried() throws {
    let vectors = """
      [[vector]]
      name = "good one"
      packets = ["7F 00 01 AA"]
      rest = "7F"
      [[vector]]
      name = "wrong one"
      packets = ["7F 00 01 AA BB"]
      [[vector]]
      name = "another violation"
      rest = "00"
      violation = "packet-too-long"

      """
    let world = try world(Self.lengths + vectors)
    #expect(test(world) == 1)
    #expect(world.output.contains("good  good one\nwrong  wrong one: packet 1 has 4 bytes, not 5"))
    #expect(world.output.contains("stands wrong-constant, not packet-too-long"))
    #expect(world.errors.contains("2 of 3 vectors"))
    #expect(test(world, "--json") == 1)
    #expect(try world.objects().map { $0["problem"] is NSNull } == [true, false, false])
    let none = try self.world()
    #expect(test(none) == 1)
    #expect(none.errors.contains("no vectors"))
  }

  @Test func loginsOfVectorsAreTried() throws {
    let login = """
      [login]
      [[login.packet]]
      field = [
        { name = "account", kind = "line", offset = 5 }, { name = "password", kind = "rest" },
      ]
      [[vector]]
      name = "a login"
      packets = ["7F 00 0B 01 00 'anna' 0A 'pass'"]
      login = { account = "anna", secret = "pass" }

      """
    let world = try world(Self.lengths + login)
    #expect(test(world) == 0, "\(world.output)\(world.errors)")
    let wrong = try self.world(
      Self.lengths
        + login.replacingOccurrences(of: "account = \"anna\"", with: "account = \"otto\""))
    #expect(test(wrong) == 1)
    #expect(wrong.output.contains("the login's account is \"anna\", not \"otto\""))
  }

  // MARK: Captures

  /// Two streams, of which the second breaks the rules, written by the project's own writer.
  private func capture() -> [UInt8] {
    var file = CaptureWriter.fileHeader
    let server = SocketAddress(ipv4: 198, 51, 100, 1, port: 7171)
    for port in [UInt16(50_001), 50_002] {
      let client = SocketAddress(ipv4: 192, 0, 2, 7, port: port)
      var writer = CaptureWriter(client: client, server: server)
      writer.writeOpening(at: 0, into: &file)
      let sent = packet([UInt8(port & 15)]) + (port == 50_002 ? [1, 2, 3] : [])
      // In pieces that are no packets.
      writer.write(sent[..<2], .clientToServer, at: 1, into: &file)
      writer.write(sent[2...], .clientToServer, at: 2, into: &file)
      writer.write(Array("welcome\n".utf8)[...], .serverToClient, at: 3, into: &file)
      writer.writeEnd(of: .clientToServer, at: 4, into: &file)
      writer.writeEnd(of: .serverToClient, at: 4, into: &file)
    }
    return file
  }

  @Test func streamsOfACaptureAreCut() throws {
    let world = try world(stream: capture())
    #expect(test(world, "--pcap", world.path("stream"), "--json") == 1)
    let found = try world.objects()
    let packets = found.filter { $0["type"] as? String == "packet" }
    #expect(packets.map { $0["stream"] as? Int } == [1, 1, 2, 2])
    #expect(packets.map { $0["hex"] as? String }.first == "7f000101")
    #expect(found.count { $0["type"] as? String == "violation" } == 1)
    #expect(found.last?["streams"] as? Int == 2 && found.last?["packets"] as? Int == 4)
    #expect(
      test(world, "--pcap", world.path("stream"), "--direction", "to-client", "--port", "7171") == 0
    )
    #expect(world.output.contains("192.0.2.7:50001 → 198.51.100.1:7171"))
    #expect(test(world, "--pcap", world.path("stream"), "--port", "80") == 3)
    #expect(world.errors.contains("no TCP stream"))
  }

  @Test func captureAndStreamAreNotMixedUp() throws {
    let world = try world(stream: capture())
    #expect(test(world, world.path("stream")) == 2)
    #expect(world.errors.contains("--pcap"))
    #expect(test(world, world.path("stream"), "--pcap", world.path("stream")) == 2)
    #expect(test(world, world.path("stream"), "--port", "80") == 2)
    #expect(test(world, "--pcap", world.path("game.toml")) == 1)
    #expect(test(world, "--pcap", world.path("nothing")) == 1)
  }
}
