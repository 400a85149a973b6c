internal import CSQLite
package import Primitives
internal import Synchronization

/// A disk in memory that SQLite reads and writes by a VFS of its own, and on which everything can
/// go wrong.
///
/// Several connections may use it, all on one thread. Nothing on it waits: time that an operation
/// takes goes to an account (``takeBusyTime()``), and what another connection has locked is busy at
/// once. Names and their removal are durable at once; of contents, a loss of power takes what was
/// not synced.
///
/// - SAFETY: one thread at a time uses a disk and the databases on it.
@safe
package final class VirtualDisk: @unchecked Sendable {
  /// A process that has files open.
  package typealias Owner = UInt64

  package var faults = DiskFaults.none
  package private(set) var counts = DiskFaultCounts()
  /// Of the wall clock, for SQLite.
  package var unixMilliseconds: Int64 = 0
  /// Whose files are those that are opened from here on; 0 is of nobody in particular.
  package var owner: Owner = 0
  /// Of all files, also those without a name that are still open.
  package private(set) var usedBytes = 0
  /// The name of its VFS.
  package let name: String

  private let syncsAlways: Bool
  private var random: SeededRandom
  private var files: [String: VirtualFile] = [:]
  /// Those without a name that somebody has open, in the order in which they lost it.
  private var orphans: [VirtualFile] = []
  private var lastOwner: Owner = 0
  private var lastInode: UInt64 = 0
  private var busyTime = Interval.zero
  private var registration: VFSRegistration?

  private static let lastNumber = Atomic<UInt64>(0)

  /// - Parameters:
  ///   - seed: of what faults hit, and of what a loss of power takes.
  ///   - image: what is on it; nothing when it is left out.
  ///   - syncsAlways: whether a write is as good as synced: for those who prepare a disk, and lose
  ///     no power.
  package init(seed: UInt64, image: DiskImage = DiskImage(), syncsAlways: Bool = false) {
    self.syncsAlways = syncsAlways
    random = SeededRandom(seed: seed)
    let number = Self.lastNumber.add(1, ordering: .relaxed).newValue
    name = "gatehouse-disk-\(number)"
    for (path, content) in image.files { link(content, at: path) }
    registration = VFSRegistration(of: self, name: name)
  }

  /// The time that operations have taken since it was asked last, waiting for locks included.
  package func takeBusyTime() -> Interval {
    defer { busyTime = .zero }
    return busyTime
  }

  /// What ``takeBusyTime()`` would return.
  package var untakenBusyTime: Interval { busyTime }

  /// All files as they are, synced or not.
  package func image() -> DiskImage {
    DiskImage(files: paths.map { ($0, files[$0]!.content) })
  }

  /// Names of files, in order.
  package var paths: [String] { files.keys.sorted() }

  /// In bytes; nil when there is no such file.
  package func byteCount(of path: String) -> Int? { files[path]?.content.byteCount }

  /// The files that SQLite makes for a database.
  static func databasePaths(_ path: String) -> [String] {
    ["", "-journal", "-wal"].map { path + $0 }
  }
}

// What operators and fate do.
extension VirtualDisk {
  /// Takes a database's names away; who has it open goes on with files that nobody else sees.
  package func unlink(database path: String) {
    for path in Self.databasePaths(path) { remove(file: path) }
    counts.removals += 1
  }

  /// Puts the database that `image` has at `path` in the place of the one that is there.
  package func replace(database path: String, with image: DiskImage) {
    for path in Self.databasePaths(path) { remove(file: path) }
    for (path, content) in image.database(at: path).files { link(content, at: path) }
    counts.replacements += 1
  }

  /// Power is lost: what was not synced goes, by chance, sector by sector.
  ///
  /// All who had files open are dead.
  package func losePower() {
    for path in paths {
      let file = files[path]!
      let before = file.content.byteCount
      file.losePower(&random)
      usedBytes += file.content.byteCount - before
    }
    killHandles { _ in true }
    counts.powerLosses += 1
  }

  /// A process ends without a word: its locks go, and what it had written stays.
  package func end(_ owner: Owner) {
    killHandles { $0.owner == owner }
    counts.endedOwners += 1
  }

  private func killHandles(where isMeant: (VirtualFileHandle) -> Bool) {
    for file in paths.map({ files[$0]! }) + orphans {
      for handle in file.handles where isMeant(handle) { handle.die() }
      forget(file)
    }
  }

  /// A new number for a process.
  package func makeOwner() -> Owner {
    lastOwner += 1
    return lastOwner
  }
}

// What handles ask and tell.
extension VirtualDisk {
  func failsToRead() -> Bool {
    spend(faults.readTime)
    guard happens(faults.readFailure) else { return false }
    counts.readsFailed += 1
    return true
  }

  func failsToWrite() -> Bool {
    spend(faults.writeTime)
    guard happens(faults.writeFailure) else { return false }
    counts.writesFailed += 1
    return true
  }

  func failsToSync() -> Bool {
    spend(faults.syncTime)
    guard happens(faults.syncFailure) else { return false }
    counts.syncsFailed += 1
    return true
  }

  private func happens(_ probability: Double) -> Bool {
    guard probability > 0 else { return false }
    return Double(random.next() >> 11) / Double(1 << 53) < probability
  }

  private func spend(_ time: Interval) { busyTime.nanoseconds &+= time.nanoseconds }

  /// Accounts for a file's growth, or with less than zero for its shrinking.
  ///
  /// - Returns: false when there is no room.
  func takeRoom(_ growth: Int) -> Bool {
    if growth > 0, let capacity = faults.capacityBytes, usedBytes + growth > capacity {
      counts.writesRefused += 1
      return false
    }
    usedBytes += growth
    return true
  }

  func busy() -> Int32 {
    counts.locksRefused += 1
    return SQLITE_BUSY
  }

  func wait(microseconds: Int32) {
    counts.waits += 1
    spend(Interval(nanoseconds: UInt64(max(0, microseconds)) * 1000))
  }

  func fill(_ bytes: UnsafeMutableRawBufferPointer) {
    for index in bytes.indices { unsafe bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
  }
}

// Names.
extension VirtualDisk {
  func file(at path: String) -> VirtualFile? { files[path] }

  /// A new file without content; without a name when `path` is nil.
  func makeFile(_ path: String?) -> VirtualFile {
    guard let path else {
      lastInode += 1
      let file = VirtualFile(inode: lastInode, FileContent(), syncsAlways: syncsAlways)
      file.isLinked = false
      orphans.append(file)
      return file
    }
    return link(FileContent(), at: path)
  }

  @discardableResult
  private func link(_ content: FileContent, at path: String) -> VirtualFile {
    lastInode += 1
    let file = VirtualFile(inode: lastInode, content, syncsAlways: syncsAlways)
    files[path] = file
    usedBytes += content.byteCount
    return file
  }

  /// - Returns: false when there is no such file.
  @discardableResult
  func remove(file path: String) -> Bool {
    guard let file = files.removeValue(forKey: path) else { return false }
    file.isLinked = false
    orphans.append(file)
    forget(file)
    return true
  }

  /// Frees a file's room when it has neither a name nor a user.
  func forget(_ file: VirtualFile) {
    guard !file.isLinked, file.handles.isEmpty, !file.isForgotten else { return }
    file.isForgotten = true
    orphans.removeAll { $0 === file }
    usedBytes -= file.content.byteCount
  }
}
