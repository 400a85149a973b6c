internal import Auth
internal import JSON
internal import Primitives
internal import Store

/// How `gatehouse why` says what it found.
enum WhyText {
  static func lines(_ stored: StoredAnswer, _ live: LiveAnswer, now: Int64) -> [String] {
    var lines = subjectLines(stored)
    for row in stored.allowances {
      lines += rowLines(row, "allowed", now)
      lines.append("    No ban, limit or rule touches it. To end that:")
      lines.append("      \(BanText.liftCommand(row))")
    }
    for row in stored.bans {
      lines += rowLines(row, "banned", now)
      lines.append("    To lift it:")
      lines.append("      \(BanText.liftCommand(row))")
    }
    if stored.bans.isEmpty { lines.append("  no ban in the database") }
    lines += liveLines(stored, live)
    lines += refusalLines(stored.refusals)
    return lines
  }

  private static func subjectLines(_ stored: StoredAnswer) -> [String] {
    guard case .account(let name) = stored.subject else {
      return ["\(SubjectText.describe(stored.subject)):"]
    }
    guard let account = stored.account else {
      return ["account \(name.text):", "  not in the database; tickets and workers may know it"]
    }
    var lines = ["account \(account.name.text):"]
    if account.isDisabled {
      let reason = account.disabledReason.isEmpty ? "" : ": \(account.disabledReason)"
      lines.append("  disabled\(reason)")
      lines.append("    To let it in again:")
      lines.append("      gatehouse account enable \(shellWord(account.name.text))")
    }
    lines.append("  last login: \(TimeText.describe(account.lastLoginAt, orNone: "never"))")
    return lines
  }

  private static func rowLines(_ row: BanRow, _ verb: String, _ now: Int64) -> [String] {
    var lines = ["  \(verb): \(BanText.what(row, now: now)) (number \(row.id))"]
    lines.append("    by \(row.author) at \(TimeText.describe(row.createdAt))")
    if !row.shownReason.isEmpty { lines.append("    reason: \(row.shownReason)") }
    if !row.internalReason.isEmpty { lines.append("    note: \(row.internalReason)") }
    return lines
  }

  private static func refusalLines(_ rows: [LoginRow]) -> [String] {
    guard !rows.isEmpty else { return [] }
    return ["  refused lately:"]
      + rows.map { row in
        var line = "    \(TimeText.describe(row.at)) \(row.record.outcome)"
        if !row.record.detail.isEmpty { line += " (\(row.record.detail))" }
        line += ", from \(row.record.client) on \(row.record.listener)"
        if let account = row.record.account { line += ", as \(account)" }
        return line
      }
  }

  private static func liveLines(_ stored: StoredAnswer, _ live: LiveAnswer) -> [String] {
    let answer: JSONValue
    switch live {
    case .notAsked: return []
    case .notRunning: return ["  the gateway does not run"]
    case .failed(let message): return ["  the gateway was asked in vain: \(message)"]
    case .answer(let found): answer = found
    }
    var lines: [String] = []
    if answer["allowed"]?.isTrue == true && stored.allowances.isEmpty {
      lines.append("  allowed by the configuration ([access] allow)")
    }
    let known = Set(stored.bans.map(\.id))
    for ban in answer["bans"]?.elements ?? [] {
      if let id = ban["id"]?.number, known.contains(id) { continue }
      lines += liveBanLines(ban)
    }
    for counter in answer["counters"]?.elements ?? [] {
      let listener = counter["listener"]?.text.map { " on listener \($0)" } ?? ""
      lines.append(
        "  \(counter["name"]?.text ?? "?")\(listener): \(counter["used"]?.number ?? 0) of "
          + "\(counter["most"]?.number ?? 0)")
    }
    let sessions = answer["sessions"]?.number ?? 0
    lines.append("  open sessions: \(sessions)")
    if sessions > 0 {
      lines.append("    To end them:")
      lines.append("      gatehouse kick \(shellWord(SubjectText.describe(stored.subject)))")
    }
    return lines
  }

  /// A ban that the gateway has made and the database does not show yet.
  private static func liveBanLines(_ ban: JSONValue) -> [String] {
    let subject = ban["address"]?.text ?? ban["account"]?.text.map { "account:\($0)" } ?? "?"
    let listener = ban["listener"]?.text
    // A number that the database gave and does not know in force any more.
    let isLifted = (ban["id"]?.number ?? -1) > 0
    var line = "  \(isLifted ? "banned until a moment ago" : "banned by a rule"): \(subject)"
    if let listener { line += " on listener \(listener)" }
    if let until = ban["until"]?.number { line += ", until \(TimeText.describe(until))" }
    var lines = [line]
    if let reason = ban["reason"]?.text, !reason.isEmpty { lines.append("    reason: \(reason)") }
    guard !isLifted else {
      return lines + ["    It was lifted, and the gateway will know within a quarter of a second."]
    }
    lines.append("    To lift it, once it is in the database:")
    lines.append(
      "      gatehouse unban \(shellWord(subject))"
        + (listener.map { " --listener \(shellWord($0))" } ?? ""))
    return lines
  }

  static func json(_ stored: StoredAnswer, _ live: LiveAnswer) -> [UInt8] {
    JSONWriter.object { json in
      json.member("subject", SubjectText.describe(stored.subject))
      json.key("account")
      if let account = stored.account { write(account, to: &json) } else { json.null() }
      for (name, rows) in [("allowances", stored.allowances), ("bans", stored.bans)] {
        json.key(name)
        json.array { json in for row in rows { writeWithLift(row, to: &json) } }
      }
      json.key("refused_logins")
      json.array { json in for row in stored.refusals { write(row, to: &json) } }
      // As the management API gave it; null when no gateway was asked or runs.
      json.key("gateway")
      switch live {
      case .notAsked, .notRunning: json.null()
      case .failed(let message): json.object { $0.member("error", message) }
      case .answer(let answer): json.value(answer)
      }
    }
  }

  private static func writeWithLift(_ row: BanRow, to json: inout JSONWriter) {
    json.object { json in
      json.key("ban")
      BanText.write(row, to: &json)
      json.member("lift", BanText.liftCommand(row))
    }
  }
}
