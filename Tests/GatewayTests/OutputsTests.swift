import Primitives
import Testing

@testable import Gateway

/// Goal: what workers say to clients of other shards reaches each of them once, and is bounded.
@Suite struct OutputsTests {
  private func text(_ client: Int, _ group: VirtualGroup) -> String { group.door.text(client) }

  private func silent(
    shards: Int = 3, workers: Int = 3, adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) -> VirtualGroup {
    let group = VirtualGroup(shards: shards, workers: workers, adjust: adjust)
    for worker in group.workers { worker.onPacket = { _, _ in } }
    return group
  }

  /// Goal: broadcasts reach all clients of the pool on all shards, in order.
  @Test func broadcastsReachAllShards() {
    let group = silent()
    let clients = (0..<6).map { _ in group.connect() }
    group.settle()
    for worker in 0..<3 {
      for number in 0..<3 { group.workers[worker].broadcast(0, Array("\(worker)\(number) ".utf8)) }
      group.settle()
    }
    for client in clients {
      #expect(text(client, group) == "00 01 02 10 11 12 20 21 22 ")
    }
    #expect(group.metrics().map(\.broadcasts) == [3, 3, 3])
    for client in clients { group.door.end(client) }
    group.advance(.seconds(10))
    #expect(group.leftovers() == [])
  }

