import Primitives
import Testing

@testable import Simulation

/// Goal: a worker that lies loses its connection where the contract says so, and nobody hears of
/// it.
@Suite struct WorkerLieTests {
  @Test(arguments: Lie.allCases.filter { $0 != .brokenAnswer })
  func lieEndsTheLinkAndNothingElse(lie: Lie) {
    for seed in UInt64(1)...4 {
      let world = WorkerWorld(seed: seed)
      let client = world.connect()
      for _ in 0..<5 { client.send() }
      world.advance(seconds: 1)
      let ends = world.linkEnds
      world.worker.lie(lie)
      client.send()
      world.advance(seconds: 5)
      #expect((world.linkEnds > ends) == lie.endsLink, "\(lie), seed \(seed)")
      world.worker.becomeNormal()
      world.advance(seconds: 6)
      #expect(world.isReady, "\(lie), seed \(seed)")
      let before = client.ownAnswers.count
      client.send()
      world.advance(seconds: 1)
      #expect(client.ownAnswers.count == before + 1, "\(lie), seed \(seed)")
      #expect(before >= (lie.endsLink ? 5 : 6))
      #expect(!client.hasEnded && client.problems.isEmpty && world.violations.isEmpty)
    }
  }

  /// Goal: bytes that are no packet cost their session, and the link stays; where nobody looks,
  /// nobody is sent any.
  @Test func brokenAnswerEndsItsSessionAlone() {
    var closed = 0
    for seed in UInt64(1)...8 {
      let world = WorkerWorld(seed: seed)
      let clients = [world.connect(), world.connect()]
      for client in clients { client.send() }
      world.advance(seconds: 1)
      let ends = world.linkEnds
      world.worker.lie(.brokenAnswer)
      world.advance(seconds: 3)
      let framed = world.simulation.games[0].framesAnswers
      #expect(clients.count(where: \.hasEnded) == (framed ? 1 : 0), "seed \(seed)")
      #expect(world.linkEnds == ends && world.violations.isEmpty, "seed \(seed)")
      closed += framed ? 1 : 0
    }
    #expect((1...7).contains(closed))
  }

  /// Goal: a lie that nobody can hear is told to the next connection.
  @Test func lieWaitsForAConnection() {
    let world = WorkerWorld()
    world.worker.crash()
    world.worker.restart()
    let ends = world.linkEnds
    world.worker.lie(.garbage)
    world.advance(seconds: 3)
    // One for the crash, one for the lie.
    #expect(world.linkEnds == ends + 2)
    #expect(world.isReady)
  }

  @Test func handMadeFramesAreFrames() {
    let frame = HTTP2Frames.frame(.ping, flags: 1, stream: 0x0102_0304, [9, 8])
    #expect(frame == [0, 0, 2, 6, 1, 1, 2, 3, 4, 9, 8])
    #expect(HTTP2Frames.block([("a", "bc")]) == [0, 1, 97, 2, 98, 99])
  }
}
