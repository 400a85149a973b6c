internal import CLinux
internal import Threading

/// Gives memory that was freed back to the system, every second.
///
/// The C library gives back by itself only what lies at the end of its heap: after ten thousand
/// logins, or when many sessions have gone, most of what is free lies between what is used.
final class MemoryKeeper: Sendable {
  /// Short beside the time that operators look at memory for, long beside what it takes.
  private static let everyMilliseconds: UInt32 = 1000

  private let stopping = Semaphore()

  /// Starts its thread; without one, memory that was freed is kept for what comes.
  func start() {
    _ = startThread { [stopping] in
      unsafe clinux_name_thread("memory")
      while !stopping.wait(milliseconds: Self.everyMilliseconds) { malloc_trim(0) }
    }
  }

  func stop() { stopping.signal() }
}
