public import Primitives

/// Writes streams as a .pcap file, with made-up packets around their bytes, so that other programs
/// read them.
///
/// The format is that of libpcap (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-03.html)
/// with times in nanoseconds, little-endian, and packets that begin with their IP header. A value
/// for one connection: it knows how far each side has come. A file is ``fileHeader`` and whatever
/// the connections append, in the order of time.
public struct CaptureWriter: Equatable, Sendable {
  /// What a file begins with.
  public static let fileHeader: [UInt8] = {
    var header: [UInt8] = []
    header.append32(0xa1b2_3c4d, isLittle: true)
    // Version 2.4.
    header.append32(0x0004_0002, isLittle: true)
    header.append32(0, isLittle: true)
    header.append32(0, isLittle: true)
    header.append32(UInt32(packetBytesMax), isLittle: true)
    header.append32(101, isLittle: true)
    return header
  }()

  /// The longest packet that readers take, in bytes.
  private static let packetBytesMax = 262_144
  /// Bytes of a stream in one packet; an IPv4 packet has at most 65,535.
  public static let segmentBytesMax = 60 << 10

  public let client: SocketAddress
  public let server: SocketAddress
  /// Bytes that the client has sent.
  private var fromClient: Side
  private var fromServer: Side

  private struct Side: Equatable, Sendable {
    /// The next byte's number: behind the SYN, whose number is 0.
    var sequence: UInt32 = 1
    var hasEnded = false
  }

  /// - Parameters:
  ///   - server: of the other family than the client's, its port alone is used.
  ///   - clientBytes: so many the client has sent already; wraps around where sequence numbers do.
  ///   - clientHasEnded: it has sent its last.
  public init(
    client: SocketAddress, server: SocketAddress, clientBytes: UInt64 = 0,
    serverBytes: UInt64 = 0, clientHasEnded: Bool = false
  ) {
    self.client = client
    if client.isIPv4 == server.isIPv4 {
      self.server = server
    } else if client.isIPv4 {
      self.server = SocketAddress(ipv4: 0, 0, 0, 0, port: server.port)
    } else {
      self.server = SocketAddress(ipv6: .init(repeating: 0), port: server.port)
    }
    fromClient = Side()
    fromServer = Side()
    fromClient.sequence &+= UInt32(truncatingIfNeeded: clientBytes)
    fromServer.sequence &+= UInt32(truncatingIfNeeded: serverBytes)
    if clientHasEnded {
      fromClient.sequence &+= 1
      fromClient.hasEnded = true
    }
  }

  /// Appends the handshake.
  ///
  /// - Parameter time: nanoseconds since 1970, here and below; seconds beyond 32 bits are cut off.
  public func writeOpening(at time: UInt64, into out: inout [UInt8]) {
    var packet = Packet(client, server, sequence: 0, acknowledgement: 0, flags: .synchronize)
    packet.write([], at: time, into: &out)
    packet = Packet(
      server, client, sequence: 0, acknowledgement: 1, flags: [.synchronize, .acknowledge])
    packet.write([], at: time, into: &out)
    packet = Packet(client, server, sequence: 1, acknowledgement: 1, flags: .acknowledge)
    packet.write([], at: time, into: &out)
  }

  /// Appends bytes of one direction.
  public mutating func write(
    _ bytes: ArraySlice<UInt8>, _ direction: CaptureDirection, at time: UInt64,
    into out: inout [UInt8]
  ) {
    var rest = bytes
    while !rest.isEmpty {
      let piece = rest.prefix(Self.segmentBytesMax)
      rest = rest.dropFirst(piece.count)
      packet(direction, [.acknowledge, .push]).write(piece, at: time, into: &out)
      advance(direction, UInt32(piece.count))
    }
  }

  /// Appends the end of one direction; once.
  public mutating func writeEnd(
    of direction: CaptureDirection, at time: UInt64, into out: inout [UInt8]
  ) {
    let hasEnded = direction == .clientToServer ? fromClient.hasEnded : fromServer.hasEnded
    guard !hasEnded else { return }
    packet(direction, [.acknowledge, .finish]).write([], at: time, into: &out)
    advance(direction, 1)
    switch direction {
    case .clientToServer: fromClient.hasEnded = true
    case .serverToClient: fromServer.hasEnded = true
    }
  }

  private mutating func advance(_ direction: CaptureDirection, _ count: UInt32) {
    switch direction {
    case .clientToServer: fromClient.sequence &+= count
    case .serverToClient: fromServer.sequence &+= count
    }
  }

  private func packet(_ direction: CaptureDirection, _ flags: TCPSegment.Flags) -> Packet {
    switch direction {
    case .clientToServer:
      Packet(
        client, server, sequence: fromClient.sequence, acknowledgement: fromServer.sequence,
        flags: flags)
    case .serverToClient:
      Packet(
        server, client, sequence: fromServer.sequence, acknowledgement: fromClient.sequence,
        flags: flags)
    }
  }
}

