import Glibc
import Primitives
import Testing

@testable import Captures

/// Goal: what is written is what is read, by our reader through libpcap too, and headers are right.
@Suite struct CaptureWriterTests {
  private static let client4 = SocketAddress(ipv4: 192, 0, 2, 7, port: 50_000)
  private static let server4 = SocketAddress(ipv4: 198, 51, 100, 1, port: 7171)
  private static let client6 = SocketAddress(
    ipv6: [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7], port: 50_000)

  private func streams(_ file: [UInt8]) -> [RecordedStream] {
    var tracker = StreamTracker()
    var collector = StreamCollector()
    var events: [CaptureEvent] = []
    for (time, packet) in records(of: file) {
      guard case .segment(let segment) = PacketParser.parse(packet, .rawIP, time: time) else {
        Issue.record("a packet without a segment")
        continue
      }
      tracker.take(segment, into: &events)
    }
    tracker.finish(into: &events)
    for event in events { collector.take(event) }
    return collector.streams
  }

  private func talk(_ client: SocketAddress, _ server: SocketAddress) -> [UInt8] {
    var file = CaptureWriter.fileHeader
    var writer = CaptureWriter(client: client, server: server)
    writer.writeOpening(at: 1_000_000_000, into: &file)
    writer.write(Array("login".utf8)[...], .clientToServer, at: 2_000_000_005, into: &file)
    writer.write(Array("welcome!".utf8)[...], .serverToClient, at: 3_000_000_000, into: &file)
    writer.writeEnd(of: .clientToServer, at: 4_000_000_000, into: &file)
    writer.writeEnd(of: .clientToServer, at: 4_000_000_000, into: &file)
    writer.writeEnd(of: .serverToClient, at: 5_000_000_000, into: &file)
    return file
  }

  @Test func whatIsWrittenIsRead() throws {
    for client in [Self.client4, Self.client6] {
      let found = streams(talk(client, Self.server4))
      #expect(found.count == 1)
      let stream = try #require(found.first)
      #expect(stream.client == client && stream.server.port == 7171)
      #expect(stream.clientToServer == Array("login".utf8))
      #expect(stream.serverToClient == Array("welcome!".utf8))
      #expect(stream.chunks.map(\.time) == [2_000_000_005, 3_000_000_000])
      #expect(stream.clientEnd.isEnded && stream.serverEnd.isEnded)
    }
  }

  @Test func libpcapReadsIt() throws {
    let path = "/tmp/gatehouse-capture-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).pcap"
    let file = try #require(fopen(path, "wb"))
    let bytes = talk(Self.client4, Self.server4)
    #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    fclose(file)
    defer { unlink(path) }
    #expect(try CaptureReader.streams(path: path) == streams(bytes))
    #expect(try CaptureReader.streams(path: path, serverPort: 80).isEmpty)
    let reader = try CaptureReader(path: path)
    while try reader.next() != nil {}
    #expect(reader.statistics.packets == 7)
  }

  @Test func whatIsNoCaptureIsRefused() throws {
    let path = "/tmp/gatehouse-capture-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).pcap"
    let file = try #require(fopen(path, "wb"))
    fputs("this is not a capture, but quite long enough for one", file)
    fclose(file)
    defer { unlink(path) }
    #expect(throws: CaptureError.self) { try CaptureReader(path: path) }
    #expect(throws: CaptureError.cannotOpen("No such file or directory")) {
      try CaptureReader(path: "/tmp/gatehouse-no-such-file")
    }
  }

  @Test func checksumsAreRight() {
    for client in [Self.client4, Self.client6] {
      for (_, packet) in records(of: talk(client, Self.server4)) {
        let isFour = packet[0] == 0x45
        if isFour { #expect(sum(packet.prefix(20)) == 0xffff) }
        let segment = Array(packet.dropFirst(isFour ? 20 : 40))
        let addresses = isFour ? packet[12..<20] : packet[8..<40]
        let pseudo = Array(addresses) + [0, 6] + Packets.bytes(UInt16(segment.count))
        #expect(sum(pseudo + segment) == 0xffff)
      }
    }
  }

  /// The ones' complement sum of RFC 1071: all ones when the checksum within is right.
  private func sum(_ bytes: some Collection<UInt8>) -> Int {
    var total = 0
    for (index, byte) in bytes.enumerated() {
      total += Int(byte) << (index % 2 == 0 ? 8 : 0)
      total = total & 0xffff + total >> 16
    }
    return total
  }

  @Test func longBytesAreCutIntoSegments() throws {
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var file = CaptureWriter.fileHeader
    var writer = CaptureWriter(client: Self.client4, server: Self.server4)
    writer.writeOpening(at: 0, into: &file)
    writer.write(bytes[...], .serverToClient, at: 0, into: &file)
    #expect(records(of: file).allSatisfy { $0.packet.count <= CaptureWriter.segmentBytesMax + 40 })
    #expect(try #require(streams(file).first).serverToClient == bytes)
  }

  /// A writer may be made anew in the middle of a connection.
  @Test func aWriterGoesOnWhereAnotherStopped() throws {
    var file = CaptureWriter.fileHeader
    CaptureWriter(client: Self.client4, server: Self.server4).writeOpening(at: 0, into: &file)
    var sent: UInt64 = 0
    for text in ["one", "two", "three"] {
      var writer = CaptureWriter(client: Self.client4, server: Self.server4, clientBytes: sent)
      writer.write(Array(text.utf8)[...], .clientToServer, at: 0, into: &file)
      sent += UInt64(text.utf8.count)
    }
    var last = CaptureWriter(client: Self.client4, server: Self.server4, clientBytes: sent)
    last.writeEnd(of: .clientToServer, at: 0, into: &file)
    var ended = CaptureWriter(
      client: Self.client4, server: Self.server4, clientBytes: sent, clientHasEnded: true)
    ended.write(Array("bye".utf8)[...], .serverToClient, at: 0, into: &file)
    ended.writeEnd(of: .serverToClient, at: 0, into: &file)
    let stream = try #require(streams(file).first)
    #expect(stream.clientToServer == Array("onetwothree".utf8))
    #expect(stream.clientEnd.isEnded && stream.serverEnd.isEnded && !stream.serverEnd.isCut)
  }

  /// Method: random talks of several clients, some beyond 32 bits of sequence numbers.
  @Test(arguments: 0..<30)
  func randomTalksComeBack(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    var file = CaptureWriter.fileHeader
    var writers: [CaptureWriter] = []
    var sent: [(up: [UInt8], down: [UInt8])] = []
    for step in 0..<below(120) {
      if writers.isEmpty || below(8) == 0 {
        let port = UInt16(20_000 + writers.count)
        let client = SocketAddress(ipv4: 192, 0, 2, UInt8(below(256)), port: port)
        writers.append(CaptureWriter(client: client, server: Self.server4))
        writers[writers.count - 1].writeOpening(at: UInt64(step), into: &file)
        sent.append(([], []))
      }
      let which = below(writers.count)
      let bytes = (0..<below(3000)).map { _ in UInt8(below(256)) }
      let direction: CaptureDirection = below(2) == 0 ? .clientToServer : .serverToClient
      writers[which].write(bytes[...], direction, at: UInt64(step), into: &file)
      if direction == .clientToServer { sent[which].up += bytes } else { sent[which].down += bytes }
    }
    let found = streams(file)
    #expect(found.map(\.clientToServer) == sent.map(\.up))
    #expect(found.map(\.serverToClient) == sent.map(\.down))
  }
}
