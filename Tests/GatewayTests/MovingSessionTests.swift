import Auth
import Primitives
import Testing

@testable import Gateway

/// Goal: a session goes on wherever its pool has a worker, and no packet is lost, doubled or late.
@Suite struct MovingSessionTests {
  /// Goal: a worker that is lost while another is on its shard gives its sessions to that one.
  @Test func sessionsStayOnTheirShardIfTheyCan() {
    let group = VirtualGroup(shards: 2, workers: 4)
    let clients = (0..<4).map { _ in group.connect() }
    for client in clients { group.send(client, numbers: 0..<3) }
    group.settle()
    let moving = clients.first { group.workers(of: $0) == [1] }!
    group.remove(1)
    group.settle()
    group.send(moving, numbers: 3..<6)
    group.settle()
    #expect(group.workers(of: moving) == [1, 3])
    #expect(group.shard(of: moving) == 1)
    #expect(group.echoed(moving) == Array(0..<6))
  }

  /// Goal: without another worker there, its sessions go on elsewhere, unsent packets first.
  @Test func sessionsGoToTheNextShardWithTheirPackets() {
    let group = VirtualGroup(shards: 3, workers: 3, windowBytes: 256 << 10)
    let clients = (0..<6).map { _ in group.connect() }
    group.settle()
    for worker in group.workers { worker.takesPackets = false }
    for client in clients { group.send(client, numbers: 0..<300, padding: 1000) }
    group.settle()
    for worker in group.workers[0..<2] { worker.takesPackets = true }
    let moving = clients.filter { group.shard(of: $0) == 2 }
    #expect(moving.count == 2)
    group.remove(2)
    group.settle()
    for client in clients { group.send(client, numbers: 300..<310) }
    group.settle()
    for client in clients {
      #expect(group.accounted(client) == Array(0..<310))
      for worker in group.workers {
        let handled = Numbered.handled(worker.packets, of: client)
        #expect(handled == handled.sorted(), "out of order")
      }
    }
    #expect(Set(moving.map { group.shard(of: $0) }) == [0, 1])
  }

  /// Goal: the same for workers lost in any order, anything cut anywhere, messages long under way.
  @Test func nothingIsLostTwiceOrOutOfOrder() {
    for seed in UInt64(1)...12 {
      let group = VirtualGroup(seed: seed, shards: 3, workers: 4)
      group.cuts = true
      let clients = (0..<6).map { _ in group.connect() }
      for round in 0..<6 {
        for client in clients {
          group.send(
            client, numbers: round * 30..<(round + 1) * 30,
            padding: Int.random(in: 0..<200, using: &group.random))
        }
        let worker = Int.random(in: 0..<4, using: &group.random)
        let others = group.workers.indices.filter { $0 != worker }
        for _ in 0..<Int.random(in: 0..<30, using: &group.random) { group.turn() }
        group.remove(worker)
        for _ in 0..<Int.random(in: 0..<30, using: &group.random) { group.turn() }
        if Bool.random(using: &group.random) {
          group.remove(others.randomElement(using: &group.random)!)
        }
        for _ in 0..<Int.random(in: 0..<10, using: &group.random) { group.turn() }
        for worker in group.workers { worker.reachability = .accepts }
        if Bool.random(using: &group.random) { group.advance(.milliseconds(500)) }
      }
      group.cuts = false
      group.advance(.seconds(9))
      for client in clients {
        #expect(group.accounted(client) == Array(0..<180), "seed \(seed) client \(client)")
        let echoed = group.echoed(client)
        #expect(echoed == echoed.sorted(), "seed \(seed)")
        #expect(group.clients[client].isOpen, "seed \(seed): \(group.clients[client].closeReason)")
      }
      for worker in group.workers { #expect(worker.problems == []) }
    }
  }

  /// Goal: sessions wait at the door while there is no worker at all, and go where one comes first.
  @Test(arguments: 0..<3) func theFirstWorkerThatIsBackGetsAll(back: Int) {
    let group = VirtualGroup(shards: 3, workers: 3)
    let clients = (0..<6).map { _ in group.connect() }
    for client in clients { group.send(client, numbers: 0..<10) }
    group.settle()
    for worker in group.workers.indices { group.remove(worker) }
    group.settle()
    for client in clients { group.send(client, numbers: 10..<20) }
    group.settle()
    #expect(clients.allSatisfy { group.shard(of: $0) == 0 && !group.clients[$0].isRead })
    group.workers[back].reachability = .accepts
    #expect(
      group.advance(upTo: .seconds(9)) { clients.allSatisfy { group.echoed($0).count == 20 } })
    for client in clients {
      #expect(group.shard(of: client) == back)
      #expect(group.accounted(client) == Array(0..<20))
      #expect(group.echoed(client) == Array(0..<20))
    }
  }

