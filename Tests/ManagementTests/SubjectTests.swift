import Auth
@testable import Gateway
import Management
import Primitives
import Testing

/// Requests about an account, an address or a prefix.
@Suite struct SubjectTests {
  private static let subjects: [(String, Subject)] = [
    ("account=anna", .account(AccountName("anna")!)),
    ("account=ANNA", .account(AccountName("anna")!)),
    ("account=%C3%85sa%20O%27Neil%26%3D%23", .account(AccountName("Åsa O'Neil&=#")!)),
    ("account=a+b%2Bc", .account(AccountName("a b+c")!)),
    ("account=192.0.2.7", .account(AccountName("192.0.2.7")!)),
    ("address=192.0.2.7", .addresses(AddressPrefix(text: "192.0.2.7")!)),
    ("address=192.0.2.0/24", .addresses(AddressPrefix(text: "192.0.2.0/24")!)),
    ("address=192.0.2.0%2F24", .addresses(AddressPrefix(text: "192.0.2.0/24")!)),
    ("address=2001:db8::/32", .addresses(AddressPrefix(text: "2001:db8::/32")!)),
    ("address=2001%3Adb8%3A%3A7", .addresses(AddressPrefix(text: "2001:db8::7")!)),
  ]

  private func subject(_ command: Command) -> Subject? {
    switch command {
    case .listSessions(let subject, _, _): subject
    case .closeSessions(let subject), .explain(let subject): subject
    default: nil
    }
  }

  @Test(arguments: subjects.indices)
  func subjectsAreUnderstood(_ index: Int) throws {
    let (query, expected) = Self.subjects[index]
    let gateway = try FakeGateway { command in
      switch command {
      case .listSessions: .sessions([], next: nil)
      case .closeSessions: .closed(sessions: 3)
      default: .explanation(Explanation())
      }
    }
    #expect(try gateway.request("GET", "/sessions?limit=7&\(query)&cursor=5").status == 200)
    let closed = try gateway.request("DELETE", "/sessions?\(query)")
    #expect(closed.status == 200)
    #expect(closed.body == "{\"closed\":3}\n")
    #expect(try gateway.request("GET", "/why?\(query)").status == 200)
    #expect(gateway.asked.map { subject($0.command) } == [expected, expected, expected])
    guard case .listSessions(_, 5, 7) = gateway.asked[0].command else {
      Issue.record("another page: \(gateway.asked[0])")
      return
    }
  }

  @Test(arguments: [
    ("account=", "account"), ("account", "account"), ("account=%20anna", "account"),
    ("account=a%00b", "account"), ("account=a%0Ab", "account"), ("account=%FF", "account"),
    ("account=%C0%80", "account"), ("account=anna&account=bob", "account"),
    ("account=anna&address=192.0.2.7", "account"), ("address=", "address"),
    ("address=anna", "address"), ("address=192.0.2.7/24", "address"),
    ("address=192.0.2.0/33", "address"), ("address=2001:db8::7%25eth0", "address"),
    ("address=192.0.2.7%00", "address"), ("acount=anna", "acount"),
    ("account=anna&acount=bob", "acount"),
    ("account=" + String(repeating: "n", count: 65), "account"),
  ])
  func wrongSubjectsAreRefused(query: String, field: String) throws {
    let gateway = try FakeGateway(.done)
    for (method, path) in [("GET", "/sessions"), ("DELETE", "/sessions"), ("GET", "/why")] {
      let answer = try gateway.request(method, "\(path)?\(query)")
      #expect(answer.status == 400, "\(method) \(path)")
      #expect(try answer.errorCode == "invalid-fields")
      #expect(try (answer.error["fields"] as? [String: String])?.keys.first == field)
    }
    #expect(gateway.asked.isEmpty)
  }

  /// Goal: an operator who forgets to say whose sessions to close does not close them all.
  @Test func aSubjectIsRequiredWhereItMatters() throws {
    let gateway = try FakeGateway(.closed(sessions: 9))
    for (method, target) in [
      ("DELETE", "/sessions"), ("DELETE", "/sessions/"), ("DELETE", "/sessions?"), ("GET", "/why"),
      ("DELETE", "/sessions?limit=1"),
    ] {
      let answer = try gateway.request(method, target)
      #expect(answer.status == 400)
      #expect(try answer.errorCode == "invalid-fields")
    }
    #expect(gateway.asked.isEmpty)
  }

  @Test func aPrefixWithHostBitsIsCorrected() throws {
    let gateway = try FakeGateway(.done)
    let answer = try gateway.request("DELETE", "/sessions?address=192.0.2.7/24")
    #expect(try answer.errorMessage.contains("192.0.2.0/24"))
  }

  @Test func anExplanationHasAllThatApplies() throws {
    var explanation = Explanation()
    explanation.bans = [
      Ban(
        id: 7, subject: .addresses(AddressPrefix(text: "192.0.2.0/24")!), listener: "game",
        shownReason: "cheating, \"again\"", until: 1_800_000_000),
      Ban(id: -1, subject: .account(AccountName("Anna")!)),
    ]
    explanation.sessions = 2
    explanation.counters = [
      .init(listener: "game", name: "limits.connections_per_address", used: 3, most: 10),
      .init(listener: nil, name: "temporary_ban.guessing", used: .max, most: 1),
    ]
    let reply = Reply.explanation(explanation)
    let answer = try FakeGateway(reply).request("GET", "/why?address=192.0.2.7")
    #expect(
      answer.body == #"{"account":null,"address":"192.0.2.7","allowed":false,"bans":["#
        + #"{"id":7,"account":null,"address":"192.0.2.0/24","listener":"game","#
        + #""reason":"cheating, \"again\"","until":1800000000},"#
        + #"{"id":-1,"account":"Anna","address":null,"listener":null,"reason":"","until":null}],"#
        + #""sessions":2,"counters":[{"listener":"game","name":"limits.connections_per_address","#
        + #""used":3,"most":10},{"listener":null,"name":"temporary_ban.guessing","#
        + #""used":18446744073709551615,"most":1}]}"# + "\n")
  }

  @Test func anAllowanceIsTold() throws {
    var explanation = Explanation()
    explanation.isAllowed = true
    let answer = try FakeGateway(.explanation(explanation)).request("GET", "/why?account=Anna")
    #expect(
      answer.body
        == #"{"account":"Anna","address":null,"allowed":true,"bans":[],"sessions":0,"counters":[]}"#
        + "\n")
  }

  @Test func failuresOfTheShardAreTold() throws {
    for (method, target) in [
      ("GET", "/sessions?account=a"), ("DELETE", "/sessions?account=a"), ("GET", "/why?account=a"),
    ] {
      #expect(try FakeGateway(nil).request(method, target).errorCode == "shard-timeout")
      #expect(
        try FakeGateway(.failed(.shuttingDown)).request(method, target).errorCode
          == "shutting-down")
      #expect(try FakeGateway(.done).request(method, target).errorCode == "internal")
    }
  }
}
