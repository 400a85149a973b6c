internal import CSQLite
internal import Glibc

/// The files of the system that this program runs on.
struct SystemFiles: StoreFiles {
  var vfs: String? { nil }

  func create(_ path: String) throws(StoreError) {
    let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      guard errno != EEXIST else { throw .exists(path: path) }
      throw .cannotOpen(path: path, problem: errorText(errno))
    }
    close(descriptor)
  }

  func requireRegularFile(_ path: String) throws(StoreError) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw .cannotOpen(path: path, problem: errorText(errno))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .cannotOpen(path: path, problem: "it is not a regular file")
    }
  }

  func remove(_ path: String) {
    for suffix in ["", "-journal", "-wal", "-shm"] { unsafe unlink(path + suffix) }
  }

  func rightsOfOthers(_ path: String) -> String? {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return nil }
    return String(status.st_mode & 0o777, radix: 8)
  }

  func identity(of path: String) throws(StoreError) -> FileIdentity {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw .cannotOpen(
        path: path,
        problem: errno == ENOENT
          ? "the file is gone; put it or a backup of it in its place" : "error \(errno) of stat(2)")
    }
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  func pause(milliseconds: Int32) { sqlite3_sleep(milliseconds) }

  private func errorText(_ code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    // SAFETY: strerror_r writes at most `count` bytes, terminated; the result is copied at once.
    return unsafe text.withUnsafeMutableBufferPointer { buffer in
      unsafe strerror_r(code, buffer.baseAddress!, buffer.count) == 0
        ? String(cString: buffer.baseAddress!) : "error \(code)"
    }
  }
}