  /// Goal: a session for which no worker comes is told so, at the door.
  @Test func waitingEnds() {
    let group = VirtualGroup(shards: 2)
    let client = (0..<2).map { _ in group.connect() }[1]
    group.settle()
    #expect(group.shard(of: client) == 1)
    for worker in group.workers.indices { group.remove(worker) }
    group.advance(.seconds(11))
    #expect(group.clients[client].closeReason == .noWorker)
    #expect(group.leftovers() == [])
  }

  /// Goal: what a client has not taken goes along, and is behind nothing that comes later.
  @Test func queuesGoAlong() {
    let group = VirtualGroup(shards: 2)
    let client = (0..<2).map { _ in group.connect() }[1]
    group.outside.clients[client].room = 100
    group.send(client, numbers: 0..<50)
    group.settle()
    #expect(group.clients[client].received.count == 100)
    group.remove(1)
    group.settle()
    #expect(group.shard(of: client) == 0)
    #expect(group.door.shard.clientQueueBytes == 150)
    group.send(client, numbers: 50..<60)
    group.settle()
    group.door.take(client, 1 << 20)
    group.settle()
    #expect(group.echoed(client) == Array(0..<60))
    #expect(group.shards[1].shard.clientQueueBytes == 0)
  }

  /// Goal: half a packet of a client goes along.
  @Test func halvesOfPacketsGoAlong() {
    let group = VirtualGroup(shards: 2)
    let client = (0..<2).map { _ in group.connect() }[1]
    let packet = Numbered.packet(client, 0, padding: 20)
    group.send(client, packet[..<7])
    group.settle()
    group.remove(1)
    group.settle()
    group.send(client, packet[7...])
    group.settle()
    #expect(group.clients[client].received == packet)
    #expect(group.workers(of: client) == [0])
  }

  /// Goal: a client that has ended its direction still gets the answers to what waited.
  @Test func halfClosedSessionsMove() {
    let group = VirtualGroup(shards: 2)
    let client = (0..<2).map { _ in group.connect() }[1]
    group.workers[1].isRunning = false
    group.door.setNetwork(of: 1, bytesMax: 0)
    group.shards[1].setNetwork(of: 1, bytesMax: 0)
    group.settle()
    group.send(client, numbers: 0..<5)
    group.settle()
    group.door.end(client)
    group.settle()
    group.remove(1)
    group.settle()
    #expect(group.echoed(client) == Array(0..<5))
    group.advance(.seconds(1))
    #expect(group.clients[client].closeReason == .clientClosed)
    group.door.end(0)
    group.advance(.seconds(1))
    #expect(group.leftovers() == [])
  }

  /// Goal: what a session has used of its allowance goes along.
  @Test func limitsGoAlong() {
    let group = VirtualGroup(shards: 2) { configuration in
      configuration.listeners[0].limits.packets = Rate(perSecond: 10, burst: 10)
      configuration.listeners[0].limits.packetsAction = .slowDown
    }
    let client = (0..<2).map { _ in group.connect() }[1]
    group.send(client, numbers: 0..<30)
    group.settle()
    let before = group.echoed(client).count
    #expect(before < 15)
    group.remove(1)
    group.settle()
    #expect(group.echoed(client).count == before)
    group.advance(.milliseconds(500))
    #expect(group.echoed(client).count < before + 8)
    group.advance(.seconds(3))
    #expect(group.echoed(client) == Array(0..<30))
  }

