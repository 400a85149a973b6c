import Primitives
import Testing

@testable import Gateway

@Suite struct MergedRepliesTests {
  @Test func workersAreInTheOrderOfTheirIds() {
    let reply = MergedReplies.merge(
      [
        .workers([worker(1), worker(4)]), .workers([worker(5), worker(2)]), .workers([worker(3)]),
      ], to: .listWorkers)
    guard case .workers(let workers) = reply else { return #expect(Bool(false), "\(reply)") }
    #expect(workers.map(\.id.rawValue) == [1, 2, 3, 4, 5])
  }

  /// Goal: who asks is told of a failure, and not of what the other shards have.
  @Test func aFailureIsTheAnswer() {
    for replies: [Reply] in [
      [.failed(.shuttingDown), .workers([])], [.workers([]), .failed(.shuttingDown)],
    ] {
      guard case .failed(.shuttingDown) = MergedReplies.merge(replies, to: .listWorkers) else {
        Issue.record("no failure of \(replies)")
        return
      }
    }
  }

  // MARK: Sessions

  /// One shard's answer: what it has from a cursor on, as far as a page goes.
  private func page(_ slots: [UInt32], from cursor: UInt32, limit: Int) -> Reply {
    let all = slots.filter { $0 >= cursor }.sorted()
    return .sessions(
      all.prefix(limit).map { session($0) }, next: all.count > limit ? all[limit] : nil)
  }

  /// Goal: page by page each session is listed once, wherever it is.
  ///
  /// Method: sessions are dealt at random over shards and read with pages of all sizes; the model
  /// is one sorted list.
  @Test func pagesHaveEachSessionOnce() {
    var random = SeededRandom(seed: 17)
    for _ in 0..<200 {
      var shards = [[UInt32]](repeating: [], count: Int.random(in: 1...4, using: &random))
      var all: [UInt32] = []
      for slot in UInt32(0)..<60 where Int.random(in: 0..<3, using: &random) > 0 {
        shards[Int.random(in: shards.indices, using: &random)].append(slot)
        all.append(slot)
      }
      let limit = Int.random(in: 1...25, using: &random)
      var listed: [UInt32] = []
      var cursor: UInt32? = 0
      while let from = cursor {
        let reply = MergedReplies.merge(
          shards.map { page($0, from: from, limit: limit) },
          to: .listSessions(of: nil, cursor: from, limit: limit))
        guard case .sessions(let sessions, let next) = reply else {
          return #expect(Bool(false), "\(reply)")
        }
        #expect(sessions.count == limit || next == nil, "a page that is not full is the last")
        listed += sessions.map(\.slot)
        #expect(next.map { $0 > from } ?? true, "a page that leads nowhere")
        cursor = next
      }
      #expect(listed == all)
    }
  }

  /// Goal: a session that two shards know, since it moved meanwhile, is listed once.
  @Test func aSessionThatMovesIsListedOnce() {
    let reply = MergedReplies.merge(
      [
        .sessions([session(1), session(2, packetsIn: 1)], next: nil),
        .sessions([session(2, packetsIn: 9), session(3)], next: nil),
      ], to: .listSessions(of: nil, cursor: 0, limit: 10))
    guard case .sessions(let sessions, next: nil) = reply else {
      return #expect(Bool(false), "\(reply)")
    }
    #expect(sessions.map(\.slot) == [1, 2, 3])
    #expect(sessions[1].packetsIn == 9, "the door knows less of those that are elsewhere")
  }

  // MARK: Health

  @Test func aPoolNeedsOneWorkerAnywhere() {
    let reply = MergedReplies.merge(
      [
        .health(health(without: ["a", "b", "c"])), .health(health(without: ["a", "c"])),
        .health(health(without: ["b", "c"])),
      ], to: .health)
    guard case .health(let health) = reply else { return #expect(Bool(false), "\(reply)") }
    #expect(health.poolsWithoutWorker == ["c"])
    #expect(!health.ready && !health.shuttingDown)
  }

  @Test func aGatewayIsReadyThatHasAllItNeedsSomewhere() {
    let reply = MergedReplies.merge(
      [
        .health(health(without: ["a"])), .health(health(without: ["b"])),
      ], to: .health)
    guard case .health(let health) = reply else { return #expect(Bool(false), "\(reply)") }
    #expect(health.ready && health.poolsWithoutWorker.isEmpty)
  }

  /// Goal: no load balancer sends anybody to a gateway of which one shard has heard of the end.
  @Test func oneShardThatEndsIsEnough() {
    let replies = [Reply.health(health()), .health(health(ends: true))]
    for replies in [replies, replies.reversed()] {
      let reply = MergedReplies.merge(replies, to: .health)
      guard case .health(let health) = reply else { return #expect(Bool(false), "\(reply)") }
      #expect(!health.ready && health.shuttingDown)
    }
  }

  // MARK: Metrics

  @Test func whatHappenedAnywhereIsAddedUp() {
    let reply = MergedReplies.merge(
      [
        .metrics(
          snapshot(
            100, [listener("a", 100, closed: [1, 2]), listener("b", 100, closed: [3, 4])],
            [worker(3)])),
        .metrics(
          snapshot(
            7, [listener("b", 7, closed: [10, 20]), listener("gone", 7, closed: [])], [worker(2)])),
      ], to: .metrics)
    guard case .metrics(let all) = reply else { return #expect(Bool(false), "\(reply)") }
    #expect(all.listeners.map(\.name) == ["a", "b"], "which there are the door knows")
    #expect(all.listeners.map(\.packetsIn) == [100, 107])
    #expect(all.listeners.map(\.bytesIn) == [100, 107])
    #expect(all.listeners.map(\.messagesOut) == [100, 107])
    #expect(all.listeners.map(\.bytesOut) == [100, 107])
    #expect(all.listeners.map(\.sessionsClosed) == [[1, 2], [13, 24]])
    #expect(all.workers.map(\.id.rawValue) == [2, 3])
    #expect(all.linkEnds == [107, 0, 107])
    let sums = [
      all.messagesToUnknownSession, all.messagesWithoutTarget, all.broadcasts,
      all.broadcastsRefused, all.packetsRerouted, all.unfinishedDropped,
      all.packetsOfClosedSessions, all.acceptPauses, all.workerReadPauses,
      all.access.slowDowns, all.access.packetsDropped, all.access.temporaryBans,
      all.access.sessionsBanned,
    ]
    #expect(sums == [UInt64](repeating: 107, count: sums.count))
    #expect(all.clientQueueBytes == 107)
  }

  /// Goal: who is in is counted once: the door has a place for those that are elsewhere, too.
  @Test func whatTheDoorAloneKnowsIsTheDoors() {
    let reply = MergedReplies.merge(
      [
        .metrics(snapshot(100, [listener("a", 100, closed: [])], [])),
        .metrics(snapshot(7, [listener("a", 7, closed: [])], [])),
      ], to: .metrics)
    guard case .metrics(let all) = reply else { return #expect(Bool(false), "\(reply)") }
    #expect(all.listeners[0].sessionsOpen == 100)
    #expect(all.listeners[0].sessionsOpened == 100)
    #expect(all.access.loginsPending == 100)
    #expect(all.access.loginsAccepted == 100)
    #expect(all.access.bans == 100)
    #expect(all.access.banTableBytes == 100)
    #expect(all.recordings == 100)
  }
}
