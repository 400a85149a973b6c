@testable import Captures
@testable import Primitives

/// Goal: no captured packet is read beyond its end; whatever segments come, streams are what a
/// plain model says, within bounds; what is written is read again.
enum CaptureFuzzer {
  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    switch input.number(0...3) {
    case 0: checkPacket(&input)
    case 1: checkOneDirection(&input)
    case 2: checkConnections(&input)
    default: checkWriter(&input)
    }
  }

  private static func checkPacket(_ input: inout FuzzInput) {
    let link = input.pick(LinkType.allCases)
    let packet = input.remaining()
    guard case .segment(let segment) = PacketParser.parse(packet, link, time: 7) else { return }
    check(segment.payload.endIndex <= packet.count, "a payload behind the packet")
    check(segment.payload.startIndex >= 40, "a payload within the headers")
    check(segment.time == 7, "another time")
    let again = PacketParser.parse(packet + [1, 2, 3], link, time: 7)
    guard case .segment(let longer) = again else { return check(false, "more bytes, no segment") }
    check(longer.payload.starts(with: segment.payload), "more bytes, another payload")
  }

  /// Segments of one direction, against an array in which the first byte to come wins.
  private static func checkOneDirection(_ input: inout FuzzInput) {
    let first = UInt32(truncatingIfNeeded: input.word())
    var assembler = DirectionAssembler()
    assembler.synchronize(first &- 1)
    var model = [UInt8?](repeating: nil, count: 600)
    var handedOn: [UInt8] = []
    var end: Int?
    while !input.isEmpty {
      let start = input.number(0...255)
      let payload = input.bytes(300)
      let ends = input.number(0...15) == 0
      for (index, byte) in payload.enumerated()
      where model[start + index] == nil && start + index < end ?? .max {
        model[start + index] = byte
      }
      // An end in front of what was handed on is none.
      if ends, end == nil, start + payload.count >= handedOn.count {
        end = start + payload.count
        for index in end!..<model.count { model[index] = nil }
      }
      let chunks = assembler.take(
        first &+ UInt32(start), payload[...], time: 0, ends: ends, waitingBytesMax: 1 << 20)
      for chunk in chunks { handedOn += chunk.bytes }
      // What waited behind the end when that came is handed on all the same.
      if end == nil || handedOn.count <= end! {
        check(
          handedOn == model.prefix { $0 != nil }.map { $0! }, "other bytes than the model's")
      }
      check(assembler.handedOn == handedOn.count, "a wrong count")
      check(assembler.waitingBytes >= 0, "fewer than no bytes wait")
    }
    assembler.finish()
    check(assembler.isCut || assembler.waitingBytes == 0, "bytes wait at the end")
  }

  private static func checkConnections(_ input: inout FuzzInput) {
    var limits = StreamTracker.Limits()
    limits.streamsMax = 4
    limits.waitingBytesMax = 500
    limits.waitingBytesTotalMax = 900
    var tracker = StreamTracker(serverPort: input.bool() ? 7 : nil, limits: limits)
    var collector = StreamCollector()
    var open: Set<Int> = []
    var last = 0
    func note(_ events: [CaptureEvent]) {
      for event in events {
        switch event {
        case .opened(let stream):
          check(stream.number == last + 1, "a number out of turn")
          last = stream.number
          open.insert(stream.number)
        case .bytes(let stream, _, let bytes, _):
          check(open.contains(stream) && !bytes.isEmpty, "bytes of no stream")
        case .ended(let stream, _, _): check(open.remove(stream) != nil, "ended twice")
        }
        collector.take(event)
      }
    }
    while !input.isEmpty {
      var events: [CaptureEvent] = []
      let ports = [UInt16(7), 8, 9]
      let segment = TCPSegment(
        source: SocketAddress(ipv4: 192, 0, 2, 1, port: input.pick(ports)),
        destination: SocketAddress(ipv4: 192, 0, 2, 1, port: input.pick(ports)),
        sequence: UInt32(input.number(0...255)) &- 100,
        acknowledgement: UInt32(input.number(0...255)) &- 100,
        flags: TCPSegment.Flags(rawValue: input.byte()), payload: input.bytes(60)[...])
      tracker.take(segment, into: &events)
      check(open.count <= 4, "more streams than there may be")
      note(events)
    }
    var events: [CaptureEvent] = []
    tracker.finish(into: &events)
    note(events)
    check(open.isEmpty, "a stream without an end")
    for stream in collector.streams {
      let total = stream.chunks.reduce(0) { $0 + $1.byteCount }
      check(total == stream.clientToServer.count + stream.serverToClient.count, "lost chunks")
    }
  }

  private static func checkWriter(_ input: inout FuzzInput) {
    let client = SocketAddress(ipv4: 192, 0, 2, 1, port: 1024)
    let server = SocketAddress(ipv4: 192, 0, 2, 2, port: 7)
    let sent = input.word()
    var writer = CaptureWriter(client: client, server: server, clientBytes: sent)
    var file: [UInt8] = []
    var up: [UInt8] = []
    var down: [UInt8] = []
    while !input.isEmpty {
      let direction = input.pick(CaptureDirection.allCases)
      let bytes = input.bytes(70_000)
      if direction == .clientToServer { up += bytes } else { down += bytes }
      writer.write(bytes[...], direction, at: 0, into: &file)
    }
    var tracker = StreamTracker(serverPort: 7)
    var collector = StreamCollector()
    var events: [CaptureEvent] = []
    var place = 0
    while place < file.count {
      let count = (0..<4).reduce(0) { $0 | Int(file[place + 8 + $1]) << (8 * $1) }
      let packet = Array(file[place + 16..<place + 16 + count])
      guard case .segment(let segment) = PacketParser.parse(packet, .rawIP, time: 0) else {
        return check(false, "what was written is no segment")
      }
      tracker.take(segment, into: &events)
      place += 16 + count
    }
    for event in events { collector.take(event) }
    check((collector.streams.first?.clientToServer ?? []) == up, "other bytes from the client")
    check((collector.streams.first?.serverToClient ?? []) == down, "other bytes from the server")
  }
}
