/// What has come from and gone to one client or many.
struct Traffic: BitwiseCopyable, Sendable {
  var packetsIn: UInt64 = 0
  var bytesIn: UInt64 = 0
  var messagesOut: UInt64 = 0
  var bytesOut: UInt64 = 0

  static func &+= (sum: inout Traffic, other: Traffic) {
    sum.packetsIn &+= other.packetsIn
    sum.bytesIn &+= other.bytesIn
    sum.messagesOut &+= other.messagesOut
    sum.bytesOut &+= other.bytesOut
  }

  static func &-= (sum: inout Traffic, other: Traffic) {
    sum.packetsIn &-= other.packetsIn
    sum.bytesIn &-= other.bytesIn
    sum.messagesOut &-= other.messagesOut
    sum.bytesOut &-= other.bytesOut
  }
}
