import Primitives
import Testing

@testable import Gateway

/// Goal: a session is recorded at the door, wherever it is.
@Suite struct RecordingElsewhereTests {
  private struct Recorded {
    var up: [UInt8] = []
    var down: [UInt8] = []
    var kinds: [RecordedEvent.Kind] = []
    var summary: RecordingSummary?
  }

  private func record(_ group: VirtualGroup, bytesMax: Int = 16 << 20) throws -> RecordingID {
    var request = RecordingRequest(listener: "game")
    request.bytesMax = bytesMax
    let token = group.door.command(.startRecording(request))
    guard case .recordingStarted(let id)? = group.door.replies(to: token).first else {
      throw CommandError.unknownRecording
    }
    return id
  }

  /// Takes what was recorded of one session.
  private func take(_ id: RecordingID, _ session: Int, _ group: VirtualGroup) -> Recorded {
    var recorded = Recorded()
    let token = group.door.command(.takeRecorded(id))
    guard case .recorded(let batch)? = group.door.replies(to: token).first else { return recorded }
    recorded.summary = batch.summary
    var place = 0
    for event in batch.events {
      let bytes = batch.bytes[place..<place + event.byteCount]
      place += event.byteCount
      guard event.session == session else { continue }
      recorded.kinds.append(event.kind)
      if event.kind == .fromClient { recorded.up += bytes }
      if event.kind == .toClient { recorded.down += bytes }
    }
    return recorded
  }

  /// Goal: all that a session sends and is given is there, in order, also behind two moves.
  @Test func bothDirectionsAreRecorded() throws {
    let group = VirtualGroup(shards: 3, workers: 3)
    let id = try record(group)
    let client = (0..<2).map { _ in group.connect() }[1]
    var sent: [UInt8] = []
    for round in 0..<3 {
      let packet = Numbered.packet(client, round, padding: 30)
      sent += packet
      group.send(client, packet)
      group.settle()
      if let worker = group.workers(of: client).last, round < 2 {
        let here = group.shard(ofWorker: worker) == group.shard(of: client) ? worker : 2
        group.remove(here)
        group.settle()
      }
    }
    group.door.end(client)
    group.advance(.seconds(1))
    let recorded = take(id, 1, group)
    #expect(recorded.up == sent)
    #expect(recorded.down == group.clients[client].received)
    #expect(recorded.kinds.first == .opened)
    #expect(Array(recorded.kinds.suffix(2)) == [.clientEnded, .closed])
    #expect(group.shards.allSatisfy { $0.shard.recordingBytesInFlight == 0 })
  }

  /// Goal: a recording that is over is over on all shards.
  @Test func recordingsEndEverywhere() throws {
    let group = VirtualGroup()
    let id = try record(group)
    let client = (0..<2).map { _ in group.connect() }[1]
    group.send(client, numbers: 0..<1)
    group.settle()
    #expect(group.shards[1].shard.sessions[group.clients[client].id!.index].recording.isSet)
    group.door.command(.stopRecording(id))
    group.settle()
    #expect(!group.shards[1].shard.sessions[group.clients[client].id!.index].recording.isSet)
    group.send(client, numbers: 1..<3)
    group.settle()
    #expect(group.echoed(client) == [0, 1, 2])
  }

  /// Goal: what the door does not take is bounded; the session goes on without its recording.
  @Test func whatIsUnderWayIsBounded() throws {
    let group = VirtualGroup()
    let id = try record(group)
    let client = (0..<2).map { _ in group.connect() }[1]
    group.settle()
    group.isHeld = { from, _ in from == 1 }
    group.send(client, numbers: 0..<300, padding: 20_000)
    group.settle()
    #expect(group.shards[1].shard.recordingBytesInFlight <= 4 << 20)
    #expect(group.shards[1].shard.recordingBytesInFlight > 3 << 20)
    group.isHeld = { _, _ in false }
    group.settle()
    let recorded = take(id, 1, group)
    #expect(recorded.summary?.sessionsCut == 1)
    #expect(recorded.up.count > 1 << 20)
    #expect(group.clients[client].received.count == 300 * 20_005)
    #expect(group.shards[1].shard.recordingBytesInFlight == 0)
  }
}
