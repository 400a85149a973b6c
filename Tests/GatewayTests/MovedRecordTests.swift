import Auth
import Primitives
import Testing

@testable import Framing
@testable import Gateway

/// Goal: a session comes out of its moves as it went in, each field of what it takes along.
///
/// Method: no worker is there, so that a session which comes to a shard goes back at once, and
/// nothing happens to it but that. Its fields are gone through by reflection: one that is added and
/// not set here, or not unpacked, is noticed.
@Suite struct MovedRecordTests {
  /// Fields that say which session it is; they are never blank.
  private static let names: Set = ["sender", "uuid", "listener", "client"]

  private func fields(_ moving: MovingSession) -> [String: String] {
    let fields = Mirror(reflecting: moving).children.map { ($0.label!, "\($0.value)") }
    return Dictionary(uniqueKeysWithValues: fields)
  }

  /// The names of the fields in which the two differ.
  private func differences(_ a: MovingSession, _ b: MovingSession) -> Set<String> {
    let (first, second) = (fields(a), fields(b))
    return Set(first.keys.filter { first[$0] != second[$0] })
  }

  /// Two shards that have lost their workers, and a client that waits at the door, in a place that
  /// it won't have elsewhere.
  private func deserted() -> (group: VirtualGroup, index: UInt32) {
    let group = VirtualGroup { configuration in
      configuration.listeners.append(configuration.listeners[0])
      configuration.listeners[1].name = "other"
      configuration.listeners[1].port += 1
    }
    for worker in group.workers.indices { group.remove(worker) }
    group.settle()
    let client = (0..<2).map { _ in group.connect(listener: 1) }[1]
    group.settle()
    return (group, group.clients[client].id!.index)
  }

  /// Hands the session over, and returns what would go to the other shard.
  private func handOver(_ index: UInt32, _ group: VirtualGroup) -> MovingSession? {
    let door = group.door
    door.shard.handOver(index, to: 1, now: group.now, effects: &door.effects)
    return takeSent(of: door)
  }

  private func takeSent(of world: VirtualWorld) -> MovingSession? {
    defer { world.effects.removeAll() }
    return world.effects.messages.compactMap { $0.1.movingSessions?.sessions.first }.first
  }

  /// The session with all that can be otherwise, otherwise, and no two values alike.
  private func changed(_ blank: MovingSession) -> MovingSession {
    func instant(_ number: UInt64) -> Instant { Instant(nanoseconds: number * 1_000_000_007) }
    var moving = blank
    moving.account = AccountName("Anna")
    moving.attributes = [Credentials.Attribute(name: "clan", value: "red")]
    moving.hasEnded = true
    moving.isLimited = true
    moving.hadWorker = true
    moving.isAllowed = true
    moving.isRecorded = true
    moving.takesQueue = true
    moving.wasHeld = true
    moving.unanswered = 101
    moving.packetsWaiting = 102
    moving.received = Array(1...103)
    moving.heldByteCount = 17
    moving.fromClient.scanned = 18
    moving.fromClient.plugin = 19
    moving.toClient.packets = 20
    moving.toClient.isAuthenticated = true
    moving.queue = Array(50...200)
    moving.openedAt = instant(1)
    moving.activeAt = instant(2)
    moving.packetAt = instant(3)
    moving.waitingSince = instant(4)
    moving.progressAt = instant(5)
    let pace = RatePace(Rate(perSecond: 1, burst: 1000))
    _ = moving.packetMeter.take(21, of: pace, now: instant(6))
    _ = moving.byteMeter.take(22, of: pace, now: instant(6))
    moving.limitedUntil = instant(7)
    moving.outputsBefore = 24
    moving.traffic = Traffic(
      packetsIn: 111, bytesIn: 112, messagesOut: 113, bytesOut: 114)
    return moving
  }

  /// What the door knows of a session without being told by the shard that has it.
  private func tellDoor(_ moving: MovingSession, _ index: UInt32, _ group: VirtualGroup) {
    let door = group.door
    door.shard.sessions[index].isAllowed = moving.isAllowed
    door.shard.sessions[index].recording = RecordingMark(slot: 0, number: 1)
    door.shard.sessions[index].identity = door.shard.identities.add(
      moving.account!, moving.attributes, session: index)
  }

  @Test func allOfASessionGoesThereAndBack() throws {
    let (group, index) = deserted()
    let (door, other) = (group.door, group.shards[1])
    let blank = try #require(handOver(index, group))
    let moving = changed(blank)
    #expect(blank.listener == 1)
    #expect(
      differences(moving, blank) == Set(fields(blank).keys).subtracting(Self.names),
      "a field is not set in this test")

    tellDoor(moving, index, group)
    var batch = MovingSessions(pool: 0)
    batch.sessions = [moving]
    take(.sessions(batch), from: 0, other, group)
    var returned = try #require(takeSent(of: other))
    // It waits from the moment on at which it came, and has heard what had come there.
    #expect(differences(returned, moving) == ["sender", "waitingSince", "outputsBefore"])
    #expect(returned.waitingSince == group.now && returned.outputsBefore == 0)
    #expect(other.shard.live.isEmpty && other.shard.clientQueueBytes == 0)
    #expect(other.shard.leftovers() == [])

    returned.outputsBefore = 24
    batch.sessions = [returned]
    take(.returned(batch), from: 1, door, group)
    door.effects.removeAll()
    #expect(door.shard.clientQueueBytes == moving.queue.count)
    let again = try #require(handOver(index, group))
    #expect(differences(again, returned) == ["sender"])
    #expect(again.sender == blank.sender)
    expectAway(index, door)
  }

  private func take(
    _ message: ShardMessage, from sender: Int, _ world: VirtualWorld, _ group: VirtualGroup
  ) {
    _ = world.shard.take(message, from: sender, now: group.now, effects: &world.effects)
    while world.shard.continueTaking(now: group.now, effects: &world.effects) {}
  }

  /// Goal: what went along is not here as well.
  private func expectAway(_ index: UInt32, _ door: VirtualWorld) {
    func check(_ isTrue: Bool, _ field: String) { #expect(isTrue, "\(field)") }
    check(door.shard.sessions[index].phase == .away, "phase")
    check(door.shard.sessions[index].shard == 1, "shard")
    check(door.shard.sessions[index].pauses == .away, "pauses")
    check(!door.shard.sessions[index].isRead, "isRead")
    check(door.shard.sessions[index].received.isEmpty, "received")
    check(door.shard.sessions[index].heldByteCount == 0, "heldByteCount")
    check(door.shard.sessions[index].queue.isEmpty, "queue")
    check(!door.shard.sessions[index].takesQueue, "takesQueue")
    check(!door.shard.sessions[index].wasHeld, "wasHeld")
    check(door.shard.sessions[index].fromClient == FramerState(), "fromClient")
    check(door.shard.sessions[index].toClient == FramerState(), "toClient")
    check("\(door.shard.sessions[index].traffic)" == "\(Traffic())", "traffic")
    check(door.shard.sessionTimers.deadline(of: index) == nil, "its timer")
    check(door.shard.clientQueueBytes == 0, "clientQueueBytes")
  }
}
