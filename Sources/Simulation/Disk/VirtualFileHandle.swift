internal import CSQLite

/// One opening of a ``VirtualFile``, with its locks; what SQLite calls a file.
///
/// Everything returns a result code of SQLite. Nobody waits here: what another has locked is
/// `SQLITE_BUSY` at once.
final class VirtualFileHandle {
  let disk: VirtualDisk
  let file: VirtualFile
  /// Nil for a file without a name.
  let path: String?
  /// Whose process opened it.
  let owner: VirtualDisk.Owner
  private let isDeletedAtClose: Bool
  /// `SQLITE_LOCK_NONE` to `SQLITE_LOCK_EXCLUSIVE`.
  private var lock = SQLITE_LOCK_NONE
  /// Locks on the shared memory, a bit each.
  private var sharedSlots: UInt32 = 0
  private var exclusiveSlots: UInt32 = 0
  private var memory: VirtualMemory?
  /// Its machine lost power or its process was ended; nothing that is done with it has an effect.
  private var isDead = false

  init(
    disk: VirtualDisk, file: VirtualFile, path: String?, owner: VirtualDisk.Owner,
    isDeletedAtClose: Bool
  ) {
    self.disk = disk
    self.file = file
    self.path = path
    self.owner = owner
    self.isDeletedAtClose = isDeletedAtClose
    file.handles.append(self)
  }

  /// Takes its locks away; what SQLite still does with it fails.
  func die() {
    isDead = true
    letGo()
  }

  func close() {
    letGo()
    if isDeletedAtClose, let path, !isDead { disk.remove(file: path) }
    disk.forget(file)
  }

  private func letGo() {
    lock = SQLITE_LOCK_NONE
    unmapMemoryLocks()
    file.handles.removeAll { $0 === self }
  }

  private func unmapMemoryLocks() {
    (sharedSlots, exclusiveSlots) = (0, 0)
    // A dead user's memory stays where it is until SQLite lets go of it.
    if !isDead { memory = nil }
    if !file.handles.contains(where: { $0 !== self && $0.memory != nil }) { file.memory = nil }
  }
}

// Reading and writing.
extension VirtualFileHandle {
  func read(_ target: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int32 {
    guard !isDead, !disk.failsToRead() else { return DiskCode.readFailed }
    guard let offset = Int(exactly: offset), offset >= 0 else { return DiskCode.readFailed }
    return unsafe file.content.read(into: target, from: offset)
      ? SQLITE_OK : DiskCode.endOfFile
  }

  func write(_ source: UnsafeRawBufferPointer, at offset: Int64) -> Int32 {
    guard !isDead, !disk.failsToWrite() else { return DiskCode.writeFailed }
    guard let offset = Int(exactly: offset), offset >= 0 else { return DiskCode.writeFailed }
    let byteCount = max(file.content.byteCount, offset + source.count)
    guard disk.takeRoom(byteCount - file.content.byteCount) else { return SQLITE_FULL }
    unsafe file.write(source, at: offset)
    return SQLITE_OK
  }

  func truncate(to byteCount: Int64) -> Int32 {
    guard !isDead, !disk.failsToWrite(), let byteCount = Int(exactly: byteCount), byteCount >= 0
    else { return DiskCode.truncateFailed }
    guard disk.takeRoom(byteCount - file.content.byteCount) else { return SQLITE_FULL }
    file.truncate(to: byteCount)
    return SQLITE_OK
  }

  func sync() -> Int32 {
    guard !isDead, !disk.failsToSync() else { return DiskCode.syncFailed }
    file.sync()
    return SQLITE_OK
  }

  func size() -> Int64? { isDead ? nil : Int64(file.content.byteCount) }

  /// Whether another file, or none, has the name now.
  var hasMoved: Bool { isDead || !file.isLinked }
}

// Locks of the file, as sqlite3_io_methods describes them.
extension VirtualFileHandle {
  private func others(atLeast level: Int32) -> Bool {
    file.handles.contains { $0 !== self && $0.lock >= level }
  }

