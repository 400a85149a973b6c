import Configuration
import Foundation
import Framing
import Testing

@testable import Learning

/// Goal: framers are learnt from what real programs said, as often as docs/framer-learn.md tells.
///
/// A proposal is right when it cuts each recording where the framer of recording.toml does.
@Suite struct RecordingTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Recordings")

  struct Outcome {
    var name: String
    /// The place of the right proposal in the ranking, from 0; nil when it is not there.
    var rank: Int?
    var proposed: String
  }

  /// The names in a column of the table of Tests/Recordings/README.md, without remarks.
  private static func names(column: Int) throws -> [String] {
    let text = try String(
      contentsOf: folder.appendingPathComponent("README.md"), encoding: .utf8)
    return text.split(separator: "\n").filter { $0.hasPrefix("|") }.dropFirst(2).compactMap {
      let cells = $0.split(separator: "|", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      return cells.count > column ? cells[column].split(separator: " ").first.map(String.init) : nil
    }
  }

  private static func definition(_ name: String) throws -> FramerDefinition {
    let url = folder.appendingPathComponent("\(name)/recording.toml")
    let text = try String(contentsOf: url, encoding: .utf8)
    // What comes before tells of the recording.
    let start = try #require(text.range(of: "[client_to_server]")).lowerBound
    let file = FramerLibrary.File(
      name: name, path: url.path, text: Array(text[start...].utf8))
    return try FramerDefinition.load(file, loadPlugin: FramerSources.none.loadPlugin).get()
  }

  private static func outcome(_ name: String, _ side: String, _ framer: Framer) throws -> Outcome {
    let place = folder.appendingPathComponent(name)
    let files = try FileManager.default.contentsOfDirectory(atPath: place.path)
      .filter { $0.hasPrefix(side) && $0.hasSuffix(".bin") }.sorted()
    let streams = try files.map {
      LearningStream(bytes: [UInt8](try Data(contentsOf: place.appendingPathComponent($0))))
    }
    let reference = try CompiledFramer(framer)
    // The learner leaves out what has the same bytes.
    var seen: Set<[UInt8]> = []
    let expected = streams.filter { !$0.bytes.isEmpty && seen.insert($0.bytes).inserted }
      .map { StreamCutting($0.bytes, by: reference).ends }
    let report = FramerLearner.learn(streams)
    return Outcome(
      name: "\(name) \(side)", rank: report.proposals.firstIndex { $0.packetEnds == expected },
      proposed: report.proposals.first?.summary ?? report.notes.joined(separator: "; "))
  }

  private static func outcomes(column: Int) throws -> [Outcome] {
    try names(column: column).flatMap { name in
      let definition = try definition(name)
      return [
        try outcome(name, "client", definition.clientToServer),
        try outcome(name, "server", definition.serverToClient ?? .raw),
      ]
    }
  }

  private static func misses(_ outcomes: [Outcome]) -> String {
    outcomes.filter { $0.rank != 0 }
      .map { "\($0.name): \($0.rank.map { "place \($0 + 1)" } ?? "not found"): \($0.proposed)" }
      .joined(separator: "\n")
  }

  @Test func tuningHalfIsLearnt() throws {
    let outcomes = try Self.outcomes(column: 1)
    #expect(outcomes.count == 20)
    #expect(outcomes.count { $0.rank == 0 } >= 19, "\(Self.misses(outcomes))")
  }

  /// Goal: the honest number.
  ///
  /// Nothing may be changed so that it gets better.
  @Test func heldOutHalfIsLearnt() throws {
    let outcomes = try Self.outcomes(column: 2)
    #expect(outcomes.count == 20)
    #expect(outcomes.count { $0.rank == 0 } >= 18, "\(Self.misses(outcomes))")
    #expect(outcomes.count { $0.rank != nil } >= 19, "\(Self.misses(outcomes))")
  }
}
