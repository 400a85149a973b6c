internal import Auth
internal import JSON
internal import Primitives

let sessionCommands: [Subcommand] = [
  Subcommand(
    words: ["sessions"], options: [.account, .address, .listener, .json, .config],
    summary: "list who is connected to the running gateway",
    explanation: """
      Asks the running gateway, by its management API, for its sessions: all, or those of an
      account, of an address or network, or of a listener. Exit status 3 means that there are none.
      """,
    examples: [
      "gatehouse sessions", "gatehouse sessions --account anna",
      "gatehouse sessions --address 192.0.2.0/24 --json",
    ], run: { try sessions($0) }),
  Subcommand(
    words: ["kick"], operands: "SESSION|SUBJECT", operandCount: 1...1, options: [.config],
    summary: "end sessions of the running gateway",
    explanation: """
      Ends one session, named by its UUID, or all of an address, network or account. They may come
      again; `gatehouse ban` keeps them out. Exit status 3 means that there was none.
      """,
    examples: [
      "gatehouse kick 0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b", "gatehouse kick account:anna",
      "gatehouse kick 192.0.2.0/24",
    ], run: { try kick($0) }),
]

/// How many sessions one request asks for.
private let sessionsPerPage = 1000
/// A bound on requests: more pages than there can be sessions.
private let pagesMax = 20_000

private func sessions(_ call: Call) throws -> ExitStatus {
  var filter = ""
  switch (call.value(.account), call.value(.address)) {
  case (let text?, nil): filter = "&" + ManagementClient.query(.account(try accountName(text)))
  case (nil, let text?):
    filter = "&" + ManagementClient.query(.addresses(try SubjectText.address(text)))
  case (nil, nil): break
  case (_?, _?): throw CommandFailure("give --account or --address, not both", .wrongCommandLine)
  }
  let client = try ManagementClient(call)
  var count = 0
  var list = call.has(.json) ? try JSONList(call.console) : nil
  var table = TextTable([
    "SESSION", "CLIENT", "ACCOUNT", "LISTENER", "STATE", "AGE", "IDLE", "IN", "OUT",
  ])
  try forEachSession(client, filter) { session in
    if let listener = call.value(.listener), session["listener"]?.text != listener { return }
    count += 1
    if call.has(.json) {
      try list?.add { $0.value(session) }
    } else {
      table.add(cells(session))
    }
  }
  if let list {
    try list.finish()
  } else if !table.isEmpty {
    try call.console.write(table.text)
  }
  return count == 0 ? .nothingMatched : .done
}

/// Page by page; sessions that come or go meanwhile may be missed.
private func forEachSession(
  _ client: ManagementClient, _ filter: String, _ body: (JSONValue) throws -> Void
) throws {
  var cursor: Int64 = 0
  for _ in 0..<pagesMax {
    let page = try client.request(
      "GET", "/sessions?limit=\(sessionsPerPage)&cursor=\(cursor)\(filter)")
    for session in page["sessions"]?.elements ?? [] { try body(session) }
    guard let next = page["next_cursor"]?.number else { return }
    // A page that goes back would be asked for without end.
    guard next > cursor else { throw CommandFailure("the gateway's list of sessions does not end") }
    cursor = next
  }
}

private func cells(_ session: JSONValue) -> [String] {
  let duration = { (name: String) in
    DurationText.describe((session[name]?.number ?? 0) / 1000)
  }
  let worker = session["worker_id"]?.number
  let state =
    session["pending"]?.isTrue == true
    ? "logging in" : worker.map { "worker \($0)" } ?? "waiting for a worker"
  return [
    session["uuid"]?.text ?? "", session["client"]?.text ?? "", session["account"]?.text ?? "",
    session["listener"]?.text ?? "", state, duration("age_ms"), duration("idle_ms"),
    "\(session["packets_in"]?.number ?? 0)", "\(session["messages_out"]?.number ?? 0)",
  ]
}

private func kick(_ call: Call) throws -> ExitStatus {
  let text = call.operands[0]
  if let uuid = SessionUUID(text: text.lowercased()) {
    _ = try ManagementClient(call).request("DELETE", "/sessions/\(uuid.description)")
    try call.console.write("ended session \(uuid.description)\n")
    return .done
  }
  let subject: Subject
  switch try SubjectText.parse(text) {
  case .explicit(let found): subject = found
  case .address(let prefix): subject = .addresses(prefix)
  // Who is connected is known to the gateway alone; a slip shows as "no session".
  case .name(let name): subject = .account(name)
  }
  let shown = visible(SubjectText.describe(subject))
  let answer = try ManagementClient(call).request(
    "DELETE", "/sessions?\(ManagementClient.query(subject))")
  let count = answer["closed"]?.number ?? 0
  guard count > 0 else {
    call.console.note("no session of \(shown)")
    return .nothingMatched
  }
  try call.console.write("ended \(count) \(count == 1 ? "session" : "sessions") of \(shown)\n")
  return .done
}