  /// Goal: a worker that is drained gives its sessions away once it has answered what it had.
  @Test func drainedWorkersSessionsMove() {
    let group = VirtualGroup(shards: 2)
    let client = (0..<2).map { _ in group.connect() }[1]
    group.workers[1].sendsAnswers = false
    group.send(client, numbers: 0..<5)
    group.settle()
    let id = group.shards[1].status(of: 1)!.id
    group.shards[1].command(.drainWorker(id))
    group.settle()
    #expect(group.shard(of: client) == 1)
    group.workers[1].sendsAnswers = true
    group.send(client, numbers: 5..<10)
    group.settle()
    #expect(group.shard(of: client) == 0)
    #expect(group.echoed(client) == Array(0..<10))
  }

  /// Goal: what came for a worker that is gone by then goes back at once, and on.
  @Test func sessionsThatComeTooLateGoOn() {
    let group = VirtualGroup(shards: 3, workers: 3)
    group.isHeld = { from, to in from == 0 && to == 1 }
    let clients = (0..<3).map { _ in group.connect() }
    group.settle()
    for client in clients { group.send(client, numbers: 0..<3) }
    group.remove(1)
    group.settle()
    group.isHeld = { _, _ in false }
    group.settle()
    for client in clients { #expect(group.echoed(client) == Array(0..<3)) }
    #expect(group.shards[1].openClients == 0)
  }

  /// Goal: one that came too late waits for a worker as long as any other, and not less.
  @Test func sessionsThatComeTooLateWait() {
    let group = VirtualGroup(shards: 2)
    group.isHeld = { from, to in from == 0 && to == 1 }
    let client = (0..<2).map { _ in group.connect() }[1]
    for worker in group.workers.indices { group.remove(worker) }
    group.settle()
    group.isHeld = { _, _ in false }
    group.advance(.seconds(9))
    #expect(group.clients[client].isOpen)
    group.advance(.seconds(2))
    #expect(group.clients[client].closeReason == .noWorker)
  }

  /// Goal: workers that want to hear of sessions hear of each coming and going once, also when it
  /// moves; the next one hears that it was with another.
  @Test func workersHearOfSessionsOnce() {
    let told = VirtualGroup(shards: 2, sessionEvents: true)
    let client = (0..<2).map { _ in told.connect() }[1]
    told.send(client, numbers: 0..<3)
    told.settle()
    told.remove(1)
    told.settle()
    told.send(client, numbers: 3..<4)
    told.door.end(client)
    told.advance(.seconds(1))
    let uuid = told.clients[client].uuid
    let first = told.workers[1].events.filter { $0.uuid == uuid }
    let second = told.workers[0].events.filter { $0.uuid == uuid }
    #expect(first.count == 1 && second.count == 2)
    guard case .opened(let before)? = first.first?.event,
      case .opened(let behind)? = second.first?.event, case .closed? = second.last?.event
    else {
      Issue.record("other events than expected")
      return
    }
    #expect(!before.resumed && before.nextSequence == 1)
    #expect(behind.resumed && behind.nextSequence == 4)
  }

  /// Goal: what no worker has got of a session that is about to end elsewhere reaches none that
  /// follows sessions, as it would never have heard of this one.
  @Test func packetsOfSessionsThatEndElsewhereReachNobody() {
    let group = VirtualGroup(shards: 2, sessionEvents: true)
    let client = (0..<2).map { _ in group.connect() }[1]
    group.settle()
    let uuid = group.clients[client].uuid
    group.outside.clients[client].room = 0
    group.workers[1].answer(uuid, Array("not taken".utf8))
    group.settle()
    group.workers[1].isRunning = false
    group.shards[1].setNetwork(of: 1, bytesMax: 0)
    group.send(client, numbers: 0..<5)
    group.settle()
    group.door.command(.closeSession(SessionUUID(text: uuid)!))
    group.settle()
    #expect(group.clients[client].isOpen, "it takes its time")
    group.remove(1)
    group.settle()
    #expect(group.workers[0].requests.allSatisfy { $0.uuid != uuid })
    #expect(group.metrics().map(\.packetsOfClosedSessions) == [5, 0])
  }
}
