internal import Auth

/// What a line with named values says.
struct BanListValues {
  /// The names, of columns and of members alike, and what they are also called.
  enum Name: String, CaseIterable {
    case subject, effect, listener, reason, note, author, until
    /// Those of a listing that has the history too: taken, and of no effect.
    case id, created, lifted
    case liftedBy = "lifted_by"
    case liftReason = "lift_reason"

    init?(_ text: String) {
      switch text.lowercased() {
      case "address", "ip", "cidr", "network": self = .subject
      case "expires": self = .until
      case let name:
        guard let found = Name(rawValue: name) else { return nil }
        self = found
      }
    }

    static let list = "subject, effect, listener, reason, note, author, until"
  }

  private var texts: [Name: String] = [:]

  mutating func set(_ name: String, _ text: String, line: Int) throws(BanListProblem) {
    guard let known = Name(name) else {
      throw BanListProblem(
        line, "\(BanListText.shown(name)) is none of the names \(Name.list)")
    }
    set(known, text)
  }

  mutating func set(_ name: Name, _ text: String) { texts[name] = text }

  func entry(line: Int) throws(BanListProblem) -> BanListEntry? {
    // What was lifted holds no more; a listing of the history can be read all the same.
    if let lifted = texts[.lifted], !lifted.isEmpty { return nil }
    guard let subjectText = texts[.subject], !subjectText.isEmpty else {
      throw BanListProblem(line, "no subject")
    }
    var entry = BanListEntry(try BanListPlain.subject(subjectText, line: line))
    if let effect = texts[.effect], !effect.isEmpty {
      guard let known = BanEffect(rawValue: effect) else {
        throw BanListProblem(line, "\(BanListText.shown(effect)) is neither ban nor allow")
      }
      entry.effect = known
    }
    if let until = texts[.until], !until.isEmpty {
      guard let moment = BanListText.moment(until) else {
        throw BanListProblem(
          line, "\(BanListText.shown(until)) is not a time such as 2026-01-31T23:59:59Z")
      }
      entry.until = moment
    }
    entry.shownReason = BanListPlain.reason(texts[.reason] ?? "")
    entry.internalReason = BanListPlain.reason(texts[.note] ?? "")
    entry.listener = texts[.listener].flatMap { $0.isEmpty ? nil : BanListPlain.reason($0) }
    entry.author = texts[.author].flatMap { $0.isEmpty ? nil : BanListPlain.reason($0) }
    return entry
  }
}
