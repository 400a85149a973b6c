internal import Auth
internal import JSON
internal import Store

/// Bans and allowances as tables, JSON and command lines.
enum BanText {
  static var table: TextTable {
    TextTable(["ID", "SUBJECT", "LISTENER", "UNTIL", "BY", "SINCE", "REASON", "NOTE"])
  }

  static func cells(_ row: BanRow, now: Int64) -> [String] {
    [
      "\(row.id)", SubjectText.describe(row.subject), row.listener ?? "all",
      row.liftedAt.map { "lifted \(TimeText.describe($0))" }
        ?? TimeText.describe(row.until, orNone: "for ever"),
      row.author, TimeText.describe(row.createdAt), row.shownReason, row.internalReason,
    ]
  }

  static func write(_ row: BanRow, to json: inout JSONWriter) {
    json.object { json in
      json.member("id", row.id)
      json.member("effect", row.effect.rawValue)
      json.member("subject", SubjectText.describe(row.subject))
      json.optional("listener", row.listener)
      json.member("reason", row.shownReason)
      json.member("note", row.internalReason)
      json.member("author", row.author)
      json.member("created", TimeText.describe(row.createdAt))
      json.optional("until", row.until.map { TimeText.describe($0) })
      json.optional("lifted", row.liftedAt.map { TimeText.describe($0) })
      if row.liftedAt != nil {
        json.member("lifted_by", row.liftedBy ?? "")
        json.member("lift_reason", row.liftReason ?? "")
      }
    }
  }

  /// The command that lifts it.
  static func liftCommand(_ row: BanRow) -> String {
    let verb = row.effect == .ban ? "unban" : "unallow"
    return "gatehouse \(verb) \(shellWord(SubjectText.describe(row.subject)))"
      + (row.listener.map { " --listener \(shellWord($0))" } ?? "")
  }

  /// `192.0.2.7 on listener game until …`, for a message.
  static func what(_ row: BanRow, now: Int64) -> String {
    SubjectText.describe(row.subject) + (row.listener.map { " on listener \($0)" } ?? "")
      + ", " + TimeText.end(row.until, now: now)
  }
}

extension JSONWriter {
  /// A text, or null.
  mutating func optional(_ name: String, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }
}

/// Writes a JSON array (RFC 8259) with an element a line, as they come.
struct JSONList {
  private let console: Console
  private(set) var count = 0

  init(_ console: Console) throws(CommandFailure) {
    self.console = console
    try console.write("[")
  }

  mutating func add(_ element: (inout JSONWriter) -> Void) throws(CommandFailure) {
    try console.write(count == 0 ? "\n" : ",\n")
    var writer = JSONWriter()
    element(&writer)
    try console.write(writer.bytes)
    count += 1
  }

  func finish() throws(CommandFailure) { try console.write(count == 0 ? "]\n" : "\n]\n") }
}
