internal import Gateway

/// What happened, as a digest, the last events of it, and lines for whoever wants to see all.
package final class Trace {
  package private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325

  package init() {}

  /// - Parameter bytes: only a digest of them is kept.
  func note(
    _ what: StaticString, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0,
    bytes: some Collection<UInt8> = EmptyCollection()
  ) {}

  func note(_ event: LogEvent, _ gateway: Int) {}
}
