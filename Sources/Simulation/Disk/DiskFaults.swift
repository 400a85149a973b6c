package import Primitives

/// What is wrong with a ``VirtualDisk``; to be changed at any time.
package struct DiskFaults: Equatable, Sendable {
  /// Bytes that all files together may have; nil means any number.
  package var capacityBytes: Int?
  /// How probable it is that an operation fails, 0 to 1.
  package var readFailure = 0.0
  package var writeFailure = 0.0
  package var syncFailure = 0.0
  /// Time that each operation takes.
  package var readTime = Interval.zero
  package var writeTime = Interval.zero
  package var syncTime = Interval.zero
  /// Somebody else holds the lock that writers need, and keeps it.
  package var isLockedByOthers = false

  package init() {}

  package static let none = DiskFaults()
}

/// What went wrong on a ``VirtualDisk`` since it was made.
package struct DiskFaultCounts: Equatable, Sendable {
  package var readsFailed: UInt64 = 0
  package var writesFailed: UInt64 = 0
  package var syncsFailed: UInt64 = 0
  /// Found no room.
  package var writesRefused: UInt64 = 0
  /// Found a lock that another had.
  package var locksRefused: UInt64 = 0
  /// Times that somebody waited for a lock.
  package var waits: UInt64 = 0
  package var powerLosses: UInt64 = 0
  /// Processes that were ended with files open.
  package var endedOwners: UInt64 = 0
  package var removals: UInt64 = 0
  package var replacements: UInt64 = 0

  package init() {}
}
