import Primitives
import Testing

@testable import Simulation

/// Goal: the virtual network is TCP as far as a program can tell.
@Suite struct NetworkTests {
  /// A network with its own clock, so that nothing else takes part.
  private final class Wire {
    let network: Network
    var queue = EventQueue()
    var told: [(End, Arrival.Kind)] = []
    let path: Int

    init(seed: UInt64 = 1) {
      network = Network(seed: seed)
      path = network.addPath(latency: .milliseconds(1), jitter: .milliseconds(50))
    }

    func open() -> Connection {
      let connection = network.open(
        from: 0, address: SocketAddress(ipv4: 192, 0, 2, 1, port: 5), to: 0, port: 7000,
        path: path)
      run()
      network.accept(connection, by: .gateway)
      run()
      return connection
    }

    func run() {
      while true {
        for (at, arrival) in network.scheduled { queue.add(.arrival(arrival), at: at) }
        network.scheduled.removeAll()
        guard let (at, event) = queue.popFirst(), case .arrival(let arrival) = event else { return }
        network.now = max(network.now, at)
        if network.apply(arrival) { told.append((arrival.end, arrival.kind)) }
      }
    }

    func read(_ connection: Connection, at end: End) -> [UInt8] {
      Array(network.read(connection, at: end, bytesMax: .max))
    }
  }

  @Test func bytesArriveInOrderWhateverTheDelays() {
    let wire = Wire()
    let connection = wire.open()
    var sent: [UInt8] = []
    for number in 0..<200 {
      let bytes = [UInt8(number), UInt8(number)]
      #expect(wire.network.write(bytes, on: connection, from: .peer) == 2)
      sent += bytes
    }
    #expect(wire.read(connection, at: .gateway).isEmpty)
    wire.run()
    #expect(wire.read(connection, at: .gateway) == sent)
  }

  @Test func buffersAreBounded() {
    let wire = Wire()
    let connection = wire.open()
    connection.toPeer.bytesMax = 10
    #expect(
      wire.network.write([UInt8](repeating: 1, count: 25), on: connection, from: .gateway) == 10)
    #expect(wire.network.write([2], on: connection, from: .gateway) == 0)
    wire.run()
    #expect(wire.read(connection, at: .peer).count == 10)
    wire.told = []
    wire.run()
    #expect(wire.told.count == 1)
    #expect(wire.network.write([2], on: connection, from: .gateway) == 1)
  }

  @Test func endsComeBehindTheBytes() {
    let wire = Wire()
    let connection = wire.open()
    _ = wire.network.write([1, 2], on: connection, from: .peer)
    wire.network.close(connection, from: .peer)
    wire.run()
    #expect(wire.read(connection, at: .gateway) == [1, 2])
    #expect(connection.toGateway.endArrived && connection.phase == .established)
    // Whoever writes to a closed socket is told by a reset.
    #expect(wire.network.write([3], on: connection, from: .gateway) == 1)
    wire.run()
    #expect(connection.phase == .reset)
    #expect(wire.network.write([3], on: connection, from: .gateway) == -1)
    wire.network.close(connection, from: .gateway)
    #expect(connection.isOver)
  }

  @Test func closingWithUnreadBytesResets() {
    let wire = Wire()
    let connection = wire.open()
    _ = wire.network.write([1, 2], on: connection, from: .peer)
    wire.run()
    _ = wire.network.write([7], on: connection, from: .gateway)
    wire.network.close(connection, from: .gateway)
    wire.run()
    #expect(connection.phase == .reset)
    // What was under way is gone, but it can be told what it was.
    #expect(wire.read(connection, at: .peer).isEmpty && connection.toPeer.unread == [7])
  }

  @Test func noEndArrivesBehindWhatAResetTook() {
    let wire = Wire()
    let connection = wire.open()
    _ = wire.network.write([7], on: connection, from: .gateway)
    _ = wire.network.write([1, 2], on: connection, from: .peer)
    wire.network.close(connection, from: .peer)
    // The answer meets the closed socket before the client's last bytes have come.
    wire.network.cut(connection)
    #expect(connection.toGateway.room == 0)
    wire.run()
    #expect(connection.phase == .reset && !connection.toGateway.endArrived)
    #expect(connection.toGateway.unread == [1, 2])
  }

  @Test func darkPathsHoldEverything() {
    let wire = Wire()
    let connection = wire.open()
    _ = wire.network.write([1], on: connection, from: .peer)
    wire.network.darken(path: wire.path)
    _ = wire.network.write([2], on: connection, from: .peer)
    wire.network.shutdown(connection, from: .peer)
    wire.run()
    #expect(wire.read(connection, at: .gateway).isEmpty)
    wire.network.light(path: wire.path)
    wire.run()
    #expect(wire.read(connection, at: .gateway) == [1, 2])
    #expect(connection.toGateway.endArrived)
  }

  @Test func cutsComeToBothEnds() {
    let wire = Wire()
    let connection = wire.open()
    wire.told = []
    _ = wire.network.write([1], on: connection, from: .peer)
    wire.network.cut(connection)
    wire.run()
    #expect(connection.phase == .reset)
    let resets = wire.told.filter { if case .reset = $0.1 { true } else { false } }
    #expect(resets.count == 2)
    #expect(wire.network.write([1], on: connection, from: .peer) == -1)
  }
}