extension TCPSegment.Flags {
  fileprivate static let push = TCPSegment.Flags(rawValue: 8)
}

/// An IP packet with a TCP segment in it.
private struct Packet {
  private let source: SocketAddress
  private let destination: SocketAddress
  private let sequence: UInt32
  private let acknowledgement: UInt32
  private let flags: TCPSegment.Flags

  init(
    _ source: SocketAddress, _ destination: SocketAddress, sequence: UInt32,
    acknowledgement: UInt32, flags: TCPSegment.Flags
  ) {
    self.source = source
    self.destination = destination
    self.sequence = sequence
    self.acknowledgement = acknowledgement
    self.flags = flags
  }

  /// Appends a record of the file: time, lengths, packet.
  func write(_ payload: ArraySlice<UInt8>, at time: UInt64, into out: inout [UInt8]) {
    let segment = segment(payload)
    let header = source.isIPv4 ? header4(segment.count) : header6(segment.count)
    let count = UInt32(header.count + segment.count)
    out.append32(UInt32(truncatingIfNeeded: time / 1_000_000_000), isLittle: true)
    out.append32(UInt32(time % 1_000_000_000), isLittle: true)
    out.append32(count, isLittle: true)
    out.append32(count, isLittle: true)
    out += header
    out += segment
  }

  /// RFC 9293 section 3.1, without options.
  private func segment(_ payload: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(20 + payload.count)
    bytes.append16(source.port)
    bytes.append16(destination.port)
    bytes.append32(sequence)
    bytes.append32(acknowledgement)
    bytes += [5 << 4, flags.rawValue]
    bytes.append16(0xffff)
    bytes.append16(0)
    bytes.append16(0)
    bytes += payload
    var checksum = Checksum()
    let family = addressBytes
    checksum.add(address(source).suffix(family))
    checksum.add(address(destination).suffix(family))
    checksum.add(number: 6)
    checksum.add(number: UInt32(bytes.count))
    checksum.add(bytes[...])
    let sum = checksum.finish()
    bytes[16] = UInt8(sum >> 8)
    bytes[17] = UInt8(sum & 0xff)
    return bytes
  }

  private var addressBytes: Int { source.isIPv4 ? 4 : 16 }

  /// RFC 791 section 3.1: never a fragment, at most 64 hops, TCP.
  private func header4(_ payloadBytes: Int) -> [UInt8] {
    var bytes: [UInt8] = [0x45, 0]
    bytes.append16(UInt16(20 + payloadBytes))
    bytes += [0, 0, 0x40, 0, 64, 6, 0, 0]
    bytes += address(source).suffix(4)
    bytes += address(destination).suffix(4)
    var checksum = Checksum()
    checksum.add(bytes[...])
    let sum = checksum.finish()
    bytes[10] = UInt8(sum >> 8)
    bytes[11] = UInt8(sum & 0xff)
    return bytes
  }

  /// RFC 8200 section 3.
  private func header6(_ payloadBytes: Int) -> [UInt8] {
    var bytes: [UInt8] = [0x60, 0, 0, 0]
    bytes.append16(UInt16(payloadBytes))
    bytes += [6, 64]
    return bytes + address(source) + address(destination)
  }

  private func address(_ address: SocketAddress) -> ArraySlice<UInt8> {
    (0..<16).map { address.bytes[$0] }[...]
  }
}

/// The checksum of RFC 1071.
private struct Checksum {
  private var sum: UInt64 = 0

  /// Only the last that is added may have an odd count.
  mutating func add(_ bytes: ArraySlice<UInt8>) {
    var index = bytes.startIndex
    while index + 1 < bytes.endIndex {
      sum += UInt64(bytes[index]) << 8 | UInt64(bytes[index + 1])
      index += 2
    }
    if index < bytes.endIndex { sum += UInt64(bytes[index]) << 8 }
  }

  mutating func add(number: UInt32) { sum += UInt64(number >> 16) + UInt64(number & 0xffff) }

  func finish() -> UInt16 {
    var folded = sum
    while folded > 0xffff { folded = (folded & 0xffff) + folded >> 16 }
    return ~UInt16(folded)
  }
}

extension [UInt8] {
  fileprivate mutating func append16(_ value: UInt16) {
    append(UInt8(value >> 8))
    append(UInt8(value & 0xff))
  }

  fileprivate mutating func append32(_ value: UInt32, isLittle: Bool = false) {
    let ordered = isLittle ? value.byteSwapped : value
    append16(UInt16(ordered >> 16))
    append16(UInt16(ordered & 0xffff))
  }
}
