internal import Auth

/// Lasting tokens as the database has them, and what they were used for since that was written.
///
/// What is kept holds as long as no other connection has written anything. Revoked tokens and
/// disabled accounts are kept like others; what is good once never is.
struct TokenCache {
  /// A token that may be used again and again.
  struct Lasting {
    var account: AccountName
    var expiresAt: Int64?
    var isRevoked: Bool
    var isDisabled: Bool
  }

  enum Entry {
    /// It is good for one use, which takes a transaction.
    case once
    case lasting(Lasting)
  }

  private struct Uses {
    var count: Int64 = 0
    var lastAt: Int64 = 0

    mutating func add(at now: Int64) {
      count += 1
      lastAt = max(lastAt, now)
    }
  }

  /// Tokens that are kept; beyond it all are read anew.
  static let countMax = 16_384
  /// Tokens whose uses wait to be written.
  static let usesMax = 16_384

  /// A token's hash; its first bytes are as good as any hash of them all.
  private struct Key: Hashable {
    var bytes: [UInt8]

    func hash(into hasher: inout Hasher) {
      hasher.combine(bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
  }

  private var tokens: [Key: Lasting] = [:]
  private var uses: [Key: Uses] = [:]
  /// What the database said when the first of ``tokens`` was read.
  private var version: Int64?
  private var opening = 0

  /// Forgets the tokens if others may have changed them.
  ///
  /// - Parameter opening: a number for each time that the database was opened.
  mutating func validate(_ database: Database, opening: Int) throws(StoreError) {
    let current = try database.dataVersion
    guard current != version || opening != self.opening else { return }
    tokens.removeAll(keepingCapacity: true)
    (version, self.opening) = (current, opening)
  }

  /// - Returns: nil when there is no such token.
  mutating func find(_ hash: [UInt8], in database: Database) throws(StoreError) -> Entry? {
    let key = Key(bytes: hash)
    if let known = tokens[key] { return .lasting(known) }
    guard let (row, isDisabled) = try database.token(hash: hash) else { return nil }
    if row.isSingleUse { return .once }
    let token = Lasting(
      account: row.account, expiresAt: row.expiresAt, isRevoked: row.revokedAt != nil,
      isDisabled: isDisabled)
    if tokens.count == Self.countMax { tokens.removeAll(keepingCapacity: true) }
    tokens[key] = token
    return .lasting(token)
  }

  var hasUses: Bool { !uses.isEmpty }

  /// Adds a use, which ``writeUses(_:)`` writes.
  ///
  /// - Returns: false when those of too many tokens wait.
  mutating func noteUse(of hash: [UInt8], now: Int64) -> Bool {
    let key = Key(bytes: hash)
    guard uses.count < Self.usesMax || uses[key] != nil else { return false }
    uses[key, default: Uses()].add(at: now)
    return true
  }

  /// Writes all uses; whoever commits it then calls ``forgetUses()``.
  func writeUses(_ database: Database) throws(StoreError) {
    // In an order that is the same each time.
    let inOrder = uses.sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
    for (key, uses) in inOrder {
      try database.addTokenUses(hash: key.bytes, count: uses.count, lastAt: uses.lastAt)
    }
  }

  mutating func forgetUses() { uses.removeAll(keepingCapacity: true) }
}
