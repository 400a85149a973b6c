import Primitives
import Testing

@testable import Gateway

/// Trials of what only happens between several shards.
extension FaultTrials {
  /// Two shards with a worker each, and a client with the second.
  private static func pair() -> (group: VirtualGroup, client: Int) {
    let group = VirtualGroup()
    let clients = (0..<2).map { _ in group.connect() }
    group.settle()
    return (group, clients[1])
  }

  static func packetsWaitForAnotherShard() -> Bool {
    let (group, client) = pair()
    group.shards[1].setNetwork(of: 1, bytesMax: 0)
    group.send(client, numbers: 0..<10)
    group.settle()
    group.remove(1)
    group.settle()
    group.send(client, numbers: 10..<12)
    group.settle()
    return group.echoed(client) == Array(0..<12)
  }

  static func anOperatorClosesElsewhere() -> Bool {
    let (group, client) = pair()
    let uuid = SessionUUID(text: group.clients[client].uuid)!
    group.door.command(.closeSession(uuid))
    group.settle()
    return group.clients[client].closeReason == .closedByOperator
  }

  static func aClientLeavesElsewhere() -> Bool {
    let (group, client) = pair()
    group.door.reset(client)
    group.settle()
    return group.door.metrics().listeners[0].sessionsOpen == 1
  }

  static func aBroadcastReachesOtherShards() -> Bool {
    let (group, client) = pair()
    group.workers[0].broadcast(0, [1, 2, 3])
    group.settle()
    return group.clients[client].received == [1, 2, 3]
  }
}
