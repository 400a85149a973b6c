internal import Auth

/// A gateway's way to the database.
protocol VirtualStoreLink {
  func verify(_ request: LoginRequest)
  func record(_ record: StoreRecord)
}
