import Primitives
import Testing
import Upstream

@testable import Gateway

/// Goal: a worker can be taken out of service without anybody losing anything.
@Suite struct DrainTests {
  private func id(_ world: VirtualWorld, _ worker: Int) -> WorkerID {
    guard let status = world.status(of: worker) else { preconditionFailure("no such worker") }
    return status.id
  }

  private func isDone(_ world: VirtualWorld, _ token: UInt64) -> Bool {
    guard case .done? = world.replies(to: token).first else { return false }
    return true
  }

  private func world(workers: Int = 2) -> VirtualWorld {
    VirtualWorld(workers: workers) { configuration in
      configuration.listeners[0].clientToServer = .short
      configuration.pools[0].drainTimeout = .seconds(5)
    }
  }

  /// Goal: sessions of a draining worker pause, all its answers arrive, then they go on elsewhere,
  /// in order.
  ///
  /// Method: answers name the worker, and the first one keeps them back for a while.
  @Test func answersArriveAndTheOrderHolds() {
    let world = world()
    for (number, worker) in world.workers.enumerated() {
      worker.onPacket = { worker, packet in
        worker.answer(packet.uuid, [UInt8(number), packet.payload[2]])
      }
    }
    let client = world.connect()
    world.workers[0].sendsAnswers = false
    world.send(client, (0..<20).flatMap { Packets.make([UInt8($0)]) })
    world.settle()
    #expect(isDone(world, world.command(.drainWorker(id(world, 0)))))
    world.settle()
    #expect(world.status(of: 0)?.state == .draining)
    world.send(client, (20..<40).flatMap { Packets.make([UInt8($0)]) })
    world.advance(.seconds(2))
    #expect(world.clients[client].unreadBytes == 60)
    #expect(world.workers[1].packets.isEmpty)
    let other = world.connect()
    world.send(other, Packets.make([99]))
    world.settle()
    #expect(world.clients[other].received == [1, 99])
    world.workers[0].sendsAnswers = true
    world.settle()
    let expected = (0..<40).flatMap { [UInt8($0 < 20 ? 0 : 1), UInt8($0)] }
    #expect(world.clients[client].received == expected)
    #expect(world.status(of: 0)?.state == .drained)
    #expect(world.status(of: 0)?.lastEnd == .drained)
    world.advance(.seconds(20))
    #expect(world.status(of: 0)?.state == .drained, "it stays so")
  }

  /// Goal: what is queued for a draining worker is sent to it before its stream is ended.
  @Test func queuedPacketsAreSentFirst() {
    let world = world()
    world.setNetwork(of: 0, bytesMax: 0)
    let client = world.connect()
    world.send(client, (0..<50).flatMap { Packets.make([UInt8($0)]) })
    world.settle()
    world.command(.drainWorker(id(world, 0)))
    world.settle()
    world.setNetwork(of: 0, bytesMax: nil)
    world.settle()
    #expect(world.workers[0].packets.count == 50)
    #expect(world.workers[0].requestsEnded)
    #expect(world.clients[client].received.count == 150)
    #expect(world.workers[1].packets.isEmpty)
  }

  /// Goal: a worker that does not finish is given up after the drain timeout.
  @Test func aWorkerThatNeverReturns() {
    let world = world()
    world.workers[0].returnsAtEnd = false
    let client = world.connect()
    world.command(.drainWorker(id(world, 0)))
    world.send(client, Packets.make([1]))
    world.advance(.milliseconds(4900))
    #expect(world.clients[client].received.isEmpty)
    world.advance(.milliseconds(110))
    #expect(world.clients[client].received.count == 3)
    #expect(world.status(of: 0)?.state == .drained)
  }

  /// Goal: a worker that crashes while it drains costs what it had got, and no more.
  @Test func aWorkerThatCrashesWhileDraining() {
    let world = world()
    let client = world.connect()
    world.setNetwork(of: 0, bytesMax: 0)
    world.send(client, Packets.make([1]) + Packets.make([2]))
    world.settle()
    world.command(.drainWorker(id(world, 0)))
    world.settle()
    world.crash(0)
    world.settle()
    #expect(world.workers[1].packets.map { $0.payload[2] } == [1, 2])
    #expect(world.status(of: 0)?.state == .drained)
  }

  /// Goal: a removed worker is forgotten once it has finished, and may come back as a new one.
  @Test func removeAndAddAgain() throws {
    let world = world()
    let client = world.connect()
    let before = id(world, 0)
    #expect(isDone(world, world.command(.removeWorker(before))))
    world.settle()
    #expect(world.status(of: 0) == nil)
    world.send(client, Packets.make([1]))
    world.settle()
    #expect(world.workers[1].packets.count == 1)
    let token = world.command(.addWorker(pool: nil, world.workers[0].configuration))
    #expect(world.replies(to: token).isEmpty, "answered once the probe has ended")
    world.settle()
    guard case .workerAdded(let status)? = world.replies(to: token).first else {
      Issue.record("not added")
      return
    }
    #expect(status.state == .ready)
    #expect(status.id != before)
    let clients = [world.connect(), world.connect()]
    for client in clients { world.send(client, Packets.make([2])) }
    world.settle()
    #expect(world.workers[0].packets.count == 1)
  }

