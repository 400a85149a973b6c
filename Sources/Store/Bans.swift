public import Auth
internal import Primitives

/// What a row of the ban table does to those it is about.
public enum BanEffect: String, CaseIterable, Sendable {
  case ban
  /// Neither bans nor limits nor rules touch them.
  case allow
}

/// A ban or an allowance, before it is in the store.
public struct NewBan: Equatable, Sendable {
  public var effect: BanEffect
  public var subject: Subject
  /// The listener that it is for; nil when it is for all.
  public var listener: String?
  /// What the banned may be told.
  public var shownReason: String
  /// For operators alone.
  public var internalReason: String
  public var author: String
  /// Unix seconds: it holds before this one; nil when it has no end.
  public var until: Int64?

  public init(
    effect: BanEffect = .ban, subject: Subject, listener: String? = nil, shownReason: String = "",
    internalReason: String = "", author: String, until: Int64? = nil
  ) {
    self.effect = effect
    self.subject = subject
    self.listener = listener
    self.shownReason = shownReason
    self.internalReason = internalReason
    self.author = author
    self.until = until
  }
}

/// A ban or an allowance, with all that is known of it.
public struct BanRow: Equatable, Sendable {
  public var id: Int64
  public var effect: BanEffect
  public var subject: Subject
  public var listener: String?
  public var shownReason: String
  public var internalReason: String
  public var author: String
  public var createdAt: Int64
  /// Unix seconds: it holds before this one; nil when it has no end.
  public var until: Int64?
  public var liftedAt: Int64?
  public var liftedBy: String?
  public var liftReason: String?

  public func isInForce(now: Int64) -> Bool { liftedAt == nil && (until ?? .max) > now }
}

extension Database {
  @discardableResult
  public func addBan(_ ban: NewBan, now: Int64) throws(StoreError) -> Int64 {
    try inTransaction { () throws(StoreError) in
      let id = try insertBan(ban, now: now)
      try audit(
        by: ban.author, action: "\(ban.effect.rawValue) add", subject: ban.subject.text,
        detail: "\(ban.effect.rawValue) \(id)", now: now)
      return id
    }
  }

  /// Adds what `next` gives until it gives nil: all of them, or none when it throws.
  ///
  /// - Returns: how many there were.
  @discardableResult
  public func addBans(
    _ next: () throws(StoreError) -> NewBan?, now: Int64
  ) throws(StoreError) -> Int {
    try inTransaction { () throws(StoreError) in
      var count = 0
      var author: String?
      while let ban = try next() {
        try insertBan(ban, now: now)
        author = author ?? ban.author
        count += 1
      }
      if let author {
        try audit(by: author, action: "ban import", subject: "", detail: "\(count)", now: now)
      }
      return count
    }
  }

  /// Lifts what is in force of exactly `subject`.
  ///
  /// - Parameter listener: only what is for this listener, or with `.some(nil)` for all listeners;
  ///   nil means both.
  /// - Returns: the rows as they are after it.
  @discardableResult
  public func liftBans(
    effect: BanEffect, of subject: Subject, listener: String?? = nil, by author: String,
    reason: String, now: Int64
  ) throws(StoreError) -> [BanRow] {
    try inTransaction { () throws(StoreError) in
      var lifted = try rows(of: subject, includingEnded: false, now: now).filter { row in
        row.effect == effect && (listener == nil || listener == .some(row.listener))
      }
      for index in lifted.indices {
        lifted[index].liftedAt = now
        lifted[index].liftedBy = author
        lifted[index].liftReason = reason
        try lift(lifted[index].id, by: author, reason: reason, now: now)
        try audit(
          by: author, action: "\(effect.rawValue) lift", subject: subject.text,
          detail: "\(effect.rawValue) \(lifted[index].id)", now: now)
      }
      return lifted
    }
  }

  /// Tells `body` what is in force, oldest first, without keeping it.
  public func bansInForce(
    effect: BanEffect?, now: Int64, _ body: (BanRow) throws(StoreError) -> Void
  ) throws(StoreError) {
    try forEach(
      Self.banQuery
        + " INDEXED BY ban_not_lifted WHERE lifted_at IS NULL AND (until IS NULL OR until > ?1)"
        + " AND (?2 IS NULL OR effect = ?2) ORDER BY id",
      [.integer(now), SQLValue(effect?.rawValue)]
    ) { row throws(StoreError) in
      try body(BanRow(row))
      return true
    }
  }

  /// Everything about a subject: the same account, or prefixes that hold all of its addresses.
  ///
  /// At most 129 look-ups in an index. Newest first.
  public func bans(
    covering subject: Subject, includingEnded: Bool, now: Int64, limit: Int
  ) throws(StoreError) -> [BanRow] {
    var found: [BanRow] = []
    try readingOneState { () throws(StoreError) in
      switch subject {
      case .account:
        found = try rows(of: subject, includingEnded: includingEnded, now: now, limit: limit)
      case .addresses(let prefix):
        for bitCount in (prefix.isIPv4 ? 96 : 0)...prefix.bitCount {
          found += try rows(
            of: .addresses(AddressPrefix(prefix.bytes, bitCount: bitCount)),
            includingEnded: includingEnded, now: now, limit: limit)
        }
      }
    }
    return Array(found.sorted { $0.id > $1.id }.prefix(max(0, limit)))
  }

