import Framing
import Gateway
import Testing

@testable import Configuration

@Suite struct DocumentationTests {
  /// Goal: what the example says are defaults are the defaults.
  @Test func theExampleIsRightAndHoldsTheDefaults() throws {
    let text = try contents(of: "gatehouse.example.toml")
    #expect(problems(text) == [])
    #expect(warnings(text) == [])
    let example = try #require(loaded(text))
    #expect(example.limits == Limits())
    #expect(example.log == LogConfiguration())
    #expect(example.shutdownGrace == GatewayConfiguration().shutdownGrace)
    let (first, second) = (example.listeners[0], example.listeners[1])
    #expect(first.idleTimeout == second.idleTimeout)
    #expect(first.writeTimeout == second.writeTimeout)
    #expect(first.workerWait == second.workerWait)
    #expect(first.halfCloseTimeout == second.halfCloseTimeout)
    #expect(first.keepalive == second.keepalive)
    var pool = PoolConfiguration(name: "game")
    pool.workers = example.pools[0].workers
    #expect(example.pools[0] == pool)
    var worker = pool.workers[0]
    worker.port = pool.workers[1].port
    #expect(worker == pool.workers[1])
  }

  /// Goal: what a reader copies from the README or the reference can be used.
  @Test(arguments: [("README.md", 1), ("docs/configuration.md", 4)])
  func theBlocksAreRight(file: String, count: Int) throws {
    let text = try contents(of: file)
    let blocks = text.split(separator: "```toml\n").dropFirst().map { block in
      String(block.prefix(upTo: block.firstRange(of: "```")?.lowerBound ?? block.endIndex))
    }
    #expect(blocks.count == count)
    for block in blocks {
      #expect(problems(block) == [])
      #expect(warnings(block) == [])
    }
  }

  /// Goal: the shortest configuration stays as short as the reference promises.
  @Test func theReferenceBeginsWithFiveLines() throws {
    let text = try contents(of: "docs/configuration.md")
    let block = try #require(text.split(separator: "```toml\n").dropFirst().first)
    let end = try #require(block.firstRange(of: "```"))
    #expect(block[..<end.lowerBound].split(separator: "\n").count == 5)
  }

  /// Goal: no framer, and no key of one, without its line.
  @Test func theReferenceHasEveryFramerAndItsKeys() throws {
    let text = try contents(of: "docs/configuration.md")
    for kind in FramerKind.allCases {
      let heading = "### `kind = \"\(kind.rawValue)\"`\n"
      let start = try #require(text.firstRange(of: heading), "\(kind)").upperBound
      let rest = text[start...]
      let section = rest.prefix(upTo: rest.firstRange(of: "\n#")?.lowerBound ?? rest.endIndex)
      for key in kind.definition.keys {
        #expect(section.contains("| `\(key.name)` | "), "\(kind): \(key.name)")
      }
    }
  }
}
