internal import Primitives
internal import Store

/// The clocks of one process whose work on a ``VirtualDisk`` takes virtual time.
///
/// - SAFETY: used where its disk is used, on one thread at a time.
final class VirtualTime: @unchecked Sendable {
  private let disk: VirtualDisk
  private let owner: VirtualDisk.Owner
  private var start = Instant(nanoseconds: 0)
  private var startUnixMilliseconds: Int64 = 0

  init(disk: VirtualDisk, owner: VirtualDisk.Owner) {
    self.disk = disk
    self.owner = owner
  }

  /// A turn begins, with an empty account of the disk's time.
  func begin(now: Instant, unixMilliseconds: Int64) {
    _ = disk.takeBusyTime()
    disk.owner = owner
    disk.unixMilliseconds = unixMilliseconds
    start = now
    startUnixMilliseconds = unixMilliseconds
  }

  /// - Returns: when the turn is over.
  func end() -> Instant {
    start = now
    startUnixMilliseconds = unixMilliseconds
    _ = disk.takeBusyTime()
    disk.owner = 0
    return start
  }

  /// With what the disk has taken of this turn so far.
  var now: Instant { start + disk.untakenBusyTime }

  var unixMilliseconds: Int64 {
    startUnixMilliseconds + Int64(clamping: disk.untakenBusyTime.nanoseconds / 1_000_000)
  }

  /// For the store.
  var clock: StoreClock {
    StoreClock(
      monotonic: { [self] in now },
      unixSeconds: { [self] in unixMilliseconds / 1000 })
  }
}
