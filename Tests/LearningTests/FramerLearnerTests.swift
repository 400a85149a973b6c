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

  /// Goal: opcodes with sizes of their own are found where writes show them, but never relied on.
  @Test func tablesAreTheLastResort() throws {
    var (streams, ends) = tableProtocol.streams(seed: 1, count: 8, packets: 1...12)
    for index in streams.indices { streams[index].writeEnds = ends[index] }
    let report = FramerLearner.learn(streams)
    let table = try #require(report.proposals.first, "\(report)")
    #expect(table.packetEnds == ends)
    #expect(table.confidence == .thin)
    #expect(table.doubts.contains { $0.contains("opcodes that were not recorded are missing") })
  }
}
