package import Store
internal import Synchronization

/// A database that is prepared for simulations; ``StoreContents`` says what is in it.
package enum StoreFixture: Hashable, Sendable {
  /// Nothing but the schema.
  case empty
  /// So many accounts, with the bans of ``StoreContents/bans``.
  case accounts(Int)
  /// 200 accounts and bans whose time has passed: tokens, bans, tickets' nonces, and a history of
  /// logins that is to be forgotten.
  case expired
  /// 1000 accounts, and so many bans.
  case manyBans(Int)

  /// Where the database is on a disk.
  package static let path = "/store.db"
  /// The moment that it is prepared for.
  package static let unixSeconds: Int64 = 1_800_000_000

  package var contents: StoreContents {
    switch self {
    case .empty: StoreContents(accountCount: 0, isExpired: false, manyBansCount: 0)
    case .accounts(let count):
      StoreContents(accountCount: count, isExpired: false, manyBansCount: 0)
    case .expired: StoreContents(accountCount: 200, isExpired: true, manyBansCount: 0)
    case .manyBans(let count):
      StoreContents(accountCount: 1000, isExpired: false, manyBansCount: count)
    }
  }

  /// The disk with it, made once in a process.
  package func image() throws(StoreError) -> DiskImage {
    try Self.images.withLock { images throws(StoreError) in
      if let image = images[self] { return image }
      let image = try contents.makeImage()
      images[self] = image
      return image
    }
  }

  private static let images = Mutex<[StoreFixture: DiskImage]>([:])
}
