/// What a ban index keeps of a ban, in half a cache line.
struct BanRecord: BitwiseCopyable {
  /// No record, as an index.
  static let none = UInt32.max
  static let everyListener = UInt16.max

  var id: Int64
  /// Unix seconds; ``Int64/max`` when it has no end.
  var until: Int64
  /// The next ban that covers all that this one covers: on the same subject, or on a shorter
  /// prefix.
  var parent: UInt32 = none
  var reason: UInt32
  var listener: UInt16
  /// Of the prefix in its family's own form: 0 to 32 or 0 to 128.
  var bitCount: UInt8
}