  /// Goal: a drained worker comes back when it is added again, one that is not drained does not.
  @Test func addAgainAfterDraining() {
    let world = world()
    let worker = world.workers[0].configuration
    var token = world.command(.addWorker(pool: "main", worker))
    guard case .failed(.duplicateWorker(let known))? = world.replies(to: token).first else {
      Issue.record("added twice")
      return
    }
    #expect(known == id(world, 0))
    world.command(.drainWorker(known))
    world.settle()
    #expect(world.status(of: 0)?.state == .drained)
    token = world.command(.addWorker(pool: "main", worker))
    world.settle()
    #expect(world.status(of: 0)?.state == .ready)
    #expect(world.workerStatuses().count == 2)
    // Removing one that has no connection is done at once.
    world.command(.drainWorker(id(world, 1)))
    world.settle()
    world.command(.removeWorker(id(world, 1)))
    #expect(world.workerStatuses().count == 1)
  }

  /// Goal: an operator who asks for the impossible is told so.
  @Test func refusedCommands() {
    let world = VirtualWorld { $0.pools.append(PoolConfiguration(name: "other")) }
    func refusal(_ command: Command) -> CommandError? {
      guard case .failed(let error)? = world.replies(to: world.command(command)).first else {
        return nil
      }
      return error
    }
    let worker = WorkerConfiguration(host: "x", port: 1)
    #expect(refusal(.drainWorker(WorkerID(rawValue: 99))) == .unknownWorker)
    #expect(refusal(.removeWorker(WorkerID(rawValue: 99))) == .unknownWorker)
    #expect(refusal(.addWorker(pool: nil, worker)) == .poolNotNamed(["main", "other"]))
    #expect(refusal(.addWorker(pool: "none", worker)) == .unknownPool("none"))
    #expect(refusal(.closeSession(.none)) == .unknownSession)
    world.beginShutdown()
    #expect(refusal(.addWorker(pool: "main", worker)) == .shuttingDown)
  }

  /// Goal: who adds a worker learns what its first probe found, whatever that is.
  @Test func addedWorkersAreProbed() {
    let world = VirtualWorld(workers: 4) { $0.pools[0].workers.removeLast(3) }
    world.workers[1].reachability = .refuses
    world.workers[2].ready = false
    world.workers[3].reachability = .swallows
    let tokens = (1...3).map {
      world.command(.addWorker(pool: "main", world.workers[$0].configuration))
    }
    world.advance(.seconds(3))
    let states = tokens.map { token -> WorkerStatus? in
      guard case .workerAdded(let status)? = world.replies(to: token).first else { return nil }
      return status
    }
    #expect(states[0]?.lastEnd == .connectFailed)
    #expect(states[1]?.state == .notReady)
    #expect(states[2]?.lastEnd == .connectTimeout)
    #expect(tokens.allSatisfy { world.replies(to: $0).count == 1 })
  }

  /// Goal: a worker that says goodbye (GOAWAY) is drained, and asked again later.
  @Test func goAwayDrains() {
    let world = world()
    let client = world.connect()
    world.workers[0].sendsAnswers = false
    world.send(client, Packets.make([1]))
    world.settle()
    world.workers[0].sayGoodbye()
    world.settle()
    #expect(world.status(of: 0)?.state == .draining)
    world.send(client, Packets.make([2]))
    world.settle()
    world.workers[0].sendsAnswers = true
    world.settle()
    #expect(world.clients[client].received == Packets.make([1]) + Packets.make([2]))
    #expect(world.workers[1].packets.map { $0.payload[2] } == [2])
    #expect(world.status(of: 0)?.lastEnd == .goAway)
    world.advance(.seconds(1))
    #expect(world.status(of: 0)?.state == .ready)
  }

  /// Goal: a single worker that drains and comes back keeps its sessions.
  @Test func aSingleWorkerMayBeRestarted() {
    let world = world(workers: 1)
    let client = world.connect()
    for number in 0..<5 {
      world.send(client, Packets.make([UInt8(number)]))
      world.settle()
      world.workers[0].sayGoodbye()
      world.settle()
      world.send(client, Packets.make([UInt8(number)]))
      world.advance(.seconds(1))
      #expect(world.clients[client].received.count == (number + 1) * 6)
    }
    #expect(world.clients[client].isOpen)
  }

  /// Goal: with packet balance too, a draining worker's answers arrive.
  @Test func packetBalanceDrains() {
    let world = VirtualWorld(workers: 2) { $0.pools[0].balance = .packet }
    let client = world.connect()
    world.workers[0].sendsAnswers = false
    world.send(client, "a")
    world.settle()
    world.command(.drainWorker(id(world, 0)))
    world.settle()
    world.send(client, "b")
    world.settle()
    #expect(world.text(client) == "b")
    world.workers[0].sendsAnswers = true
    world.settle()
    #expect(world.text(client) == "ba")
    world.command(.drainWorker(id(world, 1)))
    world.send(client, "c")
    world.settle()
    #expect(world.clients[client].unreadBytes == 1)
    world.advance(.seconds(10))
    #expect(world.clients[client].closeReason == .noWorker)
  }
}
