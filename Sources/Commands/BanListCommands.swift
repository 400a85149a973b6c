internal import Auth
internal import JSON
internal import Store

let banListCommands: [Subcommand] = [
  Subcommand(
    words: ["bans"], aliases: [["bans", "list"]],
    options: [.search, .all, .history, .allowed, .limit, .json, .config, .store],
    summary: "list bans, search them, or show a subject's history",
    explanation: """
      Lists the bans that hold, newest first. With --all also those that are over or were lifted:
      nothing is ever deleted. Exit status 3 means that the list is empty.
      """,
    examples: [
      "gatehouse bans", "gatehouse bans --search flooding --json", "gatehouse bans --allowed",
      "gatehouse bans --history 192.0.2.7",
    ], run: { $0.has(.history) ? try history($0) : try list($0) }),
  Subcommand(
    words: ["ban", "import"], operands: "FILE", operandCount: 1...1,
    options: [
      .format, .duration, .reason, .note, .listener, .dryRun, .skipBad, .yes, .by, .config, .store,
    ],
    summary: "ban what a list names",
    explanation: """
      Reads a list of addresses, networks and accounts from FILE, or from standard input when FILE
      is "-", and bans what is not banned yet; all of it or, on any error, nothing. Formats:

        plain  an address, network or range a line; "account:NAME" for an account; "#" or ";" begins
               a remark, which is kept as the ban's note (FireHOL, Spamhaus DROP)
        csv    a first line with column names: subject, reason, note, listener, until, author,
               effect; a time is 2026-01-31T23:59:59Z or Unix seconds
        json   an object a line with the same names, as `gatehouse ban export` writes it
        p2p    PeerGuardian's text form, name:192.0.2.1-192.0.2.255
        dat    eMule's ipfilter.dat; levels above 127 are passed over

      A line that is not understood is named by its number, and nothing is imported unless
      --skip-bad is said. What the list says of a ban goes before --for, --reason and --listener.
      """,
    examples: [
      "gatehouse ban import drop.txt --for 2d --note \"DROP list\"",
      "gatehouse ban import - --format p2p --skip-bad",
      "gatehouse ban import bans.json --dry-run",
    ], run: { try importBans($0) }),
  Subcommand(
    words: ["ban", "export"], operands: "[FILE]", operandCount: 0...1,
    options: [.format, .allowed, .config, .store],
    summary: "write the bans that hold as a list",
    explanation: """
      Writes the bans that hold to FILE, which must not exist, or to standard output. plain (the
      format when none is given), p2p and dat hold no more than subjects and notes; p2p and dat know
      no accounts and no IPv6 addresses, which are left out. csv and json hold all of a ban.
      """,
    examples: [
      "gatehouse ban export", "gatehouse ban export --format json exported.json",
      "gatehouse ban export --format csv --allowed",
    ], run: { try exportBans($0) }),
]

private func list(_ call: Call) throws -> ExitStatus {
  let limit = try call.number(.limit, in: 1...TextTable.rowsMax, default: 100)
  let database = try StoreAccess.openExisting(call)
  // One more than is shown tells whether there are more.
  let rows = try database.bans(
    search: call.value(.search), effect: call.has(.allowed) ? .allow : .ban,
    includingEnded: call.has(.all), before: nil, limit: limit + 1, now: call.now)
  if call.has(.json) {
    var list = try JSONList(call.console)
    for row in rows.prefix(limit) { try list.add { BanText.write(row, to: &$0) } }
    try list.finish()
  } else if !rows.isEmpty {
    var table = BanText.table
    for row in rows.prefix(limit) { table.add(BanText.cells(row, now: call.now)) }
    try call.console.write(table.text)
  }
  if rows.count > limit {
    call.console.note("there are more; --limit shows more of them, ban export shows all")
  }
  return rows.isEmpty ? .nothingMatched : .done
}

private func history(_ call: Call) throws -> ExitStatus {
  let limit = try call.number(.limit, in: 1...TextTable.rowsMax, default: 100)
  let database = try StoreAccess.openExisting(call)
  let subject = try SubjectText.subject(
    call.value(.history) ?? "", in: database, mayBeUnknown: true)
  let events = try database.banHistory(of: subject, limit: limit)
  if call.has(.json) {
    var list = try JSONList(call.console)
    for (event, row) in events {
      try list.add { json in
        json.object { json in
          json.member("time", TimeText.describe(event.at))
          json.member("event", event.kind.rawValue)
          json.member("author", event.author)
          json.member("event_reason", event.reason)
          json.key("ban")
          BanText.write(row, to: &json)
        }
      }
    }
    try list.finish()
  } else if !events.isEmpty {
    var table = TextTable(["TIME", "EVENT", "BAN", "EFFECT", "LISTENER", "UNTIL", "BY", "REASON"])
    for (event, row) in events {
      table.add([
        TimeText.describe(event.at), event.kind.rawValue, "\(row.id)", row.effect.rawValue,
        row.listener ?? "all", TimeText.describe(row.until, orNone: "for ever"), event.author,
        event.reason.isEmpty ? row.shownReason : event.reason,
      ])
    }
    try call.console.write(table.text)
  }
  return events.isEmpty ? .nothingMatched : .done
}
