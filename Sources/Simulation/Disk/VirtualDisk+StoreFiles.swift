package import Store

extension VirtualDisk: StoreFiles {
  package var vfs: String? { name }

  package func create(_ path: String) throws(StoreError) {
    guard file(at: path) == nil else { throw .exists(path: path) }
    _ = makeFile(path)
  }

  package func requireRegularFile(_ path: String) throws(StoreError) { _ = try identity(of: path) }

  package func remove(_ path: String) {
    for path in Self.databasePaths(path) { remove(file: path) }
  }

  package func rightsOfOthers(_ path: String) -> String? { nil }

  package func identity(of path: String) throws(StoreError) -> FileIdentity {
    guard let file = file(at: path) else {
      throw .cannotOpen(
        path: path, problem: "the file is gone; put it or a backup of it in its place")
    }
    return FileIdentity(device: 0, inode: file.inode)
  }

  package func pause(milliseconds: Int32) { wait(microseconds: milliseconds * 1000) }
}
