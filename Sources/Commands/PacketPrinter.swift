internal import Captures
internal import Framing
internal import JSON

/// Shows the packets of streams, and where a stream breaks its framer's rules: as text or as JSON.
struct PacketPrinter {
  /// Where a packet was seen.
  struct Source {
    /// The stream's number in a capture; nil when there is one stream alone.
    var stream: Int?
    var direction: CaptureDirection
  }

  /// What of a long packet is shown, in bytes.
  private static let shownBytesMax = 64

  private let console: Console
  private let style: TerminalStyle
  private var list: JSONList?
  private let bytesMax: Int
  private let packetsMax: Int
  private let opcodes: [CaptureDirection: LengthField]
  private var shown = 0
  private(set) var notShown = 0

  /// - Parameters:
  ///   - isFull: long packets are shown whole.
  ///   - packetsMax: others are counted.
  init(
    _ console: Console, isJSON: Bool, isFull: Bool, packetsMax: Int,
    opcodes: [CaptureDirection: LengthField]
  ) throws(CommandFailure) {
    self.console = console
    style = TerminalStyle(console.surroundings)
    list = isJSON ? try JSONList(console) : nil
    bytesMax = isFull ? .max : Self.shownBytesMax
    self.packetsMax = packetsMax
    self.opcodes = opcodes
  }

  mutating func packet(
    _ packet: PacketStream.Packet, _ source: Source
  ) throws(CommandFailure) {
    guard shown < packetsMax else {
      notShown += 1
      return
    }
    shown += 1
    let opcode = packet.isRaw ? nil : opcode(of: packet.bytes, source.direction)
    guard list == nil else {
      try list?.add { json in
        json.object { json in
          json.member("type", "packet")
          json.source(source)
          json.member("number", packet.number)
          json.member("offset", packet.offset)
          json.member("length", packet.bytes.count)
          if packet.dropped > 0 { json.member("dropped", packet.dropped) }
          json.member("raw", packet.isRaw)
          json.member("opcode", opcode)
          json.member("hex", HexDump.plainHex(packet.bytes))
        }
      }
      return
    }
    var head = mark(source) + style.bold("#\(packet.number)")
    head += "  offset \(packet.offset)  \(byteText(packet.bytes.count))"
    if let opcode { head += "  opcode " + style.green(Self.hex(opcode)) }
    if packet.isRaw { head += "  raw" }
    if packet.dropped > 0 { head += "  of which the last \(packet.dropped) are not handed on" }
    try console.write(
      head + "\n"
        + HexDump.rows(
          packet.bytes, offset: packet.offset, bytesMax: bytesMax, indent: "    ", style))
  }

  mutating func violation(
    _ found: PacketStream.Break, _ text: ViolationText, _ source: Source, packets: Int
  ) throws(CommandFailure) {
    guard list == nil else {
      try list?.add { json in
        json.object { json in
          json.member("type", "violation")
          json.source(source)
          json.member("number", packets + 1)
          json.member("offset", text.offset)
          json.member("packet_offset", found.offset)
          json.member("violation", found.violation.name)
          json.member("message", "\(found.violation)")
          json.member("read", HexDump.plainHex(text.read))
          json.member("expected", text.expected)
          json.member("mend", text.mend)
        }
      }
      return
    }
    var lines = mark(source) + style.red("violation at offset \(text.offset)")
    lines += ", in packet #\(packets + 1): \(found.violation.name): \(found.violation)\n"
    lines += HexDump.rows(
      found.front, offset: found.offset, bytesMax: Self.shownBytesMax, indent: "    ", style)
    let read = text.read.isEmpty ? "nothing" : "\(HexDump.hex(text.read)) at \(text.offset)"
    lines += "  read:     \(read)\n  expected: \(text.expected)\n"
    for (index, advice) in text.mend.enumerated() {
      lines += (index == 0 ? "  to mend:  " : "            ") + advice + "\n"
    }
    try console.write(lines)
  }

  /// What is left behind the last packet of a direction.
  mutating func leftOver(
    _ stream: PacketStream, _ source: Source
  ) throws(CommandFailure) {
    guard list == nil else {
      try list?.add { json in
        json.object { json in
          json.member("type", "left-over")
          json.source(source)
          json.member("offset", stream.offset)
          json.member("length", stream.leftOver)
        }
      }
      return
    }
    try console.write(
      mark(source) + "\(byteText(stream.leftOver)) left over at offset \(stream.offset): no whole "
        + "packet\n"
        + HexDump.rows(
          stream.front, offset: stream.offset, bytesMax: Self.shownBytesMax, indent: "    ", style))
  }

  /// Something about a stream that is no packet.
  mutating func remark(_ text: String, _ source: Source) throws(CommandFailure) {
    guard list == nil else {
      try list?.add { json in
        json.object { json in
          json.member("type", "remark")
          json.source(source)
          json.member("message", text)
        }
      }
      return
    }
    try console.write(mark(source) + style.dim(text) + "\n")
  }

  /// Ends the output, with what all of it was.
  mutating func finish(_ summary: StreamSummary) throws(CommandFailure) {
    guard list == nil else {
      try list?.add { json in
        json.object { json in
          json.member("type", "summary")
          json.member("streams", summary.streams)
          json.member("packets", summary.packets)
          json.member("bytes", summary.bytes)
          json.member("left_over", summary.leftOver)
          json.member("violations", summary.violations)
        }
      }
      try list?.finish()
      return
    }
    if notShown > 0 { try console.write("… \(notShown) more packets\n") }
    let text = summary.text
    try console.write(
      (summary.violations > 0 ? style.red(text) : style.bold(text)) + "\n")
  }

  private func mark(_ source: Source) -> String {
    let arrow = source.direction == .clientToServer ? "→" : "←"
    guard let stream = source.stream else { return "" }
    return style.dim("stream \(stream) \(arrow)") + " "
  }

  private func opcode(of packet: [UInt8], _ direction: CaptureDirection) -> UInt64? {
    guard let field = opcodes[direction], packet.count >= field.end else { return nil }
    let bytes = packet[field.offset..<field.end]
    return (field.endianness == .big ? Array(bytes) : bytes.reversed())
      .reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func hex(_ number: UInt64) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return "0x" + (digits.utf8.count % 2 == 0 ? "" : "0") + digits
  }
}

/// What was cut in all.
struct StreamSummary {
  /// Nil when there is one stream alone.
  var streams: Int?
  var packets = 0
  var bytes = 0
  var leftOver = 0
  var violations = 0

  var text: String {
    var parts = streams.map { ["\($0) \($0 == 1 ? "stream" : "streams")"] } ?? []
    parts.append("\(packets) \(packets == 1 ? "packet" : "packets")")
    parts.append(byteText(bytes))
    if leftOver > 0 { parts.append("\(byteText(leftOver)) left over") }
    parts.append(
      violations == 0
        ? "no violation" : violations == 1 ? "1 violation" : "\(violations) violations")
    return parts.joined(separator: ", ")
  }
}

private func byteText(_ count: Int) -> String { "\(count) \(count == 1 ? "byte" : "bytes")" }

extension JSONWriter {
  fileprivate mutating func source(_ source: PacketPrinter.Source) {
    if let stream = source.stream { member("stream", stream) }
    switch source.direction {
    case .clientToServer: member("direction", "client_to_server")
    case .serverToClient: member("direction", "server_to_client")
    }
  }
}
