import Testing

@testable import Management

/// What the log is told of wrong tokens.
@Suite struct WrongTokenTests {
  @Test func oneLineASecondTellsHowMany() {
    let tokens = WrongTokens()
    let second = WrongTokens.pauseNanoseconds
    let start: Int64 = 5
    #expect(tokens.note(at: start) == 1)
    for step in 1..<100 { #expect(tokens.note(at: start + Int64(step)) == nil) }
    #expect(tokens.note(at: start + second - 1) == nil)
    #expect(tokens.note(at: start + second) == 101)
    #expect(tokens.note(at: start + second + 1) == nil)
    #expect(tokens.note(at: start + 9 * second) == 2)
  }

  @Test func theLineHasTheClientAndNotTheToken() throws {
    let gateway = try FakeGateway(.workers([]))
    _ = try gateway.request("GET", "/upstream", token: "a-wrong-token")
    let line = try #require(gateway.logged.first)
    #expect(line.hasPrefix("warning wrong-token client=127.0.0.1:"))
    #expect(line.hasSuffix(" requests=1"))
    #expect(!line.contains("a-wrong-token"))
  }

  @Test func otherRequestsAreNotReported() throws {
    let gateway = try FakeGateway(.workers([]))
    _ = try gateway.request("GET", "/upstream", token: nil)
    _ = try gateway.request("GET", "/upstream")
    _ = try gateway.request("GET", "/livez", token: "wrong, but not asked for")
    #expect(gateway.logged == [])
  }
}
