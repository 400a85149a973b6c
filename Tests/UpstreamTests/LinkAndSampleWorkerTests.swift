import Primitives
import SampleWorker
import Testing

@testable import Upstream

/// The project's own worker at the other end: two sides that were written apart.
@Suite struct LinkAndSampleWorkerTests {
  private let now = Instant(nanoseconds: 1_000_000_000)

  private func written(_ link: inout Link, _ seen: inout [LinkAction]) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let count = withUnsafeTemporaryAllocation(of: IOSlice.self, capacity: 4) { slices in
        slices.initialize(repeating: IOSlice(base: nil, count: 0))
        let (count, action) = link.prepareWrite(slices, now: now)
        seen.append(action)
        let pieces = slices[..<count].map { slice in
          Array(UnsafeRawBufferPointer(start: slice.base, count: slice.count))
        }
        link.wrote(pieces.reduce(0) { $0 + $1.count })
        bytes += pieces.joined()
        return count
      }
      if count == 0 { return bytes }
    }
  }

  /// Answers `ready` and `live` with yes, and packets with their own bytes.
  private func answer(_ worker: ServerConnection, _ paths: inout [Int32: String]) {
    while let event = worker.nextEvent() {
      switch event {
      case .opened(let stream, let path): paths[stream] = path
      case .message(let stream, let bytes):
        guard paths[stream]?.hasSuffix("bidirectionalStreaming") == true else {
          worker.send(Wire.integer(2, 1), on: stream)
          continue
        }
        guard case .bytes(let payload)? = Wire.fields(bytes)?.last?.value else { continue }
        worker.send(Wire.text(2, anyUUID) + Wire.bytes(4, payload), on: stream)
      case .ended(let stream): worker.finish(stream, status: .ok)
      case .closed: break
      }
    }
  }

  @Test func packetsAreEchoedUntilTheDrainEnds() throws {
    var link = Link(
      id: WorkerID(rawValue: 1), pool: 0,
      configuration: WorkerConfiguration(host: "::1", port: 1), messageBytesMax: 1 << 20, seed: 1)
    let worker = try ServerConnection()
    var paths: [Int32: String] = [:]
    var seen = [
      link.start(now: now), link.resolved([LinkHarness.address], now: now),
      link.connected(now: now),
    ]
    var echoed: [[UInt8]] = []

    func talk(_ link: inout Link) throws {
      while true {
        let out = written(&link, &seen)
        try worker.receive(out)
        answer(worker, &paths)
        let back = try worker.takeOutput()
        back.withUnsafeBytes { bytes in
          seen.append(link.receive(bytes, now: now))
          while true {
            switch link.nextDelivery(now: now) {
            case .nothing: return
            case .action(let action): seen.append(action)
            case .output(let output, _): echoed.append(Array(output.payload))
            }
          }
        }
        if out.isEmpty && back.isEmpty { return }
      }
    }

    try talk(&link)
    let isReady = link.isReady
    #expect(isReady)
    seen.append(link.deadlinePassed(now: now))
    let payloads = (0..<200).map { Array(repeating: UInt8($0), count: $0 * 20) }
    for payload in payloads {
      payload.withUnsafeBytes {
        link.sendPacket(
          $0, of: SessionUUID(text: anyUUID)!,
          time: TimestampText(unixMilliseconds: anyTimeMilliseconds))
      }
    }
    try talk(&link)
    let isSame = echoed == payloads
    #expect(isSame)
    seen.append(link.drain(.stayDrained, now: now, timeout: .seconds(9)))
    try talk(&link)
    let reason = link.lastEnd?.reason
    #expect(reason == .drained)
    #expect(link.takeUnsent() == [])
    #expect(paths.count == 3)
  }
}
