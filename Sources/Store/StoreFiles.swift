/// Where databases lie: the system's files, or a disk that is only simulated.
///
/// SQLite reaches the same files through the VFS that ``vfs`` names. What a database's opening and
/// its watching need beside SQLite is here.
package protocol StoreFiles: Sendable {
  /// The registered name of the SQLite VFS; nil means SQLite's own for this system.
  var vfs: String? { get }

  /// Makes an empty file that only its user may read and write.
  ///
  /// - Throws: ``StoreError/exists(path:)`` and ``StoreError/cannotOpen(path:problem:)``.
  func create(_ path: String) throws(StoreError)

  /// - Throws: ``StoreError/cannotOpen(path:problem:)`` unless there is a regular file.
  func requireRegularFile(_ path: String) throws(StoreError)

  /// Takes away a database with SQLite's companions; what is not there is no error.
  func remove(_ path: String)

  /// The rights of others than its user, as octal digits; nil when they have none.
  func rightsOfOthers(_ path: String) -> String?

  /// Tells one file from another that is put in its place.
  ///
  /// - Throws: ``StoreError/cannotOpen(path:problem:)`` when there is none.
  func identity(of path: String) throws(StoreError) -> FileIdentity

  /// Lets time pass for others to unlock a file.
  func pause(milliseconds: Int32)
}

/// A file as stat(2) tells it from others.
package struct FileIdentity: Equatable, Sendable {
  package var device: UInt64
  package var inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

extension StoreFiles {
  /// Sees to it that there is a regular file at `path`, before SQLite sees it.
  ///
  /// A new one is made for its user alone from the first moment; SQLite gives its companions
  /// (`-wal`, `-shm`) the same rights.
  func prepare(_ path: String, creating: Bool) throws(StoreError) {
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
    try requireRegularFile(path)
  }
}
