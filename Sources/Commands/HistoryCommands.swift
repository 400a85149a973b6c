internal import Auth
internal import JSON
internal import Primitives
internal import Store

let historyCommands: [Subcommand] = [
  Subcommand(
    words: ["logins"], operands: "[SUBJECT]", operandCount: 0...1,
    options: [.limit, .json, .config, .store],
    summary: "show who logged in and who was refused",
    explanation: """
      Shows logins, newest first, of everybody or of an address, network or account. Exit status 3
      means that there are none.
      """,
    examples: ["gatehouse logins", "gatehouse logins anna --limit 10", "gatehouse logins --json"],
    run: { try logins($0) }),
  Subcommand(
    words: ["audit"], options: [.limit, .json, .config, .store],
    summary: "show what was changed in the database, and by whom",
    explanation: "Shows changes, newest first. Exit status 3 means that there are none.",
    examples: ["gatehouse audit", "gatehouse audit --limit 10 --json"], run: { try audit($0) }),
]

private func logins(_ call: Call) throws -> ExitStatus {
  let limit = try call.number(.limit, in: 1...TextTable.rowsMax, default: 100)
  let database = try StoreAccess.openExisting(call)
  let subject = try call.operands.first.map { text in
    try SubjectText.subject(text, in: database, mayBeUnknown: true)
  }
  let rows = try database.logins(of: subject, limit: limit)
  if call.has(.json) {
    var list = try JSONList(call.console)
    for row in rows { try list.add { write(row, to: &$0) } }
    try list.finish()
  } else if !rows.isEmpty {
    var table = TextTable(["TIME", "ACCOUNT", "CLIENT", "LISTENER", "OUTCOME", "DETAIL"])
    for row in rows {
      table.add([
        TimeText.describe(row.at), row.record.account ?? "", row.record.client.description,
        row.record.listener, row.record.outcome, row.record.detail,
      ])
    }
    try call.console.write(table.text)
  }
  return rows.isEmpty ? .nothingMatched : .done
}

func write(_ row: LoginRow, to json: inout JSONWriter) {
  json.object { json in
    json.member("time", TimeText.describe(row.at))
    json.optional("account", row.record.account)
    json.member("client", row.record.client.description)
    json.member("listener", row.record.listener)
    json.member("outcome", row.record.outcome)
    json.member("detail", row.record.detail)
  }
}

private func audit(_ call: Call) throws -> ExitStatus {
  let limit = try call.number(.limit, in: 1...TextTable.rowsMax, default: 100)
  let rows = try StoreAccess.openExisting(call).auditRows(limit: limit, before: nil)
  if call.has(.json) {
    var list = try JSONList(call.console)
    for row in rows {
      try list.add { json in
        json.object { json in
          json.member("time", TimeText.describe(row.at))
          json.member("author", row.author)
          json.member("action", row.action)
          json.member("subject", row.subject)
          json.member("detail", row.detail)
        }
      }
    }
    try list.finish()
  } else if !rows.isEmpty {
    var table = TextTable(["TIME", "BY", "ACTION", "SUBJECT", "DETAIL"])
    for row in rows {
      table.add([TimeText.describe(row.at), row.author, row.action, row.subject, row.detail])
    }
    try call.console.write(table.text)
  }
  return rows.isEmpty ? .nothingMatched : .done
}
