internal import Auth
internal import Gateway
internal import JSON
internal import Store

let whyCommand = Subcommand(
  words: ["why"], operands: "SUBJECT", operandCount: 1...1,
  options: [.limit, .json, .config, .store],
  summary: "say all that keeps an address or an account out, and what lifts it",
  explanation: """
    Shows every ban and allowance that covers SUBJECT, an account's state, the last logins that were
    refused (--limit of them), and, when the gateway runs, its counters and sessions. Under each
    that can be lifted stands the command that lifts it. With --store only the database is asked.
    """,
  examples: ["gatehouse why 192.0.2.7", "gatehouse why anna --json"], run: { try why($0) })

/// What the database says about a subject.
struct StoredAnswer {
  /// How many bans and allowances are shown; an address is rarely covered by two.
  static let rowsMax = 1000
  /// So many lines of the login history are looked through for refusals.
  private static let loginsMax = 1000

  let subject: Subject
  let bans: [BanRow]
  let allowances: [BanRow]
  /// Nil for an address, and for a name that no account has.
  let account: Account?
  let refusals: [LoginRow]

  init(_ subject: Subject, _ database: Database, refusalsMax: Int, now: Int64) throws {
    self.subject = subject
    let rows = try database.bans(
      covering: subject, includingEnded: false, now: now, limit: Self.rowsMax)
    bans = rows.filter { $0.effect == .ban }
    allowances = rows.filter { $0.effect == .allow }
    if case .account(let name) = subject {
      account = try database.account(name)
    } else {
      account = nil
    }
    let logins = try database.logins(of: subject, limit: Self.loginsMax)
    refusals = Array(logins.filter { $0.record.outcome != "accepted" }.prefix(refusalsMax))
  }
}

/// What the running gateway says about it.
enum LiveAnswer {
  case notAsked
  case notRunning
  case failed(String)
  case answer(JSONValue)
}

private func why(_ call: Call) throws -> ExitStatus {
  let limit = try call.number(.limit, in: 1...1000, default: 5)
  let database = try StoreAccess.openExisting(call)
  let subject = try SubjectText.subject(call.operands[0], in: database, mayBeUnknown: true)
  let stored = try StoredAnswer(subject, database, refusalsMax: limit, now: call.now)
  let live = try liveAnswer(subject, call)
  if call.has(.json) {
    try call.console.write(WhyText.json(stored, live) + [UInt8(ascii: "\n")])
  } else {
    let lines = WhyText.lines(stored, live, now: call.now)
    try call.console.write(lines.map { visible($0) + "\n" }.joined())
  }
  return .done
}

private func liveAnswer(_ subject: Subject, _ call: Call) throws -> LiveAnswer {
  if call.has(.store) { return .notAsked }
  guard try StoreAccess.configuration(call).management != nil else { return .notAsked }
  do {
    let client = try ManagementClient(call)
    let query = ManagementClient.query(subject)
    guard let answer = try client.requestUnlessStopped("GET", "/why?\(query)") else {
      return .notRunning
    }
    return .answer(answer)
  } catch {
    // The database's part is worth showing all the same.
    return .failed(CommandFailure(error).message)
  }
}
