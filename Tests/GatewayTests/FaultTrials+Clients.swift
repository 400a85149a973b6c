import Auth
import Primitives
import Testing

@testable import Gateway

/// Trials of what clients get, and of what they leave behind.
extension FaultTrials {
  // MARK: Answers

  static func anAnswerComesTooLate() -> Bool {
    let world = VirtualWorld()
    let gone = world.connect()
    world.reset(gone)
    world.settle()
    let next = world.connect()
    world.workers[0].answer(world.clients[gone].uuid, [1])
    world.settle()
    return world.clients[next].received.isEmpty
  }

  static func anEndedClientIsAnswered() -> Bool {
    let world = VirtualWorld()
    world.workers[0].sendsAnswers = false
    let client = world.connect()
    world.send(client, "a")
    world.end(client)
    world.settle()
    world.workers[0].sendsAnswers = true
    world.settle()
    return world.text(client) == "a"
  }

  static func aBroadcastStaysInItsPool() -> Bool {
    let world = VirtualWorld(workers: 2) { configuration in
      configuration.pools.append(PoolConfiguration(name: "other"))
      configuration.pools[1].workers = [configuration.pools[0].workers.removeLast()]
      configuration.listeners.append(
        ListenerConfiguration(name: "other", host: "127.0.0.1", port: 7001, pool: 1))
    }
    let (ours, theirs) = (world.connect(), world.connect(listener: 1))
    world.workers[0].broadcast(0, [1])
    world.settle()
    return world.clients[ours].received == [1] && world.clients[theirs].received.isEmpty
  }

  static func aSocketTakesAPart() -> Bool {
    let world = VirtualWorld()
    let client = world.connect()
    world.clients[client].room = 3
    world.workers[0].answer(world.clients[client].uuid, Array("abcdef".utf8))
    world.settle()
    world.take(client, 100)
    world.settle()
    return world.text(client) == "abcdef"
  }

  static func aSlowClientIsClosed() -> Bool {
    let world = VirtualWorld { $0.limits.clientQueueBytesMax = 1000 }
    let client = world.connect()
    world.clients[client].room = 0
    for _ in 0..<4 {
      world.workers[0].answer(world.clients[client].uuid, Array(repeating: 1, count: 400))
      world.advance(Shard.holdMax)
    }
    return world.clients[client].closeReason == .slowClient
  }

  // MARK: What sessions leave behind

  static func noTimerStays() -> Bool {
    let world = VirtualWorld()
    let client = world.connect()
    world.reset(client)
    world.settle()
    return world.shard.sessionTimers.armedCount == 0
  }

  static func aHalfClosedClientIsClosed() -> Bool {
    let world = VirtualWorld()
    world.workers[0].sendsAnswers = false
    let client = world.connect()
    world.send(client, "a")
    world.settle()
    world.end(client)
    world.advance(.seconds(6))
    return world.clients[client].closeReason == .clientClosed
  }

  static func anAddressComesAgain() -> Bool {
    let world = VirtualWorld { $0.listeners[0].limits.concurrentPerAddress = 1 }
    let first = world.connect(from: address)
    world.reset(first)
    world.settle()
    return world.clients[world.connect(from: address)].isOpen
  }

  static func aRateHoldsOn() -> Bool {
    let world = framed { $0.listeners[0].limits.packets = Rate(perSecond: 1, burst: 2) }
    let client = world.connect()
    sendTen(world, client)
    world.advance(.seconds(3))
    return (5...6).contains(world.workers[0].packets.count)
  }

  static func aListenerKeepsItsPlace() -> Bool {
    let world = VirtualWorld()
    guard case .success(let slot) = world.addListener("lobby") else { return false }
    let client = world.connect(listener: slot)
    world.clients[client].room = 0
    world.workers[0].answer(world.clients[client].uuid, [1])
    world.settle()
    world.removeListener("lobby", closing: true)
    world.settle()
    return world.listeners().map(\.name) == ["game", "lobby"]
  }
}
