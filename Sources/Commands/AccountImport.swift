internal import Auth
internal import Store

/// The bad lines that are shown; more are only counted.
private let problemsShownMax = 20

let accountImportHelp = """
  Reads names and password hashes from FILE, or from standard input when FILE is "-": lines such as
  name:hash and name:hash:salt (htpasswd), or, with --csv, columns named name, hash and, if need be,
  salt and format. The accounts' first login with the right password replaces what was imported.

  Hashes that say themselves what they are need no --format: bcrypt ($2a$, $2b$, $2y$), crypt ($1$,
  $5$, $6$), phpBB and WordPress ($P$, $H$), htpasswd ($apr1$, {SHA}), AuthMe ($SHA$), MySQL 4.1
  (*...), and bare MD5, SHA-1, SHA-256 and SHA-512 without a salt. For others --format is a name or
  a formula:

  \(presetLines)

  What is kept is Argon2id over the hash, so each takes as long as a login. Accounts that exist are
  passed over, unless --replace is said. A line that is not understood is named by its number, and
  nothing is imported unless --skip-bad says otherwise.
  """

private var presetLines: String {
  LegacyFormat.presets.map { preset in
    let padding = String(repeating: " ", count: max(1, 11 - preset.name.count))
    return "  \(preset.name)\(padding)\(preset.formula)"
  }.joined(separator: "\n")
}

func importAccounts(_ call: Call) throws -> ExitStatus {
  let formatText = call.value(.hashFormat) ?? "auto"
  guard let format = LegacyFormat(formatText) else {
    throw CommandFailure(
      "--format \(quoted(formatText)): neither a name nor a formula such as md5(password+salt)",
      .wrongCommandLine)
  }
  let parameters = try PasswordSettings.parameters(call)
  let author = try call.author()
  let path = call.operands[0]
  var bytes = try InputFile.read(path, call.console)
  defer { wipe(&bytes) }
  let isCSV = call.has(.columns) || path.hasSuffix(".csv")
  let entries = try parsed(bytes, LegacyList(form: isCSV ? .csv : .lines, format: format), call)
  let database = try StoreAccess.open(call)
  // Those that would be passed over need not be hashed first.
  var fresh = try entries.filter { entry in
    try call.has(.replace) || database.account(entry.name) == nil
  }[...]
  let existing = entries.count - fresh.count
  if call.has(.dryRun) {
    try call.console.write("would import \(fresh.count), already there \(existing)\n")
    return .done
  }
  // Before the transaction: the gateway could not write while it lasts.
  var records: [(AccountName, PasswordRecord)] = []
  var progress = Progress(fresh.count, call.console)
  while let entry = fresh.popFirst() {
    records.append((entry.name, try PasswordHash.wrap(legacy: entry.hash, parameters)))
    progress.advance()
  }
  var rest = records[...]
  let result = try database.importAccounts(
    { () throws(StoreError) in rest.popFirst() }, replacing: call.has(.replace), by: author,
    now: call.now)
  try call.console.write(
    "imported \(result.added), replaced \(result.replaced), already there "
      + "\(existing + result.skipped)\n")
  return .done
}

/// All of the list's entries.
///
/// - Throws: ``CommandFailure`` for bad lines, unless they are to be left out.
private func parsed(
  _ bytes: [UInt8], _ list: LegacyList, _ call: Call
) throws(CommandFailure) -> [LegacyList.Entry] {
  var list = list
  var entries: [LegacyList.Entry] = []
  var bad = 0
  var start = 0
  var isEnded = false
  while true {
    do throws(LegacyListError) {
      while let entry = try list.next() { entries.append(entry) }
      if isEnded { break }
      let end = min(bytes.count, start + 65_536)
      list.add(Array(bytes[start..<end]))
      start = end
      if start == bytes.count {
        list.end()
        isEnded = true
      }
    } catch {
      bad += 1
      if bad <= problemsShownMax { call.console.note("\(call.operands[0]): \(error)") }
      if !list.canGoOn { break }
    }
  }
  if bad > problemsShownMax { call.console.note("and \(bad - problemsShownMax) more bad lines") }
  guard bad == 0 || (call.has(.skipBad) && list.canGoOn) else {
    throw CommandFailure(
      "nothing imported, because of \(bad) bad \(bad == 1 ? "line" : "lines")"
        + (list.canGoOn ? "; --skip-bad leaves such lines out" : ""))
  }
  return entries
}

/// Tells how far a long task is, at most once a second.
private struct Progress {
  private let total: Int
  private let console: Console
  private var done = 0
  private var told: Int64

  init(_ total: Int, _ console: Console) {
    self.total = total
    self.console = console
    told = console.now
  }

  mutating func advance() {
    done += 1
    guard console.now > told, done < total else { return }
    told = console.now
    console.note("\(done) of \(total)")
  }
}
