import Primitives
import Testing

@testable import Learning

@Suite struct FramerLearnerTests {
  /// Goal: for each family of protocols the first proposal cuts where the protocol does.
  @Test(arguments: lengthProtocols + textProtocols)
  func firstProposalCutsRightly(protocol invented: InventedProtocol) throws {
    let (streams, ends) = invented.streams(seed: 4)
    let report = FramerLearner.learn(streams)
    let best = try #require(report.proposals.first, "\(report.notes)")
    #expect(best.packetEnds == ends, "\(best.summary)")
    #expect(!best.reasons.isEmpty)
  }
}