  /// Newest first.
  ///
  /// - Parameters:
  ///   - text: a part of the subject, a reason, the author or the listener, ASCII letters in either
  ///     case; nil means all.
  ///   - id: only rows older than the one with this number; nil begins with the newest.
  public func bans(
    search text: String? = nil, effect: BanEffect? = nil, includingEnded: Bool,
    before id: Int64? = nil, limit: Int, now: Int64
  ) throws(StoreError) -> [BanRow] {
    try rows(
      Self.banQuery
        + #"""
         WHERE id < ?1 AND (?2 IS NULL OR effect = ?2)
          AND (?3 OR (lifted_at IS NULL AND (until IS NULL OR until > ?4)))
          AND (?5 IS NULL OR subject LIKE ?5 ESCAPE '\' OR shown_reason LIKE ?5 ESCAPE '\'
            OR internal_reason LIKE ?5 ESCAPE '\' OR author LIKE ?5 ESCAPE '\'
            OR listener LIKE ?5 ESCAPE '\')
        ORDER BY id DESC LIMIT ?6
        """#,
      [
        .integer(id ?? .max), SQLValue(effect?.rawValue), SQLValue(includingEnded), .integer(now),
        SQLValue(text.map(patternContaining)), .integer(Int64(max(0, limit))),
      ], BanRow.init)
  }
}

extension Database {
  static let banColumns = """
    ban.id, effect, prefix, bits, subject, listener, shown_reason, internal_reason, author,
      created_at, until, lifted_at, lifted_by, lift_reason
    """
  static let banQuery = "SELECT \(banColumns) FROM ban"

  @discardableResult
  func insertBan(_ ban: NewBan, now: Int64) throws(StoreError) -> Int64 {
    let columns = ban.subject.columns
    try run(
      "INSERT INTO ban (effect, prefix, bits, account, subject, listener, shown_reason,"
        + " internal_reason, author, created_at, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      [
        .text(ban.effect.rawValue), columns.prefix, columns.bits, columns.account,
        .text(ban.subject.text), SQLValue(ban.listener), .text(ban.shownReason),
        .text(ban.internalReason), .text(ban.author), .integer(now), SQLValue(ban.until),
      ])
    let id = lastInsertedID
    try run("INSERT INTO ban_event (ban, is_lift) VALUES (?, 0)", [.integer(id)])
    return id
  }

  func lift(_ id: Int64, by author: String, reason: String, now: Int64) throws(StoreError) {
    try run(
      "UPDATE ban SET lifted_at = ?, lifted_by = ?, lift_reason = ? WHERE id = ?",
      [.integer(now), .text(author), .text(reason), .integer(id)])
    try run("INSERT INTO ban_event (ban, is_lift) VALUES (?, 1)", [.integer(id)])
  }

  /// Rows of exactly `subject`, newest first.
  func rows(
    of subject: Subject, includingEnded: Bool, now: Int64, limit: Int = .max
  ) throws(StoreError) -> [BanRow] {
    let end =
      " AND (? OR (lifted_at IS NULL AND (until IS NULL OR until > ?))) ORDER BY id DESC LIMIT ?"
    let values: [SQLValue] = [
      SQLValue(includingEnded), .integer(now), .integer(Int64(max(0, limit))),
    ]
    let columns = subject.columns
    return switch subject {
    case .account:
      try rows(
        Self.banQuery + " INDEXED BY ban_by_account WHERE account = ?" + end,
        [columns.account] + values, BanRow.init)
    case .addresses:
      try rows(
        Self.banQuery + " INDEXED BY ban_by_prefix WHERE prefix = ? AND bits = ?" + end,
        [columns.prefix, columns.bits] + values, BanRow.init)
    }
  }
}

extension BanRow {
  init(_ row: Row) throws(StoreError) {
    let id = row.integer(0)
    guard let effect = BanEffect(rawValue: row.text(1)) else {
      throw row.damaged("the effect of ban \(id)")
    }
    self.init(
      id: id, effect: effect, subject: try Subject(row, prefix: 2, bits: 3, text: 4),
      listener: row.optionalText(5), shownReason: row.text(6), internalReason: row.text(7),
      author: row.text(8), createdAt: row.integer(9), until: row.optionalInteger(10),
      liftedAt: row.optionalInteger(11), liftedBy: row.optionalText(12),
      liftReason: row.optionalText(13))
  }
}

extension Subject {
  /// For people, and to search in.
  var text: String {
    switch self {
    case .addresses(let prefix): prefix.description
    case .account(let name): name.text
    }
  }

  var columns: (prefix: SQLValue, bits: SQLValue, account: SQLValue) {
    switch self {
    case .addresses(let prefix):
      (.blob(Array(copying: prefix.bytes)), .integer(Int64(prefix.bitCount)), .null)
    case .account(let name): (.null, .null, .text(name.key))
    }
  }

  init(
    _ row: Row, prefix: Int32, bits: Int32, text: Int32
  ) throws(StoreError) {
    if row.isNull(prefix) {
      guard let name = AccountName(row.text(text)) else {
        throw row.damaged("the account of ban \(row.integer(0))")
      }
      self = .account(name)
    } else {
      guard let bytes = [16 of UInt8](row.bytes(prefix)),
        let bitCount = UInt8(exactly: row.integer(bits)), bitCount <= 128
      else { throw row.damaged("the prefix of ban \(row.integer(0))") }
      self = .addresses(AddressPrefix(bytes, bitCount: bitCount))
    }
  }
}
