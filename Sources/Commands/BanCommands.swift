internal import Auth
internal import Gateway
internal import Store

private let banOptions: [CommandOption] = [
  .duration, .reason, .note, .listener, .yes, .by, .config, .store,
]
private let liftOptions: [CommandOption] = [.listener, .reason, .by, .config, .store]

private let subjectHelp = """
  SUBJECT is an address (192.0.2.7), a network (192.0.2.0/24, 2001:db8::/32) or an account's name.
  Where a name could be misread, write address:192.0.2.7 or account:NAME; the latter also for an
  account that the database does not know, such as one that only tickets name.
  """

let banCommands: [Subcommand] = [
  Subcommand(
    words: ["ban"], operands: "SUBJECT", operandCount: 1...1, options: banOptions,
    summary: "keep an address, a network or an account out",
    explanation: """
      Bans SUBJECT at once: a running gateway refuses new connections and ends open sessions within
      a quarter of a second; one that does not run will do so when it starts.

      \(subjectHelp)
      """,
    examples: [
      "gatehouse ban 192.0.2.7 --for 7d --reason \"flooding\"",
      "gatehouse ban 2001:db8::/32 --note \"ticket 17\" --listener game",
      "gatehouse ban account:mallory --reason \"cheating\"",
    ], run: { try add(.ban, $0) }),
  Subcommand(
    words: ["unban"], operands: "SUBJECT", operandCount: 1...1, options: liftOptions,
    summary: "lift the bans of an address, a network or an account",
    explanation: """
      Lifts the bans of exactly SUBJECT, those for single listeners too unless --listener names one.
      A ban of a network around an address stays; the message says how to lift it.

      \(subjectHelp)
      """,
    examples: [
      "gatehouse unban 192.0.2.7 --reason \"appeal\"", "gatehouse unban account:mallory",
    ], run: { try lift(.ban, $0) }),
]

let allowCommands: [Subcommand] = [
  Subcommand(
    words: ["allow"], operands: "SUBJECT", operandCount: 1...1, options: banOptions,
    summary: "exempt an address, a network or an account from bans, limits and rules",
    explanation: """
      What is allowed is touched by no ban, no limit and no rule until `gatehouse unallow`.

      \(subjectHelp)
      """,
    examples: ["gatehouse allow 198.51.100.0/24 --note \"the tournament's hall\" --for 2d"],
    run: { try add(.allow, $0) }),
  Subcommand(
    words: ["unallow"], operands: "SUBJECT", operandCount: 1...1, options: liftOptions,
    summary: "end an exemption",
    explanation: "Ends what `gatehouse allow` began.\n\n\(subjectHelp)",
    examples: ["gatehouse unallow 198.51.100.0/24"], run: { try lift(.allow, $0) }),
]

private func add(_ effect: BanEffect, _ call: Call) throws -> ExitStatus {
  let until = try call.end(.duration)
  let (reason, note) = (try call.text(.reason), try call.text(.note))
  let author = try call.author()
  let listener = try listenerName(call)
  // What is wrong with the text alone is said before a database is made.
  _ = try SubjectText.parse(call.operands[0])
  let database = try StoreAccess.open(call)
  let subject = try SubjectText.subject(call.operands[0], in: database)
  try SubjectText.requireYes(call, toBan: subject)
  let ban = NewBan(
    effect: effect, subject: subject, listener: listener, shownReason: reason,
    internalReason: note, author: author, until: until)
  let before = try database.bans(
    covering: subject, includingEnded: false, now: call.now, limit: 1000
  ).filter { $0.effect == effect && $0.subject == subject && $0.listener == listener }
  let id = try database.addBan(ban, now: call.now)
  let verb = effect == .ban ? "banned" : "allowed"
  let scope = listener.map { " on listener \(visible($0))" } ?? ""
  try call.console.write(
    "\(verb) \(visible(SubjectText.describe(subject)))\(scope), "
      + "\(TimeText.end(until, now: call.now)) (number \(id))\n")
  for row in before {
    call.console.note(
      "note: number \(row.id) holds as well, \(TimeText.end(row.until, now: call.now)); "
        + "`\(BanText.liftCommand(row))` lifts them together")
  }
  if effect == .ban { try warnOfAllowance(subject, database, call) }
  return .done
}

/// A ban that an allowance outweighs would look broken.
private func warnOfAllowance(_ subject: Subject, _ database: Database, _ call: Call) throws {
  let rows = try database.bans(
    covering: subject, includingEnded: false, now: call.now, limit: 1000)
  for row in rows where row.effect == .allow {
    call.console.note(
      "note: \(visible(SubjectText.describe(row.subject))) is allowed, so this ban has no effect; "
        + "to end that: \(BanText.liftCommand(row))")
    return
  }
}

private func lift(_ effect: BanEffect, _ call: Call) throws -> ExitStatus {
  let reason = try call.text(.reason)
  let author = try call.author()
  let listener = try listenerName(call)
  let database = try StoreAccess.openExisting(call)
  let subject = try SubjectText.subject(call.operands[0], in: database)
  let lifted = try database.liftBans(
    effect: effect, of: subject, listener: listener.map { .some($0) }, by: author, reason: reason,
    now: call.now)
  for row in lifted {
    try call.console.write(
      "\(effect == .ban ? "lifted the ban of" : "lifted the allowance of") "
        + "\(visible(SubjectText.describe(row.subject)))"
        + "\(row.listener.map { " on listener \(visible($0))" } ?? "") (number \(row.id))\n")
  }
  let others = try database.bans(
    covering: subject, includingEnded: false, now: call.now, limit: 100
  ).filter { $0.effect == effect }
  for row in others {
    call.console.note(
      "\(visible(SubjectText.describe(row.subject)))"
        + "\(row.listener.map { " on listener \(visible($0))" } ?? "") still holds for it; to lift "
        + "that: \(BanText.liftCommand(row))")
  }
  guard lifted.isEmpty else { return .done }
  call.console.note(
    "\(call.command.program): nothing to lift for \(quoted(SubjectText.describe(subject)))")
  return .nothingMatched
}

private func listenerName(_ call: Call) throws(CommandFailure) -> String? {
  let name = try call.text(.listener, byteCountMax: 64)
  guard call.has(.listener) else { return nil }
  guard !name.isEmpty else { throw CommandFailure("--listener: empty", .wrongCommandLine) }
  // Without a configuration at hand nobody knows which listeners there are.
  guard !call.has(.store) else { return name }
  var listeners = try StoreAccess.configuration(call).listeners.map(\.name)
  guard !listeners.contains(name) else { return name }
  listeners = addedListeners(call).filter { !listeners.contains($0) } + listeners
  guard listeners.contains(name) else {
    throw CommandFailure(
      "--listener \(quoted(name)): there is none; there are \(listeners.joined(separator: ", "))",
      .wrongCommandLine)
  }
  return name
}
