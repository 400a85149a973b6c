internal import Glibc

/// The file that a database lives in, before SQLite sees it.
enum DatabaseFile {
  /// Sees to it that there is a regular file at `path`.
  ///
  /// A new one is made for its user alone from the first moment; SQLite gives its companions
  /// (`-wal`, `-shm`) the same rights.
  static func prepare(_ path: String, creating: Bool) throws(StoreError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw .cannotOpen(path: path, problem: "this is not a file's name")
    }
    if creating {
      do throws(StoreError) {
        try create(path)
        return
      } catch {
        guard case .exists = error else { throw error }
      }
    }
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw .cannotOpen(path: path, problem: errorText(errno))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .cannotOpen(path: path, problem: "it is not a regular file")
    }
  }

  /// Makes an empty file that only its user may read and write.
  static func create(_ path: String) throws(StoreError) {
    let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      guard errno != EEXIST else { throw .exists(path: path) }
      throw .cannotOpen(path: path, problem: errorText(errno))
    }
    close(descriptor)
  }

  /// Takes away a copy that was not finished, with SQLite's companions.
  static func remove(_ path: String) {
    for suffix in ["", "-journal", "-wal", "-shm"] { unsafe unlink(path + suffix) }
  }

  /// The rights of others than its user, as octal digits; nil when they have none.
  static func rightsOfOthers(_ path: String) -> String? {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return nil }
    return String(status.st_mode & 0o777, radix: 8)
  }

  private static func errorText(_ code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    // SAFETY: strerror_r writes at most `count` bytes, terminated; the result is copied at once.
    return unsafe text.withUnsafeMutableBufferPointer { buffer in
      unsafe strerror_r(code, buffer.baseAddress!, buffer.count) == 0
        ? String(cString: buffer.baseAddress!) : "error \(code)"
    }
  }
}
