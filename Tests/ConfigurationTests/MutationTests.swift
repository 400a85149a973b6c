import Testing

@testable import Configuration

/// Goal: whatever a file holds, it is either right, and then within what the gateway relies on, or
/// has problems that each are one line at a place that exists.
///
/// Method: files that are right are cut, repeated, spliced and changed byte by byte, by seed.
@Suite struct MutationTests {
  @Test func mutatedFilesAreLoadedOrRefused() throws {
    let corpus = [
      Array(minimalText.utf8), Array(paradoxPlexText.utf8),
      Array(try contents(of: "gatehouse.example.toml").utf8),
    ]
    var generator = SplitMix64(state: 1)
    var counts = (loaded: 0, refused: 0)
    for round in 0..<4_000 {
      var bytes = corpus[round % 8 == 0 ? 2 : round % 2]
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        mutate(&bytes, corpus, &generator)
      }
      switch ConfigurationLoader.load(text: bytes, file: "f") {
      case .loaded(let configuration, _):
        counts.loaded += 1
        #expect(!configuration.listeners.isEmpty && !configuration.pools.isEmpty, "\(round)")
        for listener in configuration.listeners {
          #expect(configuration.pools.indices.contains(listener.pool), "\(round)")
          #expect(!listener.host.isEmpty && listener.port > 0, "\(round)")
        }
      case .refused(let problems):
        counts.refused += 1
        #expect(!problems.isEmpty, "\(round)")
        let lines = bytes.count { $0 == 10 } + 1
        for problem in problems {
          #expect((1...lines + 1).contains(problem.line) && problem.column >= 1, "\(round)")
          #expect(!problem.description.utf8.contains { $0 < 0x20 }, "\(round)")
        }
      }
    }
    #expect(counts.loaded > 100 && counts.refused > 1_000)
  }

  private func mutate(
    _ bytes: inout [UInt8], _ corpus: [[UInt8]], _ generator: inout SplitMix64
  ) {
    guard !bytes.isEmpty else { return }
    let at = Int.random(in: bytes.indices, using: &generator)
    let end = min(bytes.count, at + Int.random(in: 1...24, using: &generator))
    let marks = Array("\"'[]{}=.,#\\\n\0-0917_eExXbTZ: \u{FF}".utf8)
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: bytes[at] = UInt8.random(in: .min ... .max, using: &generator)
    case 1, 2: bytes[at] = marks.randomElement(using: &generator) ?? 0
    case 3: bytes.insert(marks.randomElement(using: &generator) ?? 0, at: at)
    case 4: bytes.removeSubrange(at..<end)
    case 5: bytes.insert(contentsOf: bytes[at..<end], at: at)
    case 6: bytes.removeSubrange(at...)
    default:
      let other = corpus.randomElement(using: &generator) ?? bytes
      let from = Int.random(in: other.indices, using: &generator)
      bytes.replaceSubrange(at..<end, with: other[from..<min(other.count, from + 40)])
    }
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same numbers for the same seed everywhere.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
