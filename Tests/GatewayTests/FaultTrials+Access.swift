import Auth
import Primitives
import Testing

@testable import Gateway

/// Trials of logins and bans.
extension FaultTrials {
  private static let anna = AccountName("anna")!

  /// Who says to be anna, and whose claim was not answered yet.
  private static func atTheDoor(_ world: VirtualWorld) -> Int {
    let client = world.connect()
    world.send(client, Logins.packet("anna", "secret"))
    world.settle()
    return client
  }

  // MARK: Logins

  static func theIdentityReachesTheWorker() -> Bool {
    let world = VirtualWorld.withLogins {
      $0.listeners[0].authentication?.forwardsFirstPacket = true
    }
    _ = world.logIn("anna")
    return world.workers[0].packets.map(\.payload) == [Logins.packet("anna", "secret")]
  }

  static func nothingPassesBeforeTheVerdict() -> Bool {
    let world = VirtualWorld.withLogins()
    let client = atTheDoor(world)
    world.send(client, Packets.make([1]))
    world.settle()
    return world.workers[0].packets.isEmpty
  }

  static func aVerdictComesTooLate() -> Bool {
    let world = VirtualWorld.withLogins()
    let gone = atTheDoor(world)
    world.reset(gone)
    world.settle()
    let next = atTheDoor(world)
    world.answerClaim(.accepted(anna, attributes: []))
    world.settle()
    return world.session(next)?.isPending == true
  }

  static func theStoreFails() -> Bool {
    let world = VirtualWorld.withLogins()
    let client = atTheDoor(world)
    world.answerClaim(.unavailable("virtual"))
    world.settle()
    return world.clients[client].closeReason == .storeUnavailable
  }

  static func aClientLeavesWhileItIsVerified() -> Bool {
    let world = VirtualWorld.withLogins { $0.access.logins.verificationsMax = 1 }
    let gone = atTheDoor(world)
    world.reset(gone)
    world.settle()
    _ = atTheDoor(world)
    world.answerClaim(.refused(.wrongSecret))
    world.settle()
    return world.claims.count == 1
  }

  // MARK: Bans

  static func aBanComesDuringTheLogin() -> Bool {
    let world = VirtualWorld.withLogins()
    let client = atTheDoor(world)
    world.setBans([Ban(id: 1, subject: .account(anna))])
    world.settle()
    world.answerClaim(.accepted(anna, attributes: []))
    world.settle()
    return world.clients[client].closeReason == .banned
  }

  static func aBanComesForWhoIsIn() -> Bool {
    let world = VirtualWorld.withLogins()
    let client = world.logIn("anna")
    world.setBans([Ban(id: 1, subject: .account(anna))])
    world.settle()
    return world.clients[client].closeReason == .banned
  }

  static func aRuleBansBeforeTheStore() -> Bool {
    let world = framed {
      $0.listeners[0].limits.packets = Rate(perSecond: 1, burst: 2)
      $0.listeners[0].limits.packetsAction = .ban
    }
    sendTen(world, world.connect(from: address))
    world.setBans([])
    return !world.clients[world.connect(from: address)].isOpen
  }
}
