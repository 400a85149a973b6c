/// All files of a ``VirtualDisk`` as they were at a moment.
///
/// Copies are cheap: they share what nobody has changed.
package struct DiskImage: Sendable {
  /// By name.
  var files: [(path: String, content: FileContent)]

  package init() { files = [] }

  init(files: [(path: String, content: FileContent)]) { self.files = files }

  /// Of all files together.
  package var byteCount: Int { files.reduce(0) { $0 + $1.content.byteCount } }

  /// With the files at `path` alone that make up a database.
  func database(at path: String) -> DiskImage {
    DiskImage(files: files.filter { VirtualDisk.databasePaths(path).contains($0.path) })
  }
}
