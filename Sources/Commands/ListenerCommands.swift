internal import Configuration
internal import Gateway
internal import Glibc
internal import JSON

let listenerCommands: [Subcommand] = [
  Subcommand(
    words: ["listener", "add"],
    options: [
      .listenPort, .listenAddress, .listenerName, .framer, .auth, .pool, .listenerFile, .save,
      .json,
      .config,
    ],
    summary: "have the running gateway listen on one more port",
    explanation: """
      Adds a listener to the running gateway. --port 7171 means every IPv4 address of the machine;
      --address names one. What is not said is as in a [[listener]] table of the configuration that
      does not say it. --file FILE takes such a table as it is, with the [framer.NAME] tables that
      it needs, and nothing beside it but --save.

      The listener is there until the gateway ends, or with --save again whenever it starts. When
      something is wrong, all of it is listed, and nothing is changed.
      """,
    examples: [
      "gatehouse listener add --port 7171",
      "gatehouse listener add --address 127.0.0.1:7172 --name arena --framer raw --save",
      "gatehouse listener add --file listener.toml",
    ], run: { try addListener($0) }),
  Subcommand(
    words: ["listener", "list"], options: [.json, .config],
    summary: "list the listeners of the running gateway",
    explanation: """
      Asks the running gateway for its listeners, those included that were removed and wait for
      their last sessions. ORIGIN says where a listener comes from: the configuration, an earlier
      `gatehouse listener add --save`, or this run of the gateway alone. Exit status 3 means that
      there are none.
      """,
    examples: ["gatehouse listener list", "gatehouse listener list --json"],
    run: { try listListeners($0) }),
  Subcommand(
    words: ["listener", "remove"], operands: "NAME", operandCount: 1...1,
    options: [.closeSessions, .wait, .config],
    summary: "have the running gateway stop listening on a port",
    explanation: """
      Closes a listener's port at once. Its sessions stay until they end by themselves, or end now
      with --close. A saved listener is taken out of the file of saved ones; one that stands in the
      configuration file comes back when the gateway is started anew. Exit status 3 means that
      there is no such listener.
      """,
    examples: [
      "gatehouse listener remove arena", "gatehouse listener remove arena --close --wait",
    ],
    run: { try removeListener($0) }),
]

/// A name may take seconds to resolve.
private let addSecondsMax = 90
/// Between two looks whether a listener's last session is gone.
private let waitMicroseconds: UInt32 = 200_000

// MARK: Adding

private func addListener(_ call: Call) throws -> ExitStatus {
  var request = try call.has(.listenerFile) ? requestOfFile(call) : requestOfOptions(call)
  if call.has(.save) { request.append(JSONValue.Member("save", .bool(true))) }
  var body = JSONWriter()
  body.value(.object(request))
  let answer = try ManagementClient(call, secondsMax: addSecondsMax)
    .exchange("POST", "/listeners", body: body.bytes)
  if answer.status == 422 { throw refusal(answer.json, call) }
  let json = try answer.whenGood()
  for warning in json["warnings"]?.elements ?? [] {
    call.console.note("warning: \(visible(warning.text ?? ""))")
  }
  let listener = json["listener"] ?? .null
  guard !call.has(.json) else {
    var text = JSONWriter()
    text.value(listener)
    try call.console.write(text.bytes + [UInt8(ascii: "\n")])
    return .done
  }
  let value = { (name: String) in visible(listener[name]?.text ?? "") }
  try call.console.write(
    "added listener \(value("name")) at \(value("address")): framer \(value("framer")), auth "
      + "\(value("auth")), pool \(value("pool"))\(call.has(.save) ? "; saved" : "")\n")
  return .done
}

private func requestOfFile(_ call: Call) throws -> [JSONValue.Member] {
  let others: [CommandOption] = [.listenPort, .listenAddress, .listenerName, .framer, .auth, .pool]
  if let other = others.first(where: { call.has($0) }) {
    throw CommandFailure(
      "give --file or --\(other.name), not both: the file says it all", .wrongCommandLine)
  }
  let path = call.value(.listenerFile) ?? ""
  let text = try InputFile.read(path, call.console)
  switch ListenerFile.read(text: text, file: path == "-" ? "standard input" : path) {
  case .refused(let problems):
    for problem in problems { call.console.note(visible("\(problem)")) }
    throw CommandFailure("nothing was added")
  case .read(let json):
    guard case .object(let members) = json else { return [] }
    return members
  }
}

