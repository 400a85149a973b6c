internal import Auth
internal import JSON
internal import Primitives
internal import Store

func exportBans(_ call: Call) throws -> ExitStatus {
  let name = call.value(.format) ?? "plain"
  guard let format = BanListFormat(rawValue: name) else {
    throw CommandFailure(
      "--format \(quoted(name)): expected plain, csv, json, p2p or dat", .wrongCommandLine)
  }
  let database = try StoreAccess.openExisting(call)
  let path = call.operands.first ?? "-"
  let file = path == "-" ? nil : try OutputFile(creating: path, mode: 0o644)
  var writer = BanListWriter(format)
  do {
    func put(_ bytes: [UInt8]) throws(CommandFailure) {
      if let file { try file.write(bytes) } else { try call.console.write(bytes) }
    }
    try put(writer.start)
    // Its callback throws errors of the store alone; one of the file ends the export after it.
    var failure: CommandFailure?
    try database.bansInForce(effect: call.has(.allowed) ? .allow : .ban, now: call.now) {
      row throws(StoreError) in
      guard failure == nil else { return }
      let bytes = writer.lines(row)
      do throws(CommandFailure) { try put(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
    try put(writer.end)
    try file?.finish()
  } catch {
    file?.remove()
    throw error
  }
  if writer.leftOut > 0 {
    call.console.note("left out \(writer.leftOut) that \(format.rawValue) has no form for")
  }
  if writer.simplified > 0 {
    call.console.note(
      "note: \(writer.simplified) of them have an end, or are for one listener; "
        + "\(format.rawValue) can't say so, csv and json can")
  }
  if file != nil { call.console.note("wrote \(writer.written) to \(quoted(path))") }
  return .done
}

/// Bans in a list's format, one after the other.
struct BanListWriter {
  private let format: BanListFormat
  private(set) var written = 0
  /// Accounts and IPv6 networks, in formats without them.
  private(set) var leftOut = 0
  /// Those with an end, or of one listener, in formats that can't say so.
  private(set) var simplified = 0

  init(_ format: BanListFormat) { self.format = format }

  var start: [UInt8] {
    switch format {
    case .json: Array("[\n".utf8)
    case .csv: Array("subject,effect,listener,reason,note,author,until\n".utf8)
    case .plain, .p2p, .dat: []
    }
  }

  var end: [UInt8] { format == .json ? Array((written == 0 ? "]\n" : "\n]\n").utf8) : [] }

  /// Its line; empty for what the format has no form for.
  mutating func lines(_ row: BanRow) -> [UInt8] {
    let text: String
    switch format {
    case .json:
      var json = JSONWriter()
      BanText.write(row, to: &json)
      written += 1
      return Array((written == 1 ? "" : ",\n").utf8) + json.bytes
    case .csv:
      let until = row.until.map { TimeText.describe($0) } ?? ""
      text =
        [
          SubjectText.describe(row.subject), row.effect.rawValue, row.listener ?? "",
          row.shownReason, row.internalReason, row.author, until,
        ].map(Self.cell).joined(separator: ",") + "\n"
    case .plain: text = Self.plain(row)
    case .p2p, .dat:
      guard let range = Self.ipv4Range(row.subject) else {
        leftOut += 1
        return []
      }
      let name = visible(row.internalReason.isEmpty ? row.shownReason : row.internalReason)
      text =
        format == .p2p
        ? "\(name):\(range.first)-\(range.last)\n"
        : "\(range.first) - \(range.last) , 0 , \(name)\n"
    }
    written += 1
    if format != .csv, row.until != nil || row.listener != nil { simplified += 1 }
    return Array(text.utf8)
  }

  /// Nothing may follow an account's name: it may hold any character.
  private static func plain(_ row: BanRow) -> String {
    let subject = SubjectText.describe(row.subject)
    guard case .addresses = row.subject, !row.internalReason.isEmpty else { return subject + "\n" }
    return "\(subject) ; \(visible(row.internalReason))\n"
  }

  /// Quoted as RFC 4180 section 2 asks, and only then.
  private static func cell(_ text: String) -> String {
    let text = visible(text)
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: ",") }) else {
      return text
    }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  private static func ipv4Range(_ subject: Subject) -> (first: String, last: String)? {
    guard case .addresses(let prefix) = subject, prefix.isIPv4 else { return nil }
    var last = prefix.bytes
    for index in 0..<16 {
      let kept = max(0, min(8, Int(prefix.bitCount) - index * 8))
      last[index] |= UInt8(truncatingIfNeeded: 0xff >> kept)
    }
    return (
      SocketAddress(ipv6: prefix.bytes, port: 0).host, SocketAddress(ipv6: last, port: 0).host
    )
  }
}
