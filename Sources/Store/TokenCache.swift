internal import Auth

/// Lasting tokens as the database has them, and what they were used for since that was written.
///
/// What is kept holds as long as no other connection has written anything. Revoked tokens and
/// disabled accounts are kept like others; what is good once never is.
struct TokenCache {
  enum Entry {
    /// It is good for one use, which takes a transaction.
    case once
    /// It may be used again and again.
    case lasting(TokenTerms)
  }

  private struct Uses {
    var token: Key
    var count: Int64
    var lastAt: Int64
  }

  /// Tokens that are kept; beyond it all are read anew.
  static let countMax = 16_384
  /// Tokens whose uses wait to be written.
  static let usesMax = 16_384
  /// Tokens whose uses are written in one transaction.
  static let usesInOneGroup = 128

  /// A token's hash; its first bytes are as good as any hash of them all.
  private struct Key: Hashable {
    var bytes: [UInt8]

    func hash(into hasher: inout Hasher) {
      hasher.combine(bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
  }

  private var tokens: [Key: TokenTerms] = [:]
  /// In the order in which the tokens were used first; those before ``writtenCount`` are written.
  private var uses: [Uses] = []
  private var writtenCount = 0
  private var placeOfUses: [Key: Int] = [:]
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
    guard let (token, isSingleUse) = try database.token(hash: hash) else { return nil }
    if isSingleUse { return .once }
    if tokens.count == Self.countMax { tokens.removeAll(keepingCapacity: true) }
    tokens[key] = token
    return .lasting(token)
  }

  /// Tokens that have uses which are not written.
  var usesWaiting: Int { uses.count - writtenCount }
  var hasUses: Bool { usesWaiting > 0 }

  /// Adds a use, which ``writeUses(_:)`` writes.
  ///
  /// - Returns: false when those of too many tokens wait.
  mutating func noteUse(of hash: [UInt8], now: Int64) -> Bool {
    let key = Key(bytes: hash)
    if let place = placeOfUses[key], place >= writtenCount {
      uses[place].count += 1
      uses[place].lastAt = max(uses[place].lastAt, now)
      return true
    }
    guard uses.count < Self.usesMax else { return false }
    placeOfUses[key] = uses.count
    uses.append(Uses(token: key, count: 1, lastAt: now))
    return true
  }

  /// Writes the uses of some tokens; whoever commits it then calls ``forgetUses(_:)``.
  ///
  /// - Returns: of how many tokens, ``usesInOneGroup`` at most.
  func writeUses(_ database: Database) throws(StoreError) -> Int {
    let group = uses.dropFirst(writtenCount).prefix(Self.usesInOneGroup)
    for uses in group {
      try database.addTokenUses(hash: uses.token.bytes, count: uses.count, lastAt: uses.lastAt)
    }
    return group.count
  }

  /// The uses of so many tokens are written, or given up.
  mutating func forgetUses(_ count: Int) {
    writtenCount += count
    guard !hasUses else { return }
    uses.removeAll(keepingCapacity: true)
    placeOfUses.removeAll(keepingCapacity: true)
    writtenCount = 0
  }
}