private func requestOfOptions(_ call: Call) throws -> [JSONValue.Member] {
  let address: String
  switch (call.value(.listenPort), call.value(.listenAddress)) {
  case (_?, nil):
    let port = try call.number(.listenPort, in: 1...65_535, default: 1)
    address = "0.0.0.0:\(port)"
  case (nil, let text?): address = text
  case (_?, _?): throw CommandFailure("give --port or --address, not both", .wrongCommandLine)
  case (nil, nil):
    throw CommandFailure("where? give --port, --address or --file", .wrongCommandLine)
  }
  var members = [JSONValue.Member("address", .string(address))]
  for (key, option) in [
    ("name", CommandOption.listenerName), ("framer", .framer), ("pool", .pool),
  ] {
    if let text = call.value(option) { members.append(JSONValue.Member(key, .string(text))) }
  }
  if let kind = call.value(.auth) {
    members.append(
      JSONValue.Member("auth", .object([JSONValue.Member("kind", .string(kind))])))
  }
  return members
}

/// All that the gateway found wrong, each with its key as it was given.
private func refusal(_ json: JSONValue, _ call: Call) -> CommandFailure {
  let problems = json["error"]?["problems"]?.elements ?? []
  let file = call.value(.listenerFile)
  for problem in problems {
    var key = problem["key"]?.text ?? ""
    if let file {
      key = key.hasPrefix("framers.") ? "framer." + key.dropFirst(8) : "listener." + key
      key = "\(file): error: \(key)"
    }
    let message = problem["message"]?.text ?? ""
    call.console.note(visible(key.isEmpty ? message : "\(key): \(message)"))
  }
  return CommandFailure("nothing was added")
}

// MARK: Listing

private func listListeners(_ call: Call) throws -> ExitStatus {
  let listeners =
    try ManagementClient(call).request("GET", "/listeners")["listeners"]?.elements ?? []
  if call.has(.json) {
    var list = try JSONList(call.console)
    for listener in listeners { try list.add { $0.value(listener) } }
    try list.finish()
  } else if !listeners.isEmpty {
    var table = TextTable([
      "NAME", "ADDRESS", "FRAMER", "AUTH", "POOL", "SESSIONS", "STATE", "ORIGIN",
    ])
    for listener in listeners {
      let text = { (name: String) in listener[name]?.text ?? "" }
      table.add([
        text("name"), text("address"), text("framer"), text("auth"), text("pool"),
        "\(listener["sessions"]?.number ?? 0)", text("state"), text("origin"),
      ])
    }
    try call.console.write(table.text)
  }
  return listeners.isEmpty ? .nothingMatched : .done
}

// MARK: Removing

private func removeListener(_ call: Call) throws -> ExitStatus {
  let name = call.operands[0]
  let client = try ManagementClient(call)
  let close = call.has(.closeSessions)
  let answer = try client.request(
    "DELETE",
    "/listeners/\(ManagementClient.percentEncoded(name))\(close ? "?close=true" : "")")
  let shown = visible(name)
  let left = answer["listener"]?["sessions"]?.number ?? 0
  let sessions = left == 1 ? "1 session" : "\(left) sessions"
  if left == 0 {
    try call.console.write("removed listener \(shown)\n")
  } else if close {
    try call.console.write("listener \(shown) takes nobody any more; \(sessions) are ending\n")
  } else {
    try call.console.write(
      "listener \(shown) takes nobody any more; \(sessions) may stay until they end\n")
  }
  if answer["comes_back"]?.isTrue == true {
    call.console.note(
      "it stands in the configuration file, and comes back when the gateway is started anew")
  }
  guard call.has(.wait), left > 0 else { return .done }
  try call.console.flush()
  while try isDraining(name, client) { usleep(waitMicroseconds) }
  try call.console.write("listener \(shown) is gone\n")
  return .done
}

/// A gateway that has ended has no listener left.
private func isDraining(_ name: String, _ client: ManagementClient) throws -> Bool {
  let listeners =
    try client.requestUnlessStopped("GET", "/listeners")?["listeners"]?.elements ?? []
  return listeners.contains { $0["name"]?.text == name && $0["state"]?.text == "draining" }
}