  /// Goal: those that ask for active clients, or for the others, do so everywhere.
  @Test func audiencesAreTheSameEverywhere() {
    let group = silent()
    let clients = (0..<6).map { _ in group.connect() }
    group.settle()
    for client in clients[..<3] { group.send(client, numbers: 0..<1) }
    group.settle()
    group.workers[1].broadcast(1, Array("active".utf8))
    group.workers[2].broadcast(2, Array("silent".utf8))
    group.settle()
    for client in clients { #expect(text(client, group) == (client < 3 ? "active" : "silent")) }
  }

  /// Goal: pools that are at the door, and other pools, hear nothing of it.
  @Test func broadcastsStayInTheirPool() {
    let group = silent { configuration in
      var other = PoolConfiguration(name: "other")
      other.workers = [configuration.pools[0].workers.removeLast()]
      configuration.pools.append(other)
      configuration.listeners.append(
        ListenerConfiguration(name: "lobby", host: "127.0.0.1", port: 7001, pool: 1))
    }
    let players = (0..<2).map { _ in group.connect() }
    let guest = group.connect(listener: 1)
    group.settle()
    group.workers[0].broadcast(0, Array("game".utf8))
    group.workers[2].broadcast(0, Array("lobby".utf8))
    group.settle()
    for player in players { #expect(text(player, group) == "game") }
    #expect(text(guest, group) == "lobby")
    #expect(group.shard(of: guest) == 2)
  }

  /// Goal: a worker may answer any client of its pool, wherever that is.
  @Test func answersReachOtherShards() {
    let group = silent()
    let clients = (0..<3).map { _ in group.connect() }
    group.settle()
    for worker in group.workers {
      for client in clients {
        worker.answer(group.clients[client].uuid, Array("\(worker.port - 9000)".utf8))
        group.settle()
      }
    }
    for client in clients { #expect(text(client, group) == "012") }
    #expect(group.metrics().map(\.messagesToUnknownSession) == [0, 0, 0])
    group.workers[2].answer("0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b", [1])
    group.workers[0].answer("0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b", [1])
    group.settle()
    #expect(group.metrics().reduce(0) { $0 + $1.messagesToUnknownSession } == 2)
  }

  /// Goal: what is under way to a client that is on its way back reaches it, once and in order.
  @Test func messagesFindThoseThatComeBack() {
    let group = silent()
    let clients = (0..<3).map { _ in group.connect() }
    group.settle()
    #expect(group.shard(of: clients[1]) == 1)
    let uuid = group.clients[clients[1]].uuid
    group.workers[2].broadcast(0, Array("a".utf8))
    group.settle()
    // What the shard says does not arrive for now, and what it is told later even less.
    group.isHeld = { from, to in from == 1 || to == 1 }
    group.remove(1)
    group.settle()
    group.workers[2].broadcast(0, Array("b".utf8))
    group.workers[2].answer(uuid, Array("c".utf8))
    group.workers[0].broadcast(0, Array("d".utf8))
    group.settle()
    group.isHeld = { from, _ in from == 1 }
    group.settle()
    group.workers[2].broadcast(0, Array("e".utf8))
    group.settle()
    group.isHeld = { _, _ in false }
    group.settle()
    #expect(text(clients[0], group) == "abde" || text(clients[0], group) == "adbe")
    #expect(text(clients[1], group).filter { $0 != "c" } == text(clients[0], group))
    #expect(text(clients[1], group).count == 5)
    #expect(group.shard(of: clients[1]) != 1)
    for client in clients { group.door.end(client) }
    group.advance(.seconds(10))
    #expect(group.leftovers() == [])
  }

  /// Goal: what a shard says while a client is on its way there reaches that client, too.
  @Test(arguments: [true, false]) func messagesFindThoseThatAreComing(stays: Bool) {
    let group = silent()
    _ = group.connect()
    group.settle()
    group.isHeld = { from, to in from == 0 && to == 1 }
    let client = group.connect()
    group.settle()
    group.workers[1].broadcast(0, Array("a".utf8))
    group.workers[1].answer(group.clients[client].uuid, Array("b".utf8))
    group.settle()
    group.workers[2].broadcast(0, Array("c".utf8))
    group.settle()
    if !stays { group.remove(1) }
    group.settle()
    group.isHeld = { _, _ in false }
    group.settle()
    #expect(group.clients[client].received.sorted() == Array("abc".utf8))
    #expect(text(client, group).first == "a")
    #expect((group.shard(of: client) == 1) == stays)
    #expect(text(0, group) == "ac")
  }

  /// Goal: however sessions move meanwhile, each broadcast reaches each client once.
  @Test(arguments: 0..<3) func broadcastsAreHeardOnceOnTheMove(speaker: Int) {
    for seed in UInt64(1)...12 {
      let group = VirtualGroup(seed: seed, shards: 3, workers: 4)
      for worker in group.workers { worker.onPacket = { _, _ in } }
      let clients = (0..<8).map { _ in group.connect() }
      group.settle()
      group.cuts = true
      for number in 0..<20 {
        group.workers[speaker].broadcast(0, [UInt8(number)])
        if number % 4 == 3 {
          let others = (0..<4).filter { $0 != speaker }
          group.remove(others.randomElement(using: &group.random)!)
        }
        for _ in 0..<Int.random(in: 0..<6, using: &group.random) { group.turn() }
        for worker in group.workers { worker.reachability = .accepts }
        if number % 5 == 4 { group.advance(.milliseconds(300)) }
      }
      group.cuts = false
      group.advance(.seconds(5))
      for client in clients {
        #expect(group.clients[client].received == (0..<20).map { UInt8($0) }, "seed \(seed)")
      }
    }
  }

  /// Goal: a worker is read no further while too much of what it sent is under way.
  @Test func workersWaitForOtherShards() {
    let group = silent(shards: 2, workers: 2)
    let clients = (0..<2).map { _ in group.connect() }
    group.settle()
    group.isHeld = { from, to in from == 0 && to == 1 }
    let block = [UInt8](repeating: 9, count: 10_000)
    for _ in 0..<200 { group.workers[0].broadcast(0, block) }
    group.settle()
    let held = group.clients[clients[0]].received.count
    #expect(held > 200_000 && held < 1 << 20)
    #expect(group.door.metrics().workerReadPauses == 1)
    group.isHeld = { _, _ in false }
    group.settle()
    for client in clients { #expect(group.clients[client].received.count == 2_000_000) }
    #expect(group.door.shard.linksPausedByOutput == [])
  }

  /// Goal: a client that does take bytes holds back a worker of another shard, like one of its own.
  @Test func clientsHoldBackWorkersOfOtherShards() {
    let group = silent(shards: 2, workers: 2)
    let clients = (0..<2).map { _ in group.connect() }
    group.settle()
    group.outside.clients[clients[1]].room = 100_000
    let block = [UInt8](repeating: 9, count: 10_000)
    for _ in 0..<400 { group.workers[0].broadcast(0, block) }
    group.settle()
    #expect(group.shards[1].shard.holdsOnOthers == 1)
    for _ in 0..<40 {
      group.door.take(clients[1], 100_000)
      group.advance(.milliseconds(20))
    }
    for client in clients {
      #expect(group.clients[client].closeReason == nil)
      #expect(group.clients[client].received.count == 4_000_000)
    }
    #expect(group.shards[1].shard.holdsOnOthers == 0)
  }

  /// Goal: one that takes nothing holds nobody back for long.
  @Test func thoseThatTakeNothingAreClosed() {
    let group = silent(shards: 2, workers: 2)
    let clients = (0..<2).map { _ in group.connect() }
    group.settle()
    group.outside.clients[clients[1]].room = 0
    let block = [UInt8](repeating: 9, count: 10_000)
    for _ in 0..<400 { group.workers[0].broadcast(0, block) }
    group.advance(.seconds(2))
    #expect(group.clients[clients[1]].closeReason == .slowClient)
    #expect(group.clients[clients[0]].received.count == 4_000_000)
    group.door.end(clients[0])
    group.advance(.seconds(10))
    #expect(group.leftovers() == [])
  }

  /// Goal: all queues of a shard have their bound also for what comes from elsewhere.
  @Test func theTotalHoldsBackOtherShards() {
    let group = silent(shards: 2, workers: 2) { configuration in
      configuration.limits.clientQueueBytesTotalMax = 300_000
    }
    let clients = (0..<8).map { _ in group.connect() }
    group.settle()
    let slow = clients.filter { group.shard(of: $0) == 1 }
    for client in slow { group.outside.clients[client].room = 0 }
    let block = [UInt8](repeating: 9, count: 10_000)
    for _ in 0..<200 { group.workers[0].broadcast(0, block) }
    group.settle()
    #expect(group.shards[1].shard.shedAt != nil)
    #expect(group.shards[1].shard.clientQueueBytes < 4_000_000)
    group.advance(.seconds(4))
    #expect(slow.allSatisfy { group.clients[$0].closeReason == .slowClient })
    for client in clients where !slow.contains(client) {
      #expect(group.clients[client].received.count == 2_000_000)
      group.door.end(client)
    }
    group.advance(.seconds(10))
    #expect(group.leftovers() == [])
  }

  /// Goal: messages too long for the turn's memory arrive whole.
  @Test func longMessagesArriveWhole() {
    let group = silent(shards: 2, workers: 2)
    let clients = (0..<2).map { _ in group.connect() }
    group.settle()
    let long = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }
    group.workers[0].broadcast(0, long)
    group.settle()
    for client in clients { #expect(group.clients[client].received == long) }
  }

  /// Goal: halves of packets of two workers are never put together, nor those of one that was lost.
  @Test func halvesOfPacketsAreNotMixed() {
    let group = silent { $0.listeners[0].serverToClient = .short }
    let clients = (0..<3).map { _ in group.connect() }
    group.settle()
    let (uuid, client) = (group.clients[clients[1]].uuid, clients[1])
    let packet = Packets.make([1, 2, 3, 4])
    group.workers[0].answer(uuid, Array(packet[..<3]))
    group.settle()
    group.workers[2].answer(uuid, packet)
    group.settle()
    #expect(group.clients[client].received == packet)
    group.workers[2].answer(uuid, Array(packet[..<4]))
    group.settle()
    group.workers[2].answer(uuid, Array(packet[4...]))
    group.settle()
    #expect(group.clients[client].received == packet + packet)
    group.workers[2].answer(uuid, Array(packet[..<3]))
    group.settle()
    group.crash(2)
    #expect(group.advance(upTo: .seconds(5)) { group.workers[2].isOpen })
    group.settle()
    group.workers[2].answer(uuid, packet)
    group.settle()
    #expect(group.clients[client].received == packet + packet + packet)
  }

  /// Goal: what is longer than a turn's memory is written as it comes, like anything else, so that
  /// what follows finds no queue.
  @Test func longMessagesAreWrittenAsTheyCome() {
    let group = silent(shards: 2, workers: 2)
    let clients = (0..<4).map { _ in group.connect() }
    group.settle()
    let long = [UInt8](repeating: 7, count: 1_200_000)
    group.workers[1].broadcast(0, long)
    group.workers[1].broadcast(0, [8])
    group.settle()
    for client in clients {
      #expect(group.clients[client].closeReason == nil)
      let isWhole = group.clients[client].received == long + [8]
      #expect(isWhole)
      #expect(group.clients[client].writes.first == long.count)
    }
    let foreign = clients.first { group.shard(of: $0) == 0 }!
    let uuid = group.clients[foreign].uuid
    for part in [long, [9]] { group.workers[1].answer(uuid, part) }
    group.settle()
    #expect(group.clients[foreign].closeReason == nil)
    let isWhole = group.clients[foreign].received == long + [8] + long + [9]
    #expect(isWhole)
  }

  /// Goal: clients that come back are given what they have missed as their sockets take it: it may
  /// be more than may wait for one.
  @Test func muchThatWasMissedIsWritten() {
    let group = silent { $0.limits.clientQueueBytesMax = 64 << 10 }
    let clients = (0..<9).map { _ in group.connect() }
    group.settle()
    let back = clients.filter { group.shard(of: $0) == 1 }
    group.isHeld = { from, to in from == 0 && to == 1 }
    for number in 0..<20 {
      group.workers[2].broadcast(0, [UInt8](repeating: UInt8(number), count: 10_000))
    }
    group.settle()
    group.remove(1)
    group.settle()
    for client in back {
      #expect(group.clients[client].closeReason == nil)
      let isSame = group.clients[client].received == group.clients[clients[0]].received
      #expect(isSame)
      #expect(group.clients[client].received.count == 200_000)
    }
    #expect(Set(back.map { group.shard(of: $0) }) == [0, 2])
    group.isHeld = { _, _ in false }
    group.settle()
    for client in clients { group.door.end(client) }
    group.advance(.seconds(10))
    #expect(group.leftovers() == [])
  }

  /// Goal: the same for those that come to the shard that it was said on, also if they leave again.
  @Test(arguments: [true, false]) func muchThatWasMissedByThoseThatComeIsWritten(stays: Bool) {
    let group = silent { $0.limits.clientQueueBytesMax = 64 << 10 }
    _ = group.connect()
    group.settle()
    group.isHeld = { from, to in from == 0 && to == 1 }
    let client = group.connect()
    group.settle()
    for number in 0..<30 {
      group.workers[1].broadcast(0, [UInt8](repeating: UInt8(number), count: 10_000))
    }
    group.settle()
    if !stays { group.remove(1) }
    group.settle()
    group.isHeld = { _, _ in false }
    group.settle()
    #expect(group.clients[client].closeReason == nil)
    let isSame = group.clients[client].received == group.clients[0].received
    #expect(isSame)
    #expect(group.clients[client].received.count == 300_000)
    #expect((group.shard(of: client) == 1) == stays)
  }

  /// Goal: a client that is merely slower than a worker of another shard is not closed, however
  /// many shards there are.
  @Test(arguments: [[1], [0, 1, 3]]) func slowerClientsAreNotFlooded(speakers: [Int]) {
    let group = silent(shards: 4, workers: 4)
    let clients = (0..<4).map { _ in group.connect() }
    group.settle()
    let slow = clients.first { group.shard(of: $0) == 2 }!
    group.outside.clients[slow].room = 100_000
    for number in 0..<400 {
      let worker = group.workers[speakers[number % speakers.count]]
      let block = [UInt8](repeating: UInt8(number % 251), count: 10_000)
      if speakers.count == 1 {
        worker.answer(group.clients[slow].uuid, block)
      } else {
        worker.broadcast(0, block)
      }
    }
    group.settle()
    #expect(group.shards[2].shard.holdsOnOthers == 1)
    for _ in 0..<45 {
      group.door.take(slow, 100_000)
      group.advance(.milliseconds(20))
    }
    #expect(group.clients[slow].closeReason == nil)
    #expect(group.clients[slow].received.count == 4_000_000)
    for client in clients { group.door.end(client) }
    group.advance(.seconds(10))
    #expect(group.leftovers() == [])
  }

  /// Goal: what a worker says to a client that is on its way to it keeps its order.
  @Test func answersOvertakeNothing() {
    let group = silent(shards: 2, workers: 2)
    let client = group.connect()
    group.settle()
    #expect(group.shard(of: client) == 0)
    let uuid = group.clients[client].uuid
    group.isHeld = { from, to in from == 1 && to == 0 }
    group.workers[1].answer(uuid, Array("a".utf8))
    group.workers[1].broadcast(0, Array("b".utf8))
    group.settle()
    group.remove(0)
    group.settle()
    #expect(group.shard(of: client) == 1)
    group.workers[1].answer(uuid, Array("c".utf8))
    group.settle()
    group.isHeld = { _, _ in false }
    group.settle()
    #expect(text(client, group) == "abc")
    group.door.end(client)
    group.advance(.seconds(10))
    #expect(group.leftovers() == [])
  }

  /// Goal: two halves of a packet, one of them said while the client was on its way, are one.
  @Test func halvesOfAnswersMeet() {
    let group = silent(shards: 2, workers: 2) { $0.listeners[0].serverToClient = .short }
    let client = group.connect()
    group.settle()
    let uuid = group.clients[client].uuid
    let packet = Packets.make([200, 1, 2])
    group.isHeld = { from, to in from == 1 && to == 0 }
    group.workers[1].answer(uuid, Array(packet[..<3]))
    group.settle()
    group.remove(0)
    group.settle()
    group.workers[1].answer(uuid, Array(packet[3...]))
    group.settle()
    group.isHeld = { _, _ in false }
    group.settle()
    #expect(group.clients[client].closeReason == nil)
    #expect(group.clients[client].received == packet)
  }
}
