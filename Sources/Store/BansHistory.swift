public import Auth

/// A moment in a ban's life.
public struct BanEvent: Equatable, Sendable {
  public enum Kind: String, Sendable { case added, lifted }

  /// Grows from event to event, also across restarts.
  public var seq: Int64
  /// Unix seconds.
  public var at: Int64
  public var banID: Int64
  public var kind: Kind
  public var author: String
  /// The internal one of an addition.
  public var reason: String
}

/// What happened to bans and allowances since somebody last looked.
public struct BanChanges: Equatable, Sendable {
  public struct Addition: Equatable, Sendable {
    public var ban: Ban
    public var effect: BanEffect
  }

  /// In force now, in the order in which they were added.
  public var added: [Addition] = []
  public var lifted: [Int64] = []
  /// The last event that is in it: what to ask for next time.
  public var seq: Int64
}

extension Database {
  /// Oldest first.
  public func banEvents(after seq: Int64, limit: Int) throws(StoreError) -> [BanEvent] {
    try rows(
      Self.eventQuery + " WHERE seq > ? ORDER BY seq LIMIT ?",
      [.integer(seq), .integer(Int64(max(0, limit)))]
    ) { BanEvent($0) }
  }

  /// What happened to bans of exactly `subject`; newest first.
  public func banHistory(
    of subject: Subject, limit: Int
  ) throws(StoreError) -> [(event: BanEvent, ban: BanRow)] {
    var history: [(event: BanEvent, ban: BanRow)] = []
    try readingOneState { () throws(StoreError) in
      for ban in try rows(of: subject, includingEnded: true, now: 0, limit: limit) {
        let events = try rows(
          Self.eventQuery + " WHERE ban_event.ban = ?", [.integer(ban.id)]
        ) { BanEvent($0) }
        history += events.map { ($0, ban) }
      }
    }
    return Array(history.sorted { $0.event.seq > $1.event.seq }.prefix(max(0, limit)))
  }

  /// The number of the last event; 0 when there is none.
  public func newestBanEvent() throws(StoreError) -> Int64 {
    try integer("SELECT max(seq) FROM ban_event")
  }

  /// Tells `body` what is in force, without keeping it.
  ///
  /// - Returns: the last event that is in it, for ``banChanges(after:now:limit:)``.
  public func liveBans(
    now: Int64, _ body: (Ban, BanEffect) throws(StoreError) -> Void
  ) throws(StoreError) -> Int64 {
    try readingOneState { () throws(StoreError) in
      let seq = try newestBanEvent()
      try forEach(
        "SELECT \(Self.liveColumns) FROM ban INDEXED BY ban_not_lifted"
          + " WHERE lifted_at IS NULL AND (until IS NULL OR until > ?) ORDER BY id",
        [.integer(now)]
      ) { row throws(StoreError) in
        let (ban, effect) = try live(row)
        try body(ban, effect)
        return true
      }
      return seq
    }
  }

  /// What happened after an event, up to `limit` events of it; expiry is no event.
  public func banChanges(
    after seq: Int64, now: Int64, limit: Int = 10_000
  ) throws(StoreError) -> BanChanges {
    var changes = BanChanges(seq: seq)
    try forEach(
      "SELECT \(Self.liveColumns), lifted_at IS NULL AND (until IS NULL OR until > ?1), seq,"
        + " is_lift FROM ban_event JOIN ban ON ban.id = ban_event.ban WHERE seq > ?2"
        + " ORDER BY seq LIMIT ?3",
      [.integer(now), .integer(seq), .integer(Int64(max(0, limit)))]
    ) { row throws(StoreError) in
      changes.seq = row.integer(9)
      if row.bool(10) {
        changes.lifted.append(row.integer(0))
      } else if row.bool(8) {
        let (ban, effect) = try live(row)
        changes.added.append(BanChanges.Addition(ban: ban, effect: effect))
      }
      return true
    }
    return changes
  }
}

extension Database {
  /// An event's time, author and reason are those of its ban's row, which is never deleted.
  private static let eventQuery = """
    SELECT seq, ban_event.ban, is_lift, iif(is_lift, lifted_at, created_at),
      iif(is_lift, lifted_by, author), iif(is_lift, lift_reason,
      iif(shown_reason = '' OR internal_reason = '', shown_reason || internal_reason,
        shown_reason || ' (' || internal_reason || ')'))
    FROM ban_event JOIN ban ON ban.id = ban_event.ban
    """

  private static let liveColumns =
    "ban.id, effect, prefix, bits, subject, listener, shown_reason, until"

  private func live(_ row: Row) throws(StoreError) -> (Ban, BanEffect) {
    guard let effect = BanEffect(rawValue: row.text(1)) else {
      throw row.damaged("the effect of ban \(row.integer(0))")
    }
    let ban = Ban(
      id: row.integer(0), subject: try Subject(row, prefix: 2, bits: 3, text: 4),
      listener: row.optionalText(5), shownReason: row.text(6), until: row.optionalInteger(7))
    return (ban, effect)
  }
}

extension BanEvent {
  init(_ row: Row) {
    self.init(
      seq: row.integer(0), at: row.integer(3), banID: row.integer(1),
      kind: row.bool(2) ? .lifted : .added, author: row.text(4), reason: row.text(5))
  }
}
