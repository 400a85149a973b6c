internal import Auth
internal import Gateway
internal import JSON
internal import Primitives

extension ManagementAPI {
  /// What applies to an account, an address or a prefix in the running gateway.
  func explain(_ head: HTTPRequestHead) -> HTTPResponse {
    let subject: Subject
    do {
      try head.query.allow(["account", "address"])
      subject = try head.query.requiredSubject()
    } catch { return Self.invalid(error) }
    switch perform(.explain(subject), Self.timeoutMilliseconds) {
    case .explanation(let explanation):
      return HTTPResponse(200) { json in
        json.subject(subject)
        json.member("allowed", explanation.isAllowed)
        json.key("bans")
        json.array { for ban in explanation.bans { $0.ban(ban) } }
        json.member("sessions", explanation.sessions)
        json.key("counters")
        json.array { for counter in explanation.counters { $0.counter(counter) } }
      }
    case let reply: return Self.unexpected(reply)
    }
  }
}

extension JSONWriter {
  /// A member that is `null` when there is no text.
  mutating func member(_ name: String, optional text: String?) {
    key(name)
    if let text { string(text) } else { null() }
  }

  /// `account` and `address`, of which one is `null`.
  fileprivate mutating func subject(_ subject: Subject) {
    switch subject {
    case .account(let name):
      member("account", name.text)
      member("address", optional: nil)
    case .addresses(let prefix):
      member("account", optional: nil)
      member("address", prefix.description)
    }
  }

  fileprivate mutating func ban(_ ban: Ban) {
    object { json in
      json.member("id", ban.id)
      json.subject(ban.subject)
      json.member("listener", optional: ban.listener)
      json.member("reason", ban.shownReason)
      json.member("until", ban.until)
    }
  }

  fileprivate mutating func counter(_ counter: Explanation.Counter) {
    object { json in
      json.member("listener", optional: counter.listener)
      json.member("name", counter.name)
      json.member("used", counter.used)
      json.member("most", counter.most)
    }
  }
}
