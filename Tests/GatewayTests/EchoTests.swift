import Primitives
import Testing

@testable import Gateway

/// Goal: bytes go to a worker and come back, exactly.
@Suite struct EchoTests {
  @Test func onePacketComesBack() {
    let world = VirtualWorld()
    #expect(world.status(of: 0)?.state == .ready)
    let client = world.connect()
    world.send(client, "hello")
    world.settle()
    #expect(world.text(client) == "hello")
    #expect(world.workers[0].packets.map(\.payload) == [Array("hello".utf8)])
  }
}
