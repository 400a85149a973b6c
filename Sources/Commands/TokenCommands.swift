internal import Auth
internal import JSON
internal import Store

let tokenCommands: [Subcommand] = [
  Subcommand(
    words: ["token", "issue"], operands: "ACCOUNT", operandCount: 1...1,
    options: [.duration, .once, .label, .json, .by, .config, .store],
    summary: "make a token that lets an account in",
    explanation: """
      Makes a random secret for ACCOUNT and shows it, once: only its hash is kept.
      """,
    examples: [
      "gatehouse token issue anna --for 30d --label \"the game's launcher\"",
      "gatehouse token issue anna --once --for 10m --json",
    ], run: { try issue($0) }),
  Subcommand(
    words: ["token", "add"], operands: "ACCOUNT", operandCount: 1...1,
    tooManyOperands: "unexpected argument (not repeated here); the secret is read from standard "
      + "input, never from the command line, where `ps` shows it",
    options: [.secretInput, .duration, .once, .label, .by, .config, .store],
    summary: "take a secret that a game has already as a token",
    explanation: """
      Takes the first line of standard input as a token of ACCOUNT; --stdin has to be said. A secret
      that can be guessed lets everybody in who guesses it.
      """,
    examples: ["gatehouse token add anna --stdin < secret"], run: { try addExisting($0) }),
  Subcommand(
    words: ["token", "revoke"], operands: "[ID]", operandCount: 0...1,
    options: [.account, .by, .config, .store], summary: "make a token worthless",
    explanation: """
      Revokes the token with number ID (see `gatehouse token list`), or with --account all of an
      account. Open sessions stay; `gatehouse kick` ends them.
      """,
    examples: ["gatehouse token revoke 1", "gatehouse token revoke --account anna"],
    run: { try revoke($0) }),
  Subcommand(
    words: ["token", "list"], options: [.account, .all, .limit, .json, .config, .store],
    summary: "list tokens, without their secrets",
    explanation: """
      Lists tokens that are good, newest first; with --all also expired, revoked and used ones. Exit
      status 3 means that the list is empty.
      """,
    examples: ["gatehouse token list", "gatehouse token list --account anna --all --json"],
    run: { try list($0) }),
]

private func account(_ call: Call) throws -> (Database, AccountName) {
  let name = try accountName(call.operands[0])
  let database = try StoreAccess.openExisting(call)
  guard try database.account(name) != nil else {
    throw CommandFailure(
      "there is no account \(quoted(name.text)); `gatehouse account add \(shellWord(name.text)) "
        + "--no-password` makes one", .nothingMatched)
  }
  return (database, name)
}

private func issue(_ call: Call) throws -> ExitStatus {
  let end = try call.end(.duration)
  let (label, author) = (try call.text(.label), try call.author())
  let (database, name) = try account(call)
  let secret = TokenSecret.make()
  let id = try database.addToken(
    hash: secret.hash, account: name, label: label, expiresAt: end, isSingleUse: call.has(.once),
    by: author, now: call.now)
  do {
    try show(secret.text, id, of: name, end, call)
  } catch {
    // Nobody has seen it: it must not go on being good.
    try database.revokeToken(id: id, by: author, now: call.now)
    call.console.note("token \(id) was revoked, as nobody could see its secret")
    throw error
  }
  return .done
}

private func show(
  _ secret: String, _ id: Int64, of name: AccountName, _ end: Int64?, _ call: Call
) throws {
  if call.has(.json) {
    let bytes = JSONWriter.object { json in
      json.member("id", id)
      json.member("account", name.text)
      json.member("token", secret)
      json.optional("expires", end.map { TimeText.describe($0) })
      json.member("once", call.has(.once))
    }
    try call.console.write(bytes + [UInt8(ascii: "\n")])
  } else {
    try call.console.write("\(secret)\n")
    let uses = call.has(.once) ? ", for one login" : ""
    call.console.note(
      "token \(id) of \(visible(name.text)), \(TimeText.end(end, now: call.now))\(uses); "
        + "it is not shown again")
  }
  try call.console.flush()
}

