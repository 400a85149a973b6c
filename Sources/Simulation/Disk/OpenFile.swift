internal import CSQLite

/// What SQLite allocates for a file that it opens: its own part, and our ``VirtualFileHandle``.
@safe
struct OpenFile {
  private var base: sqlite3_file
  private var handle: Unmanaged<VirtualFileHandle>

  /// Opens `path`, or a file without a name.
  ///
  /// - Parameter file: of the size of ``OpenFile``.
  static func open(
    _ file: UnsafeMutablePointer<sqlite3_file>, _ path: String?, on disk: VirtualDisk,
    flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
  ) -> Int32 {
    // SQLite closes a file only when its methods were set.
    unsafe file.pointee.pMethods = nil
    let found = path.flatMap { disk.file(at: $0) }
    guard found != nil || path == nil || flags & SQLITE_OPEN_CREATE != 0 else {
      return SQLITE_CANTOPEN
    }
    let asNew = SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE
    guard found == nil || flags & asNew != asNew else { return SQLITE_CANTOPEN }
    guard found != nil || !disk.failsToWrite() else { return SQLITE_CANTOPEN }
    let handle = VirtualFileHandle(
      disk: disk, file: found ?? disk.makeFile(path), path: path, owner: disk.owner,
      isDeletedAtClose: flags & SQLITE_OPEN_DELETEONCLOSE != 0)
    // SAFETY: SQLite has allocated `szOsFile` bytes, aligned for any C type. The handle is released
    // by `xClose`, which comes once for each file that was opened.
    unsafe UnsafeMutableRawPointer(file).initializeMemory(
      as: OpenFile.self,
      to: OpenFile(base: sqlite3_file(pMethods: methods), handle: .passRetained(handle)))
    unsafe outFlags?.pointee = flags
    return SQLITE_OK
  }

  private static func handle(_ file: UnsafeMutablePointer<sqlite3_file>?) -> VirtualFileHandle {
    // SAFETY: SQLite calls methods only of files that ``open(_:_:on:flags:_:)`` has opened.
    unsafe UnsafeMutableRawPointer(file!).assumingMemoryBound(to: OpenFile.self).pointee.handle
      .takeUnretainedValue()
  }

  /// For all files; never freed.
  ///
  /// - SAFETY: nobody writes to it once it is made. Pointers that SQLite hands to its functions are
  ///   valid for the sizes that come with them, as sqlite3_io_methods says.
  nonisolated(unsafe) private static let methods: UnsafePointer<sqlite3_io_methods> = {
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    var table = sqlite3_io_methods()
    table.iVersion = 2
    setContentMethods(&table)
    setLockMethods(&table)
    setMemoryMethods(&table)
    unsafe methods.initialize(to: table)
    return unsafe UnsafePointer(methods)
  }()

  private static func setContentMethods(_ table: inout sqlite3_io_methods) {
    unsafe table.xClose = { file in
      unsafe OpenFile.handle(file).close()
      unsafe UnsafeMutableRawPointer(file!).assumingMemoryBound(to: OpenFile.self).pointee.handle
        .release()
      unsafe file!.pointee.pMethods = nil
      return SQLITE_OK
    }
    unsafe table.xRead = { file, target, count, offset in
      unsafe OpenFile.handle(file).read(
        UnsafeMutableRawBufferPointer(start: target, count: Int(count)), at: offset)
    }
    unsafe table.xWrite = { file, source, count, offset in
      unsafe OpenFile.handle(file).write(
        UnsafeRawBufferPointer(start: source, count: Int(count)), at: offset)
    }
    unsafe table.xTruncate = { file, byteCount in
      unsafe OpenFile.handle(file).truncate(to: byteCount)
    }
    unsafe table.xSync = { file, _ in unsafe OpenFile.handle(file).sync() }
    unsafe table.xFileSize = { file, byteCount in
      guard let size = unsafe OpenFile.handle(file).size() else { return DiskCode.sizeFailed }
      unsafe byteCount!.pointee = size
      return SQLITE_OK
    }
    // As SQLite's own VFS for Linux has them: sectors around a write come to no harm.
    unsafe table.xSectorSize = { _ in 4096 }
    unsafe table.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
    unsafe table.xFileControl = { file, operation, argument in
      guard operation == SQLITE_FCNTL_HAS_MOVED else { return SQLITE_NOTFOUND }
      unsafe argument!.assumingMemoryBound(to: Int32.self).pointee =
        unsafe OpenFile.handle(file).hasMoved ? 1 : 0
      return SQLITE_OK
    }
  }

  private static func setLockMethods(_ table: inout sqlite3_io_methods) {
    unsafe table.xLock = { file, level in unsafe OpenFile.handle(file).lock(level) }
    unsafe table.xUnlock = { file, level in unsafe OpenFile.handle(file).unlock(level) }
    unsafe table.xCheckReservedLock = { file, result in
      unsafe result!.pointee = unsafe OpenFile.handle(file).isReserved ? 1 : 0
      return SQLITE_OK
    }
  }

  private static func setMemoryMethods(_ table: inout sqlite3_io_methods) {
    unsafe table.xShmMap = { file, region, byteCount, extends, result in
      var found: UnsafeMutableRawPointer?
      let code = unsafe OpenFile.handle(file).mapMemory(
        Int(region), byteCount: Int(byteCount), extending: extends != 0, &found)
      unsafe result!.pointee = unsafe found
      return code
    }
    unsafe table.xShmLock = { file, first, count, flags in
      unsafe OpenFile.handle(file).lockMemory(first, count, flags)
    }
    // One thread needs no barrier.
    unsafe table.xShmBarrier = { _ in }
    unsafe table.xShmUnmap = { file, _ in unsafe OpenFile.handle(file).unmapMemory() }
  }
}
