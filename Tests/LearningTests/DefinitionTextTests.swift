import Configuration
import Framing
import Testing

@testable import Learning

/// Goal: what is proposed can be pasted: a definition reads back as the framer that was proposed.
@Suite struct DefinitionTextTests {
  private func readBack(_ text: String) throws -> Framer {
    let file = FramerLibrary.File(name: "learnt", path: "learnt.toml", text: Array(text.utf8))
    return try FramerDefinition.load(file, loadPlugin: FramerSources.none.loadPlugin).get()
      .clientToServer
  }

  @Test(arguments: lengthProtocols + textProtocols)
  func proposalsReadBack(protocol invented: InventedProtocol) throws {
    for proposal in FramerLearner.learn(invented.streams(seed: 12).streams).proposals {
      let text = proposal.definition(table: "client_to_server")
      #expect(try readBack(text) == proposal.framer, "\(text)")
      for option in proposal.options where text.hasPrefix("[client_to_server]\nkind = \"length") {
        #expect(throws: Never.self, "\(option)") { try readBack(text + option + "\n") }
      }
    }
  }

  @Test func shapesReadBack() throws {
    var raw = Rule(prelude: 3, .delimiter([0x5c, 0x27], isTelnet: false))
    raw.rawAfter = 4
    for rule in [
      Rule(.table([1: 9, 0xfe: 20])), raw,
      Rule(LengthRule(offset: 2, encoding: .prefix, adjustment: 1)),
      Rule(LengthRule(encoding: .decimal(width: 10, terminator: 0x0a), adjustment: -2)),
    ] {
      let framer = try rule.framer(longest: 40, preludeBytes: [1, 2, 3])
      let text = DefinitionText(framer, table: "client_to_server").lines.joined(separator: "\n")
      #expect(try readBack(text) == framer, "\(text)")
    }
  }
}
