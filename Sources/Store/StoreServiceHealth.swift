internal import Synchronization

/// Whether the service's threads can work, told when that changes and not each time.
final class StoreHealth: Sendable {
  /// Reading can work where writing does not.
  enum Part: Hashable, Sendable { case reading, writing, bans }

  private let failures = Mutex<[Part: StoreError]>([:])
  private let changed: @Sendable (StoreError?) -> Void

  /// - Parameter changed: told the error when the first part fails, and nil when none does any
  /// more.
  init(changed: @escaping @Sendable (StoreError?) -> Void) { self.changed = changed }

  func failed(_ part: Part, _ error: StoreError) {
    let isNews = failures.withLock { failures in
      let isNews = failures.isEmpty
      failures[part] = error
      return isNews
    }
    if isNews { changed(error) }
  }

  func works(_ part: Part) {
    let isNews = failures.withLock { failures in
      failures.removeValue(forKey: part) != nil && failures.isEmpty
    }
    if isNews { changed(nil) }
  }

  func isFailing(_ part: Part) -> Bool { failures.withLock { $0[part] != nil } }

  var current: StoreError? {
    failures.withLock { failures in failures[.writing] ?? failures[.reading] ?? failures[.bans] }
  }
}
