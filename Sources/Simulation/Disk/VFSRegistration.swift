internal import CSQLite

/// The VFS by which SQLite finds a ``VirtualDisk``, for as long as this lives.
///
/// - SAFETY: the table and its name stay where they are until SQLite knows them no more. Pointers
///   that SQLite hands to its functions are valid, and names end with zero, as sqlite3_vfs says.
@safe
final class VFSRegistration {
  /// Bytes of the longest path.
  private static let pathByteCountMax: Int32 = 512
  /// A day of the Julian calendar has so many; SQLite counts from noon of November 24, 4714 BC.
  private static let unixEpochMilliseconds: Int64 = 210_866_760_000_000

  private let vfs: UnsafeMutablePointer<sqlite3_vfs>
  private let name: UnsafeMutablePointer<CChar>

  /// - Parameter disk: outlives the registration; it is not kept alive by it.
  init(of disk: VirtualDisk, name text: String) {
    let characters = text.utf8CString
    unsafe name = UnsafeMutablePointer.allocate(capacity: characters.count)
    for (index, character) in characters.enumerated() {
      unsafe (name + index).initialize(to: character)
    }
    unsafe vfs = UnsafeMutablePointer.allocate(capacity: 1)
    unsafe vfs.initialize(to: sqlite3_vfs())
    unsafe vfs.pointee.iVersion = 2
    unsafe vfs.pointee.szOsFile = Int32(MemoryLayout<OpenFile>.size)
    unsafe vfs.pointee.mxPathname = Self.pathByteCountMax
    unsafe vfs.pointee.zName = unsafe UnsafePointer(name)
    unsafe vfs.pointee.pAppData = unsafe Unmanaged.passUnretained(disk).toOpaque()
    setNameFunctions()
    setSystemFunctions()
    let code = unsafe sqlite3_vfs_register(vfs, 0)
    precondition(code == SQLITE_OK)
  }

  deinit {
    unsafe sqlite3_vfs_unregister(vfs)
    unsafe vfs.deallocate()
    unsafe name.deallocate()
  }

  private func setNameFunctions() {
    unsafe vfs.pointee.xOpen = { vfs, name, file, flags, outFlags in
      let disk = unsafe VFSRegistration.disk(vfs)
      let path = unsafe name.map { unsafe String(cString: $0) }
      return unsafe OpenFile.open(file!, path, on: disk, flags: flags, outFlags)
    }
    unsafe vfs.pointee.xDelete = { vfs, name, _ in
      unsafe VFSRegistration.disk(vfs).remove(file: String(cString: name!))
        ? SQLITE_OK : DiskCode.nothingToDelete
    }
    unsafe vfs.pointee.xAccess = { vfs, name, _, result in
      let file = unsafe VFSRegistration.disk(vfs).file(at: String(cString: name!))
      unsafe result!.pointee = file == nil ? 0 : 1
      return SQLITE_OK
    }
    unsafe vfs.pointee.xFullPathname = { _, name, capacity, target in
      // Names on a virtual disk are whole already.
      var index = 0
      while index < Int(capacity) {
        unsafe target![index] = unsafe name![index]
        if unsafe name![index] == 0 { return SQLITE_OK }
        index += 1
      }
      return SQLITE_CANTOPEN
    }
  }

  private func setSystemFunctions() {
    unsafe vfs.pointee.xRandomness = { vfs, count, target in
      unsafe VFSRegistration.disk(vfs).fill(
        UnsafeMutableRawBufferPointer(start: target, count: Int(count)))
      return count
    }
    unsafe vfs.pointee.xSleep = { vfs, microseconds in
      unsafe VFSRegistration.disk(vfs).wait(microseconds: microseconds)
      return microseconds
    }
    unsafe vfs.pointee.xCurrentTimeInt64 = { vfs, milliseconds in
      unsafe milliseconds!.pointee = unsafe VFSRegistration.julianMilliseconds(vfs)
      return SQLITE_OK
    }
    unsafe vfs.pointee.xCurrentTime = { vfs, days in
      unsafe days!.pointee = unsafe Double(VFSRegistration.julianMilliseconds(vfs)) / 86_400_000
      return SQLITE_OK
    }
    unsafe vfs.pointee.xGetLastError = { _, _, _ in 0 }
  }

  private static func julianMilliseconds(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> Int64 {
    unsafe unixEpochMilliseconds + disk(vfs).unixMilliseconds
  }

  private static func disk(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> VirtualDisk {
    // SAFETY: the disk unregisters its VFS before it goes.
    unsafe Unmanaged<VirtualDisk>.fromOpaque(vfs!.pointee.pAppData).takeUnretainedValue()
  }
}
