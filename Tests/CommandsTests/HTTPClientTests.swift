import Testing

@testable import Commands

@Suite struct HTTPClientTests {
  private func parse(_ text: String) throws -> HTTPClient.Answer {
    try HTTPClient.parse(Array(text.utf8), from: "192.0.2.7:8000")
  }

  @Test func statusAndBodyAreTakenApart() throws {
    let answer = try parse("HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n{}\r\n\r\n")
    #expect(answer == HTTPClient.Answer(status: 404, body: Array("{}\r\n\r\n".utf8)))
    #expect(try parse("HTTP/1.0 200\r\n\r\n").body.isEmpty)
  }

  @Test(arguments: [
    "", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1 x\r\n\r\n",
    "HTTP/1.1\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 999 x\r\n\r\n", "HTTP/1.1 -20 x\r\n\r\n",
  ])
  func whatIsNotHTTPIsSaid(text: String) {
    #expect(throws: HTTPClient.Failure.broken("192.0.2.7:8000 does not answer in HTTP")) {
      try parse(text)
    }
  }

  @Test func anAnswerThatBreaksOffIsSaid() throws {
    let whole = "HTTP/1.0 200 OK\r\ncontent-length:  5\r\n\r\nhello"
    #expect(try parse(whole).body == Array("hello".utf8))
    #expect(throws: HTTPClient.Failure.self) { try parse(String(whole.dropLast())) }
  }

  @Test func whereToConnectIsAnAddress() {
    #expect(ManagementClient.reachable("0.0.0.0") == "127.0.0.1")
    #expect(ManagementClient.reachable("::") == "::1")
    #expect(ManagementClient.reachable("192.0.2.7") == "192.0.2.7")
  }

  @Test func queriesAreEncoded() throws {
    #expect(
      ManagementClient.query(.account(try accountName("a&b é=/"))) == "account=a%26b%20%C3%A9%3D%2F"
    )
    #expect(
      ManagementClient.query(.addresses(try SubjectText.address("2001:db8::/32")))
        == "address=2001%3Adb8%3A%3A%2F32")
  }
}
