internal import Auth
internal import Glibc
internal import Primitives
internal import Store

/// Bans of one transaction; between two of them the gateway's own writes get in.
private let groupMax = 4096
/// Between two transactions, in milliseconds: about as long as one takes.
private let restBetweenGroups: Int32 = 30

/// The bad lines that are shown; more are only counted.
private let problemsShownMax = 20

/// What tells one ban of a list from another.
private struct BanKey: Hashable {
  var subject: Subject
  var effect: BanEffect
  var listener: String?
}

/// What the options say about bans whose list does not.
private struct ImportDefaults {
  var until: Int64?
  var reason: String
  var note: String
  var listener: String?
  var author: String
  var takesWide: Bool

  init(_ call: Call) throws(CommandFailure) {
    until = try call.end(.duration)
    reason = try call.text(.reason)
    note = try call.text(.note)
    listener = call.has(.listener) ? try call.text(.listener, byteCountMax: 64) : nil
    author = try call.author()
    takesWide = call.has(.yes)
  }

  func ban(_ entry: BanListEntry) -> NewBan {
    NewBan(
      effect: entry.effect ?? .ban, subject: entry.subject, listener: entry.listener ?? listener,
      shownReason: entry.shownReason.isEmpty ? reason : entry.shownReason,
      internalReason: entry.internalReason.isEmpty ? note : entry.internalReason, author: author,
      until: entry.until ?? until)
  }
}

func importBans(_ call: Call) throws -> ExitStatus {
  let defaults = try ImportDefaults(call)
  let path = call.operands[0]
  let formatName = call.value(.format) ?? "auto"
  guard formatName == "auto" || BanListFormat(rawValue: formatName) != nil else {
    throw CommandFailure(
      "--format \(quoted(formatName)): expected plain, csv, json, p2p, dat or auto",
      .wrongCommandLine)
  }
  // Read as a whole: it is gone through twice, and standard input comes once.
  let bytes = try InputFile.read(path, call.console)
  let format = BanListFormat(rawValue: formatName) ?? .detect(bytes.prefix(65_536))
  var survey = ListSurvey()
  forEachEntry(of: bytes, format) { survey.add($0, now: call.now, defaults) }
  try report(survey, call, format)
  let database = try StoreAccess.open(call)
  var known: Set<BanKey> = []
  try database.bansInForce(effect: nil, now: call.now) { row throws(StoreError) in
    known.insert(BanKey(subject: row.subject, effect: row.effect, listener: row.listener))
  }
  let fresh = try add(bytes, format, defaults, known: &known, to: database, call)
  let kept = survey.usable - fresh
  var line = "\(call.has(.dryRun) ? "would add" : "added") \(fresh), already there \(kept)"
  if survey.over > 0 { line += ", over already \(survey.over)" }
  if survey.bad > 0 { line += ", left out \(survey.bad) bad" }
  try call.console.write("\(line) (format \(format.rawValue))\n")
  return .done
}

/// What a list holds, found in a first pass.
private struct ListSurvey {
  var usable = 0
  /// Entries whose end has passed.
  var over = 0
  var bad = 0
  var problems: [BanListProblem] = []
  var wide: Subject?

  mutating func add(
    _ result: Result<BanListEntry, BanListProblem>, now: Int64, _ defaults: ImportDefaults
  ) {
    switch result {
    case .failure(let problem):
      bad += 1
      if problems.count < problemsShownMax { problems.append(problem) }
    case .success(let entry):
      if let until = entry.until, until <= now {
        over += 1
        return
      }
      usable += 1
      if !defaults.takesWide, wide == nil, SubjectText.isWide(entry.subject) {
        wide = entry.subject
      }
    }
  }
}

private func report(_ survey: ListSurvey, _ call: Call, _ format: BanListFormat) throws {
  for problem in survey.problems { call.console.note("\(call.operands[0]): \(problem)") }
  if survey.bad > survey.problems.count {
    call.console.note("and \(survey.bad - survey.problems.count) more bad lines")
  }
  if survey.bad > 0 && !call.has(.skipBad) {
    throw CommandFailure(
      "nothing imported, because of \(survey.bad) bad \(survey.bad == 1 ? "line" : "lines") (read "
        + "as \(format.rawValue)); --skip-bad leaves such lines out")
  }
  if let wide = survey.wide {
    throw CommandFailure(
      "nothing imported: \(SubjectText.describe(wide)) is a large part of all addresses; say --yes "
        + "if you mean it")
  }
}

private func forEachEntry(
  of bytes: [UInt8], _ format: BanListFormat,
  _ body: (Result<BanListEntry, BanListProblem>) -> Void
) {
  var source = EntrySource(bytes, format)
  while let result = source.next() { body(result) }
}

/// Entries of a file that is in memory, fed to the reader in pieces.
private struct EntrySource {
  private let bytes: [UInt8]
  private var reader: BanListReader
  private var fed = 0
  private var isFinished = false

  init(_ bytes: [UInt8], _ format: BanListFormat) {
    self.bytes = bytes
    reader = BanListReader(format: format)
  }

  mutating func next() -> Result<BanListEntry, BanListProblem>? {
    while true {
      if let result = reader.next() { return result }
      if isFinished { return nil }
      let end = min(bytes.count, fed + 65_536)
      reader.feed(bytes[fed..<end])
      fed = end
      if fed == bytes.count {
        reader.finish()
        isFinished = true
      }
    }
  }
}

/// Adds what is not there yet, group by group; only counts it for a dry run.
///
/// A group is added whole or not at all. What an import that was cut off has added stays, and is
/// passed over when the list is imported again.
private func add(
  _ bytes: [UInt8], _ format: BanListFormat, _ defaults: ImportDefaults,
  known: inout Set<BanKey>, to database: Database, _ call: Call
) throws -> Int {
  var source = EntrySource(bytes, format)
  let now = call.now
  func next() -> NewBan? {
    while let result = source.next() {
      // Bad lines were reported, and accepted, in the first pass.
      guard case .success(let entry) = result else { continue }
      if let until = entry.until, until <= now { continue }
      let ban = defaults.ban(entry)
      let key = BanKey(subject: ban.subject, effect: ban.effect, listener: ban.listener)
      if known.insert(key).inserted { return ban }
    }
    return nil
  }
  if call.has(.dryRun) {
    var count = 0
    while next() != nil { count += 1 }
    return count
  }
  var total = 0
  while true {
    var asked = 0
    let added = try database.addBans(
      { () throws(StoreError) in
        guard asked < groupMax else { return nil }
        asked += 1
        return next()
      }, now: now)
    total += added
    guard added == groupMax else { return total }
    _ = poll(nil, 0, restBetweenGroups)
  }
}
