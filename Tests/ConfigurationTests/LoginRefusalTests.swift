import Auth
import Gateway
import Testing

@testable import Configuration

@Suite struct LoginRefusalTests {
  private func read(
    _ text: String
  ) throws -> (refusals: [CloseReason: ReplyTemplate], problems: [String]) {
    let node = try TomlNode.parse(Array(text.utf8)).get()
    guard case .table(let table) = node.value else { return ([:], []) }
    var reader = TableReader(table, path: "listener[1]", position: node.position)
    let refusals = readRefusals(&reader)
    return (refusals, reader.finish().map(\.description))
  }

  @Test func eachReasonHasItsReplyOrTheDefault() throws {
    #expect(try read("").refusals == [:])
    let (refusals, problems) = try read(
      """
      [refusal]
      default = 'Closed: {reason}\\n'
      banned = { hex = "02{reason:u8}" }
      """)
    #expect(problems == [])
    #expect(refusals[.banned] == (try ReplyTemplate(hex: "02{reason:u8}")))
    #expect(refusals[.loginTimeout] == (try ReplyTemplate(text: "Closed: {reason}\n")))
    for reason in [CloseReason.clientClosed, .clientReset, .slowClient, .answered] {
      #expect(refusals[reason] == nil)
    }
    #expect(refusals.count == CloseReason.allCases.count - 4)
  }

  @Test func withoutDefaultOnlyWhatIsGivenIsTold() throws {
    let (refusals, problems) = try read("[refusal]\nlogin-refused = \"no\"")
    #expect(problems == [] && refusals.count == 1)
  }

  @Test func reasonsThatAreNoneAreNamed() throws {
    #expect(
      try read("[refusal]\nlogin-refusd = \"no\"").problems == [
        ":2:1: error: listener[1].refusal.login-refusd: unknown key "
          + "(did you mean \"login-refused\"?)"
      ])
    #expect(try read("[refusal]\nslow-client = \"no\"").problems.count == 1)
    #expect(try read("refusal = \"no\"").problems.count == 1)
  }

  /// Goal: the reference names every reason that can be told, and what an operator copies from it
  /// can be used.
  @Test func theReferenceIsRight() throws {
    let text = try contents(of: "docs/authentication.md")
    for reason in try read("[refusal]\ndefault = \"x\"").refusals.keys {
      #expect(text.contains("`\(reason.name)`"), "\(reason.name)")
    }
    let blocks = text.split(separator: "```toml\n").dropFirst().map { block in
      String(block.prefix(upTo: block.firstRange(of: "```")?.lowerBound ?? block.endIndex))
    }
    var logins = 0
    for block in blocks {
      let node = try TomlNode.parse(Array(block.utf8)).get()
      guard case .table(let root) = node.value else { continue }
      var reader = TableReader(root, path: "", position: node.position)
      var listeners = reader.subtables("listener")
      for index in listeners.indices {
        _ = readRefusals(&listeners[index])
        if var auth = listeners[index].subtable("auth") {
          logins += 1
          #expect(readLogin(&auth) != nil, "\(block)")
          #expect(auth.finish(ignoresUnknown: true).map(\.description) == [], "\(block)")
        }
        #expect(listeners[index].finish(ignoresUnknown: true).map(\.description) == [], "\(block)")
      }
    }
    #expect(logins > 4)
  }
}
