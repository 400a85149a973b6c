import Foundation
import Testing

/// Goal: what fuzzing has found stays mended, and each seed still is what its fuzzer reads.
///
/// Method: every fuzzer is given its corpus, without a search; a failed check ends the process and
/// names itself.
@Suite struct CorpusTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("corpus")

  private func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func everyFuzzerHasACorpus() throws {
    #expect(try names(in: Self.folder) == allFuzzers.keys.sorted())
  }

  @Test(arguments: allFuzzers.keys.sorted())
  func corpusHolds(name: String) throws {
    let fuzzer = try #require(allFuzzers[name])
    let corpus = Self.folder.appendingPathComponent(name)
    let inputs = try names(in: corpus)
    #expect(!inputs.isEmpty)
    for input in inputs {
      fuzzer([UInt8](try Data(contentsOf: corpus.appendingPathComponent(input))))
    }
    fuzzer([])
  }
}
