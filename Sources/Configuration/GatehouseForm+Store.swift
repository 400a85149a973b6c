internal import Gateway
internal import Primitives

extension GatehouseForm {
  private static let day = Interval.seconds(86_400)

  /// The store is there unless it is switched off, so that bans work without a word about it.
  mutating func readStore() {
    var store = StoreConfiguration(path: draft.resolved(defaultStoreFile))
    guard var reader = root.subtable("store") else {
      draft.configuration.store = store
      return
    }
    let isEnabled = reader.boolean("enabled", default: true)
    if let path = reader.text("path", byteCount: Bounds.pathBytes) {
      store.path = draft.resolved(path)
    }
    store.passwordPasses = UInt64(
      reader.integer(
        "password_passes", Bounds.passwordPasses, default: Int(store.passwordPasses)))
    store.passwordMemoryBytes = reader.byteCount(
      "password_memory", Bounds.passwordMemoryBytes, default: store.passwordMemoryBytes)
    store.passwordThreads = reader.integer(
      "password_threads", Bounds.passwordThreads, default: store.passwordThreads)
    let history = reader.wholeDuration(
      "login_history", Bounds.loginHistory, of: Self.day, "days",
      default: .seconds(UInt64(store.loginHistoryDays) * 86_400))
    store.loginHistoryDays = Int(history.nanoseconds / Self.day.nanoseconds)
    root.add(reader.finish())
    draft.configuration.store = isEnabled ? store : nil
  }
}

/// The database when the configuration names none, in the configuration's own folder.
private let defaultStoreFile = "gatehouse.db"
