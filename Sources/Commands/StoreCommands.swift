internal import Store

let storeCommands: [Subcommand] = [
  Subcommand(
    words: ["store", "check"], options: [.config, .store],
    summary: "look for damage in the database",
    explanation: """
      Reads the whole database and lists what is wrong with it. The gateway may run meanwhile.
      """,
    examples: ["gatehouse store check"], run: { try check($0) }),
  Subcommand(
    words: ["store", "backup"], operands: "FILE", operandCount: 1...1, options: [.config, .store],
    summary: "copy the database to a new file",
    explanation: """
      Copies the database as it is at one moment to FILE, which must not exist. The gateway may run
      meanwhile. (A copy by `cp` would miss what is not in the main file yet.)
      """,
    examples: ["gatehouse store backup backup.db"], run: { try backup($0) }),
  Subcommand(
    words: ["store", "export"], operands: "[FILE]", operandCount: 0...1,
    options: [.config, .store], summary: "write everything as JSON lines",
    explanation: """
      Writes all that the database holds, an object a line, to FILE, which must not exist and which
      only its owner may read, or to standard output. Hashes of passwords and tokens are in it.
      """,
    examples: ["gatehouse store export store.jsonl"], run: { try exportStore($0) }),
  Subcommand(
    words: ["store", "import"], operands: "FILE", operandCount: 1...1,
    options: [.by, .config, .store], summary: "take over what `store export` wrote",
    explanation: """
      Reads FILE, or standard input when FILE is "-", and adds what the database does not have; all
      of it or, on any error, nothing.
      """,
    examples: ["gatehouse store import store.jsonl --store new.db"],
    run: { try importStore($0) }),
]

private func check(_ call: Call) throws -> ExitStatus {
  let database = try StoreAccess.openExisting(call)
  let problems = try database.check()
  guard problems.isEmpty else {
    for problem in problems { try call.console.write("\(visible(problem))\n") }
    let count = "\(problems.count) \(problems.count == 1 ? "problem" : "problems")"
    throw CommandFailure(
      "\(count) in \(quoted(database.path)); restore a backup, or move what is readable with "
        + "`gatehouse store export`")
  }
  try call.console.write("\(visible(database.path)): no damage found\n")
  return .done
}

private func backup(_ call: Call) throws -> ExitStatus {
  let database = try StoreAccess.openExisting(call)
  try database.backup(to: call.operands[0])
  try call.console.write("copied \(visible(database.path)) to \(visible(call.operands[0]))\n")
  return .done
}

private func exportStore(_ call: Call) throws -> ExitStatus {
  let database = try StoreAccess.openExisting(call)
  let path = call.operands.first ?? "-"
  let file = path == "-" ? nil : try OutputFile(creating: path, mode: 0o600)
  do {
    // The store's callback throws errors of the store alone.
    var failure: CommandFailure?
    try database.exportJSON { bytes throws(StoreError) in
      guard failure == nil else { return }
      do throws(CommandFailure) {
        if let file { try file.write(bytes) } else { try call.console.write(bytes) }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    try file?.finish()
  } catch {
    file?.remove()
    throw error
  }
  return .done
}

private func importStore(_ call: Call) throws -> ExitStatus {
  let author = try call.author()
  let bytes = try InputFile.read(call.operands[0], call.console)
  let database = try StoreAccess.open(call)
  var lines = ByteLines(bytes)
  let result = try database.importJSON(
    { () throws(StoreError) in lines.next() }, by: author, now: call.now)
  let counts = result.kinds.filter { $0.added > 0 }.map { "\($0.added) \($0.name)" }
    .joined(separator: ", ")
  try call.console.write(
    "added \(counts.isEmpty ? "nothing" : counts); already there \(result.skipped)\n")
  return .done
}

/// The lines of a file in memory, without their ends.
struct ByteLines {
  private let bytes: [UInt8]
  private var start = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> [UInt8]? {
    guard start < bytes.count else { return nil }
    let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    defer { start = end + 1 }
    return Array(bytes[start..<end])
  }
}