  func lock(_ level: Int32) -> Int32 {
    guard !isDead else { return DiskCode.lockFailed }
    guard level > lock else { return SQLITE_OK }
    if level == SQLITE_LOCK_SHARED {
      guard !others(atLeast: SQLITE_LOCK_PENDING) else { return disk.busy() }
    } else {
      guard !others(atLeast: SQLITE_LOCK_RESERVED), !disk.faults.isLockedByOthers else {
        return disk.busy()
      }
      if level == SQLITE_LOCK_EXCLUSIVE, others(atLeast: SQLITE_LOCK_SHARED) {
        // Keeps newcomers out until those who read are through.
        lock = SQLITE_LOCK_PENDING
        return disk.busy()
      }
    }
    lock = level
    return SQLITE_OK
  }

  func unlock(_ level: Int32) -> Int32 {
    if !isDead { lock = min(lock, level) }
    return SQLITE_OK
  }

  var isReserved: Bool { lock >= SQLITE_LOCK_RESERVED || others(atLeast: SQLITE_LOCK_RESERVED) }
}

// The memory that users of a write-ahead log share.
extension VirtualFileHandle {
  /// The slot that whoever writes to a write-ahead log holds.
  private static let writersSlot: UInt32 = 1

  func mapMemory(
    _ index: Int, byteCount: Int, extending: Bool, _ found: inout UnsafeMutableRawPointer?
  ) -> Int32 {
    guard !isDead else { return DiskCode.mapFailed }
    if memory == nil {
      if file.memory == nil { file.memory = VirtualMemory() }
      memory = file.memory
    }
    unsafe found = memory?.region(index, byteCount: byteCount, extending: extending)
    return SQLITE_OK
  }

  func unmapMemory() -> Int32 {
    unmapMemoryLocks()
    memory = nil
    return SQLITE_OK
  }

  func lockMemory(_ first: Int32, _ count: Int32, _ flags: Int32) -> Int32 {
    precondition(first >= 0 && count > 0 && first + count <= SQLITE_SHM_NLOCK)
    let slots = ((1 as UInt32) << UInt32(count) - 1) << UInt32(first)
    if flags & SQLITE_SHM_UNLOCK != 0 {
      sharedSlots &= ~slots
      exclusiveSlots &= ~slots
      return SQLITE_OK
    }
    guard !isDead else { return DiskCode.memoryLockFailed }
    let others = file.handles.filter { $0 !== self }
    if flags & SQLITE_SHM_SHARED != 0 {
      guard !others.contains(where: { $0.exclusiveSlots & slots != 0 }) else { return disk.busy() }
      sharedSlots |= slots
    } else {
      let taken = others.contains { ($0.exclusiveSlots | $0.sharedSlots) & slots != 0 }
      let isHeld = slots & Self.writersSlot != 0 && disk.faults.isLockedByOthers
      guard !taken, !isHeld else { return disk.busy() }
      exclusiveSlots |= slots
    }
    return SQLITE_OK
  }
}

/// Extended result codes of SQLite, whose macros Swift can't read.
enum DiskCode {
  static let readFailed = SQLITE_IOERR | 1 << 8
  static let endOfFile = SQLITE_IOERR | 2 << 8
  static let writeFailed = SQLITE_IOERR | 3 << 8
  static let syncFailed = SQLITE_IOERR | 4 << 8
  static let truncateFailed = SQLITE_IOERR | 6 << 8
  static let sizeFailed = SQLITE_IOERR | 7 << 8
  static let nothingToDelete = SQLITE_IOERR | 23 << 8
  static let lockFailed = SQLITE_IOERR | 15 << 8
  static let memoryLockFailed = SQLITE_IOERR | 20 << 8
  static let mapFailed = SQLITE_IOERR | 21 << 8
}
