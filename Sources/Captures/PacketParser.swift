internal import Primitives

/// Finds the TCP segment in a captured packet.
///
/// Lengths are those that the headers name, as far as so many bytes were captured: what a link adds
/// behind a short packet is no payload.
public struct PacketParser {
  /// What a packet is.
  public enum Outcome: Equatable, Sendable {
    case segment(TCPSegment)
    case skipped(Skipped)
  }

  /// Why a packet is left out.
  public enum Skipped: Int, Sendable, CaseIterable {
    /// ARP and the like.
    case notIP
    case notTCP
    /// A part of an IP packet; fragments are not put together.
    case fragment
    /// A header is cut off, or contradicts itself.
    case malformed
  }

  /// VLAN tags (IEEE 802.1Q), and extension headers, in one packet.
  private static let headersMax = 8

  private let bytes: ArraySlice<UInt8>
  private let time: UInt64

  private init(_ bytes: [UInt8], _ time: UInt64) {
    self.bytes = bytes[...]
    self.time = time
  }

  /// - Parameter time: nanoseconds since 1970.
  public static func parse(_ bytes: [UInt8], _ link: LinkType, time: UInt64) -> Outcome {
    let parser = PacketParser(bytes, time)
    do throws(Failure) {
      return .segment(try parser.segment(behind: link))
    } catch {
      return .skipped(error.reason)
    }
  }

  private struct Failure: Error {
    var reason: Skipped

    init(_ reason: Skipped) { self.reason = reason }
  }

  // MARK: Links

  private func segment(behind link: LinkType) throws(Failure) -> TCPSegment {
    switch link {
    case .rawIP: try packet(at: 0)
    case .loopback: try packet(at: 4)
    case .ethernet: try packet(at: 14, ofType: try number16(at: 12))
    case .linuxCooked: try packet(at: 16, ofType: try number16(at: 14))
    case .linuxCooked2: try packet(at: 20, ofType: try number16(at: 0))
    }
  }

  private func packet(at start: Int, ofType first: UInt16) throws(Failure) -> TCPSegment {
    var start = start
    var type = first
    for _ in 0..<Self.headersMax {
      switch type {
      case 0x0800, 0x86dd: return try packet(at: start)
      // VLAN tags: 802.1Q, 802.1ad and what was used before it.
      case 0x8100, 0x88a8, 0x9100:
        type = try number16(at: start + 2)
        start += 4
      default: throw Failure(.notIP)
      }
    }
    throw Failure(.malformed)
  }

  // MARK: IP

  private func packet(at start: Int) throws(Failure) -> TCPSegment {
    switch try byte(at: start) >> 4 {
    case 4: try version4(at: start)
    case 6: try version6(at: start)
    default: throw Failure(.notIP)
    }
  }

  /// RFC 791 section 3.1.
  private func version4(at start: Int) throws(Failure) -> TCPSegment {
    let headerBytes = Int(try byte(at: start) & 15) * 4
    let total = Int(try number16(at: start + 2))
    let fragment = try number16(at: start + 6)
    let source = try address4(at: start + 12)
    let destination = try address4(at: start + 16)
    // A total of 0 is what a card that cuts large packets itself leaves in a capture.
    guard headerBytes >= 20, total >= headerBytes || total == 0 else { throw Failure(.malformed) }
    guard fragment & 0x3fff == 0 else { throw Failure(.fragment) }
    guard try byte(at: start + 9) == 6 else { throw Failure(.notTCP) }
    let end = total == 0 ? bytes.count : min(bytes.count, start + total)
    return try tcp(at: start + headerBytes, end, source, destination)
  }

  /// RFC 8200 section 3.
  private func version6(at start: Int) throws(Failure) -> TCPSegment {
    let payloadBytes = Int(try number16(at: start + 4))
    let source = try address6(at: start + 8)
    let destination = try address6(at: start + 24)
    let end = payloadBytes == 0 ? bytes.count : min(bytes.count, start + 40 + payloadBytes)
    var next = try byte(at: start + 6)
    var place = start + 40
    for _ in 0..<Self.headersMax {
      switch next {
      case 6: return try tcp(at: place, end, source, destination)
      // Hop-by-hop, routing, destination options, mobility: lengths in units of 8 bytes.
      case 0, 43, 60, 135:
        next = try byte(at: place)
        place += (Int(try byte(at: place + 1)) + 1) * 8
      case 44:
        guard try number16(at: place + 2) & 0xfff9 == 0 else { throw Failure(.fragment) }
        next = try byte(at: place)
        place += 8
      // Authentication (RFC 4302 section 2.2): a length in units of 4 bytes.
      case 51:
        next = try byte(at: place)
        place += (Int(try byte(at: place + 1)) + 2) * 4
      default: throw Failure(.notTCP)
      }
    }
    throw Failure(.malformed)
  }

  // MARK: TCP

  private func tcp(
    at start: Int, _ end: Int, _ source: [16 of UInt8], _ destination: [16 of UInt8]
  ) throws(Failure) -> TCPSegment {
    let headerBytes = Int(try byte(at: start + 12) >> 4) * 4
    guard headerBytes >= 20, start + headerBytes <= end else { throw Failure(.malformed) }
    return TCPSegment(
      source: SocketAddress(ipv6: source, port: try number16(at: start)),
      destination: SocketAddress(ipv6: destination, port: try number16(at: start + 2)),
      sequence: try number32(at: start + 4), acknowledgement: try number32(at: start + 8),
      flags: TCPSegment.Flags(rawValue: try byte(at: start + 13)),
      payload: bytes[start + headerBytes..<end], time: time)
  }

  // MARK: Numbers

  private func byte(at place: Int) throws(Failure) -> UInt8 {
    guard place < bytes.count else { throw Failure(.malformed) }
    return bytes[place]
  }

  private func number16(at place: Int) throws(Failure) -> UInt16 {
    guard place + 2 <= bytes.count else { throw Failure(.malformed) }
    return UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
  }

  private func number32(at place: Int) throws(Failure) -> UInt32 {
    UInt32(try number16(at: place)) << 16 | UInt32(try number16(at: place + 2))
  }

  private func address4(at place: Int) throws(Failure) -> [16 of UInt8] {
    guard place + 4 <= bytes.count else { throw Failure(.malformed) }
    return SocketAddress(
      ipv4: bytes[place], bytes[place + 1], bytes[place + 2], bytes[place + 3], port: 0
    ).bytes
  }

  private func address6(at place: Int) throws(Failure) -> [16 of UInt8] {
    guard place + 16 <= bytes.count else { throw Failure(.malformed) }
    var address: [16 of UInt8] = .init(repeating: 0)
    for index in 0..<16 { address[index] = bytes[place + index] }
    return address
  }
}
