public import Primitives

/// All that was captured of one connection: the bytes of both directions, in order.
public struct RecordedStream: Equatable, Sendable {
  /// What was sent at a time.
  public struct Chunk: Equatable, Sendable {
    public var direction: CaptureDirection
    /// Bytes of its direction, behind those of the chunks before.
    public var byteCount: Int
    /// Nanoseconds since 1970.
    public var time: UInt64

    public init(direction: CaptureDirection, byteCount: Int, time: UInt64) {
      self.direction = direction
      self.byteCount = byteCount
      self.time = time
    }
  }

  public var client: SocketAddress
  public var server: SocketAddress
  public var clientToServer: [UInt8] = []
  public var serverToClient: [UInt8] = []
  /// In the order in which they were captured.
  public var chunks: [Chunk] = []
  public var clientEnd = CapturedDirectionEnd()
  public var serverEnd = CapturedDirectionEnd()
  /// There was more than was kept.
  public var isShortened = false

  public init(client: SocketAddress, server: SocketAddress) {
    self.client = client
    self.server = server
  }
}

/// Gathers the streams of a capture in memory, up to bounds.
public struct StreamCollector {
  /// Bounds on what is kept.
  public struct Limits: Sendable {
    public var streamsMax = 4096
    /// Of one stream, both directions together, in bytes.
    public var streamBytesMax = 4 << 20
    /// Of all streams, in bytes.
    public var bytesMax = 256 << 20

    public init() {}
  }

  /// What a chunk costs beside its bytes.
  private static let chunkBytes = 24

  private let limits: Limits
  private var bytes = 0
  /// Places in ``streams``, by a stream's number.
  private var places: [Int: Int] = [:]
  private var streamBytes: [Int] = []
  public private(set) var streams: [RecordedStream] = []
  /// Streams for which there was no room.
  public private(set) var streamsLeftOut = 0

  public init(limits: Limits = Limits()) { self.limits = limits }

  public mutating func take(_ event: CaptureEvent) {
    switch event {
    case .opened(let stream):
      guard streams.count < limits.streamsMax else {
        streamsLeftOut += 1
        return
      }
      places[stream.number] = streams.count
      streams.append(RecordedStream(client: stream.client, server: stream.server))
      streamBytes.append(0)
    case .bytes(let number, let direction, let bytes, let time):
      guard let place = places[number] else { return }
      append(bytes, direction, time, to: place)
    case .ended(let number, let client, let server):
      guard let place = places.removeValue(forKey: number) else { return }
      streams[place].clientEnd = client
      streams[place].serverEnd = server
    }
  }

  private mutating func append(
    _ new: ArraySlice<UInt8>, _ direction: CaptureDirection, _ time: UInt64, to place: Int
  ) {
    let room = min(limits.streamBytesMax - streamBytes[place], limits.bytesMax - bytes)
    let kept = new.prefix(max(0, room - Self.chunkBytes))
    // What follows a gap would be no stream.
    guard !streams[place].isShortened, !kept.isEmpty else {
      streams[place].isShortened = true
      return
    }
    streams[place].isShortened = kept.count < new.count
    streamBytes[place] += kept.count + Self.chunkBytes
    bytes += kept.count + Self.chunkBytes
    streams[place].chunks.append(
      RecordedStream.Chunk(direction: direction, byteCount: kept.count, time: time))
    switch direction {
    case .clientToServer: streams[place].clientToServer += kept
    case .serverToClient: streams[place].serverToClient += kept
    }
  }
}
