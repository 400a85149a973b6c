internal import Upstream

/// What may stand where the index of a link of this shard does, each in a range of its own.
///
/// | From              | To              |                                              |
/// |:------------------|:----------------|:---------------------------------------------|
/// | 0                 | 0x7fff_ffff     | a link of this shard                         |
/// | ``remoteLinks``   | 0xffff_bfff     | one connection of another shard's worker     |
/// | ``othersLinks``   | ``othersLinks`` | any worker of another shard                  |
/// | ``noLink``        | ``noLink``      | none                                         |
extension Session {
  /// From here on there are no links of this shard.
  static let remoteLinks: LinkIndex = 1 << 31
  static let othersLinks = LinkIndex.max - 1
  static let noLink = LinkIndex.max

  /// Tells one connection of a worker of another shard from others, as far as halves of packets go.
  ///
  /// Of the worker's id there are 16 bits and of the number of its connections 14. Both wrap: those
  /// that are 65,536 workers or 16,384 connections apart pass for the same. Half a packet would
  /// have to wait for its other half through all of those in between.
  static func remoteLink(of worker: WorkerID, reconnects: UInt64) -> LinkIndex {
    let connection = UInt32(truncatingIfNeeded: reconnects) & 0x3fff
    // The bit between the two stays 0: with all of them set it would be one of the two above.
    return remoteLinks | (worker.rawValue & 0xffff) << 15 | connection
  }
}
