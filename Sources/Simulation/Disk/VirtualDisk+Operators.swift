package import Primitives
package import Store

extension VirtualDisk {
  /// Does `work` with a database as a command does: opens it as a process of its own, and closes it
  /// afterwards.
  ///
  /// - Returns: what `work` returns, and the virtual time that the disk took.
  package func operate<R>(
    on path: String, unixMilliseconds: Int64, _ work: (Database) throws(StoreError) -> R
  ) throws(StoreError) -> (result: R, time: Interval) {
    _ = takeBusyTime()
    owner = makeOwner()
    defer { owner = 0 }
    self.unixMilliseconds = unixMilliseconds
    let result = try work(try Database(path: path, files: self))
    return (result, takeBusyTime())
  }
}