private func addExisting(_ call: Call) throws -> ExitStatus {
  guard call.has(.secretInput) else {
    throw CommandFailure(
      "say --stdin, and give the secret in the first line of standard input", .wrongCommandLine)
  }
  let end = try call.end(.duration)
  let (label, author) = (try call.text(.label), try call.author())
  let (database, name) = try account(call)
  var secret = try InputFile.firstLine(
    call.console, byteCountMax: TokenSecret.byteCounts.upperBound)
  defer { wipe(&secret) }
  if secret.count < 16 {
    call.console.note("note: this secret has \(secret.count) bytes; short ones can be guessed")
  }
  let id: Int64
  do throws(StoreError) {
    id = try database.addToken(
      hash: TokenSecret.hash(of: secret), account: name, label: label, expiresAt: end,
      isSingleUse: call.has(.once), by: author, now: call.now)
  } catch .constraint {
    throw CommandFailure("this secret is a token already; give another one")
  }
  try call.console.write(
    "added token \(id) of \(visible(name.text)), \(TimeText.end(end, now: call.now))\n")
  return .done
}

private func revoke(_ call: Call) throws -> ExitStatus {
  switch (call.operands.first, call.value(.account)) {
  case (let text?, nil):
    guard let id = Int64(text), id > 0 else {
      throw CommandFailure(
        "the operand is no token's number (not repeated here: it may be a secret); `gatehouse "
          + "token list` shows the numbers", .wrongCommandLine)
    }
    let database = try StoreAccess.openExisting(call)
    guard try database.revokeToken(id: id, by: call.author(), now: call.now) else {
      call.console.note("there is no token \(id) that could be revoked")
      return .nothingMatched
    }
    try call.console.write("revoked token \(id)\n")
  case (nil, let text?):
    let name = try accountName(text)
    let database = try StoreAccess.openExisting(call)
    let count = try database.revokeTokens(of: name, by: call.author(), now: call.now)
    try call.console.write(
      "revoked \(count) \(count == 1 ? "token" : "tokens") of \(visible(name.text))\n")
    if count == 0 { return .nothingMatched }
  case (nil, nil), (_?, _?):
    throw CommandFailure("give a token's number or --account NAME", .wrongCommandLine)
  }
  return .done
}

private func list(_ call: Call) throws -> ExitStatus {
  let limit = try call.number(.limit, in: 1...TextTable.rowsMax, default: 100)
  let name = try call.value(.account).map { text throws(CommandFailure) in try accountName(text) }
  let database = try StoreAccess.openExisting(call)
  let rows = try database.tokens(
    of: name, includingEnded: call.has(.all), limit: limit + 1, now: call.now)
  if call.has(.json) {
    var list = try JSONList(call.console)
    for row in rows.prefix(limit) { try list.add { write(row, to: &$0) } }
    try list.finish()
  } else if !rows.isEmpty {
    var table = TextTable(["ID", "ACCOUNT", "STATE", "ISSUED", "BY", "USES", "LAST USE", "LABEL"])
    for row in rows.prefix(limit) {
      table.add([
        "\(row.id)", row.account.text, state(row, now: call.now), TimeText.describe(row.createdAt),
        row.createdBy, "\(row.useCount)\(row.isSingleUse ? " of 1" : "")",
        TimeText.describe(row.usedAt, orNone: "never"), row.label,
      ])
    }
    try call.console.write(table.text)
  }
  if rows.count > limit { call.console.note("there are more; --limit shows more of them") }
  return rows.isEmpty ? .nothingMatched : .done
}

private func state(_ row: TokenRow, now: Int64) -> String {
  if let moment = row.revokedAt { return "revoked \(TimeText.describe(moment))" }
  if row.isSingleUse && row.useCount > 0 { return "used" }
  return TimeText.end(row.expiresAt, now: now)
}

private func write(_ row: TokenRow, to json: inout JSONWriter) {
  json.object { json in
    json.member("id", row.id)
    json.member("account", row.account.text)
    json.member("label", row.label)
    json.member("created", TimeText.describe(row.createdAt))
    json.member("created_by", row.createdBy)
    json.optional("expires", row.expiresAt.map { TimeText.describe($0) })
    json.member("once", row.isSingleUse)
    json.member("uses", row.useCount)
    json.optional("last_use", row.usedAt.map { TimeText.describe($0) })
    json.optional("revoked", row.revokedAt.map { TimeText.describe($0) })
  }
}
