internal import CPcap
internal import Glibc
internal import Synchronization

/// Reads the TCP segments of a .pcap or .pcapng file, by libpcap.
///
/// The library is loaded at the first use. Not to be shared between threads.
@safe
public final class CaptureReader {
  /// Packets that were read, and what became of those that are no TCP segment.
  public struct Statistics: Equatable, Sendable {
    public var packets: UInt64 = 0
    /// Packets of which the capture has the beginning only.
    public var shortened: UInt64 = 0
    /// Indexed by ``PacketParser/Skipped/rawValue``.
    public var skipped = [UInt64](repeating: 0, count: PacketParser.Skipped.allCases.count)
  }

  /// The longest packet that is taken, in bytes: libpcap's own bound for a network's packets.
  private static let packetBytesMax: UInt32 = 262_144

  private let capture: OpaquePointer
  private let link: LinkType
  public private(set) var statistics = Statistics()

  /// The library can't be loaded twice at a time.
  private static let loading = Mutex(())

  /// Whether a file that begins like this is a capture: the magic numbers of .pcap, in both byte
  /// orders, and of .pcapng.
  public static func isCapture(_ front: [UInt8]) -> Bool {
    let magics: [[UInt8]] = [
      [0xa1, 0xb2, 0xc3, 0xd4], [0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d],
      [0x4d, 0x3c, 0xb2, 0xa1], [0x0a, 0x0d, 0x0d, 0x0a],
    ]
    return magics.contains { front.starts(with: $0) } && front.count >= 24
  }

  /// Reads a file, or standard input for `-`.
  public init(path: String) throws(CaptureError) {
    let failure = Self.loading.withLock { _ in
      unsafe cpcap_load().map { unsafe String(cString: $0) }
    }
    if let failure { throw .libraryMissing(failure) }
    let descriptor =
      unsafe path == "-"
      ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else { throw .cannotOpen(systemText(errno)) }
    guard let file = unsafe fdopen(descriptor, "rb") else {
      let code = errno
      close(descriptor)
      throw .cannotOpen(systemText(code))
    }
    var text = [CChar](repeating: 0, count: Int(CPCAP_ERROR_BYTES) + 1)
    guard let opened = unsafe cpcap_open(file, &text) else {
      unsafe fclose(file)
      let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw .cannotOpen(String(decoding: bytes, as: UTF8.self))
    }
    let value = unsafe cpcap_link_type(opened)
    guard let link = LinkType(value: value) else {
      unsafe cpcap_close(opened)
      throw .unsupportedLinkType(value)
    }
    unsafe capture = opened
    self.link = link
  }

  deinit { unsafe cpcap_close(capture) }

  /// The next TCP segment; nil at the file's end.
  public func next() throws(CaptureError) -> TCPSegment? {
    while true {
      var header: UnsafeMutablePointer<cpcap_header>?
      var bytes: UnsafePointer<UInt8>?
      switch unsafe cpcap_next(capture, &header, &bytes) {
      case 1: break
      case -2: return nil
      default:
        let reason = unsafe cpcap_error(capture).map { unsafe String(cString: $0) } ?? "unknown"
        throw .broken(packets: statistics.packets, reason)
      }
      guard let header = unsafe header?.pointee, let start = unsafe bytes else { continue }
      statistics.packets += 1
      if header.captured_bytes < header.original_bytes { statistics.shortened += 1 }
      // SAFETY: so many bytes lie there until the next call; they are copied.
      let packet = unsafe Array(
        UnsafeBufferPointer(
          start: start, count: Int(min(header.captured_bytes, Self.packetBytesMax))))
      switch PacketParser.parse(packet, link, time: Self.nanoseconds(header.time)) {
      case .segment(let segment): return segment
      case .skipped(let reason): statistics.skipped[reason.rawValue] += 1
      }
    }
  }

  /// Its `tv_usec` holds nanoseconds, as was asked for.
  private static func nanoseconds(_ time: timeval) -> UInt64 {
    UInt64(clamping: time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000).partialValue
      &+ UInt64(clamping: time.tv_usec)
  }

  /// Gathers all streams of a file in memory, up to the collector's bounds.
  ///
  /// - Parameter serverPort: streams to other ports are left out.
  public static func streams(
    path: String, serverPort: UInt16? = nil, limits: StreamCollector.Limits = .init()
  ) throws(CaptureError) -> [RecordedStream] {
    let reader = try CaptureReader(path: path)
    var tracker = StreamTracker(serverPort: serverPort)
    var collector = StreamCollector(limits: limits)
    var events: [CaptureEvent] = []
    while let segment = try reader.next() {
      tracker.take(segment, into: &events)
      for event in events { collector.take(event) }
      events.removeAll(keepingCapacity: true)
    }
    tracker.finish(into: &events)
    for event in events { collector.take(event) }
    return collector.streams
  }
}

private func systemText(_ code: Int32) -> String {
  unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
