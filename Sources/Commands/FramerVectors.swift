internal import Auth
internal import Captures
internal import Configuration
internal import Framing
internal import JSON

/// Tries a definition's own vectors: each is cut as a whole, and byte by byte.
func testVectors(_ definition: FramerDefinition, _ call: Call) throws -> ExitStatus {
  guard !definition.vectors.isEmpty else {
    throw CommandFailure("the definition has no vectors; name an INPUT, or --pcap CAPTURE")
  }
  let style = TerminalStyle(call.console.surroundings)
  var list = call.has(.json) ? try JSONList(call.console) : nil
  var failures = 0
  for vector in definition.vectors {
    let problem = try definition.problem(of: vector)
    if problem != nil { failures += 1 }
    try list?.add { json in
      json.object { json in
        json.member("type", "vector")
        json.member("name", vector.name)
        json.member("direction", vector.direction.rawValue)
        json.member("packets", vector.packets.count)
        json.key("problem")
        if let problem { json.string(problem) } else { json.null() }
      }
    }
    guard list == nil else { continue }
    let result = problem == nil ? style.green("good") : style.red("wrong")
    try call.console.write(
      "\(result)  \(visible(vector.name))" + (problem.map { ": \($0)" } ?? "") + "\n")
  }
  if let list { try list.finish() }
  let count = definition.vectors.count
  call.console.note(
    failures == 0
      ? "all \(count) vectors are cut as they say"
      : "\(failures) of \(count) vectors are not cut as they say")
  return failures == 0 ? .done : .failed
}

extension FramerDefinition {
  /// What of a vector is not as it says; nil when all is.
  func problem(of vector: FramerVector) throws -> String? {
    let direction: CaptureDirection =
      vector.direction == .clientToServer ? .clientToServer : .serverToClient
    let framer = try CompiledFramer(framer(of: direction))
    let stream = vector.packets.joined() + vector.rest
    for pieceBytes in [max(stream.count, 1), 1] {
      let cut = VectorCut(Array(stream), framer, vector.authenticatedAfter, pieceBytes: pieceBytes)
      if let problem = cut.problem(vector) {
        return problem + (pieceBytes == 1 ? " (when it comes byte by byte)" : "")
      }
    }
    return vector.login.isEmpty ? nil : loginProblem(vector, framer)
  }

  private func loginProblem(_ vector: FramerVector, _ framer: CompiledFramer) -> String? {
    guard let login else { return "it says what the login has, and the definition has no [login]" }
    let stream = Array(vector.packets.joined())
    let cut = VectorCut(
      stream, framer, vector.authenticatedAfter, pieceBytes: max(1, stream.count))
    var progress = LoginProgress()
    for packet in cut.packets {
      let handedOn = packet.bytes.dropLast(packet.dropped)
      let step = unsafe handedOn.withUnsafeBytes { unsafe progress.take($0, of: login) }
      switch step.next {
      case .more: continue
      case .complete(let credentials): return difference(credentials, vector.login)
      case .close: return "the login is answered and the session closed"
      case .fault(let fault):
        let field = step.field.map { " in \($0)" } ?? ""
        return "the login is no login: \(fault.rawValue)\(field)"
      }
    }
    return "the login is not complete after these packets"
  }

  private func difference(_ found: Credentials, _ expected: [String: String]) -> String? {
    for (name, value) in expected.sorted(by: { $0.key < $1.key }) {
      let actual: String?
      switch name {
      case "account": actual = found.account
      case "secret", "password", "token", "ticket":
        if HexDump.plainHex(found.secret) == value.lowercased() { continue }
        actual = String(decoding: found.secret, as: UTF8.self)
      default: actual = found.attributes.first { $0.name == name }?.value
      }
      guard actual != value else { continue }
      let shown = actual.map { quoted($0) } ?? "not there"
      return "the login's \(name) is \(shown), not \(quoted(value))"
    }
    return nil
  }
}

/// A vector's stream, cut.
private struct VectorCut {
  private(set) var packets: [PacketStream.Packet] = []
  private let end: PacketStream.Break?
  private let leftOver: Int

  /// - Parameter pieceBytes: the stream comes in pieces of so many bytes.
  init(
    _ stream: [UInt8], _ framer: CompiledFramer, _ authenticatedAfter: Int?, pieceBytes: Int
  ) {
    let cut = PacketStream(framer)
    if authenticatedAfter == 0 { cut.authenticate() }
    var packets: [PacketStream.Packet] = []
    for start in stride(from: 0, to: stream.count, by: pieceBytes) {
      cut.take(stream[start..<min(start + pieceBytes, stream.count)]) { packet in
        // A raw stage has no packets: all of it counts as one.
        if packet.isRaw, packets.last?.isRaw == true {
          packets[packets.count - 1].bytes += packet.bytes
        } else {
          packets.append(packet)
        }
        if packets.count == authenticatedAfter { cut.authenticate() }
      }
    }
    self.packets = packets
    end = cut.end
    // Behind a violation nothing more is taken.
    leftOver = stream.count - cut.offset
  }

  func problem(_ vector: FramerVector) -> String? {
    for (index, expected) in vector.packets.enumerated() {
      guard index < packets.count else {
        return "packet \(index + 1) is not cut" + (end.map { ": \($0.violation)" } ?? "")
      }
      guard packets[index].bytes != expected else { continue }
      return "packet \(index + 1) has \(packets[index].bytes.count) bytes, not \(expected.count)"
    }
    guard packets.count == vector.packets.count else {
      return "\(packets.count) packets are cut, not \(vector.packets.count)"
    }
    guard end?.violation.name == vector.violation else {
      return "behind the packets stands \(end?.violation.name ?? "no violation"), not "
        + (vector.violation ?? "no violation")
    }
    guard leftOver == vector.rest.count else {
      return "\(leftOver) bytes are left over, not \(vector.rest.count)"
    }
    return nil
  }
}
