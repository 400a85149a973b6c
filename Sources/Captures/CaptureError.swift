/// Why a capture can't be read, or not further.
public enum CaptureError: Error, Equatable, Sendable, CustomStringConvertible {
  /// libpcap is not there; in the loader's words.
  case libraryMissing(String)
  /// In the system's or the library's words.
  case cannotOpen(String)
  /// The packets are of a kind that is not read: a value of https://www.tcpdump.org/linktypes.html.
  case unsupportedLinkType(Int32)
  /// So many packets were read before.
  case broken(packets: UInt64, String)

  public var description: String {
    switch self {
    case .libraryMissing(let reason):
      "captures are read with libpcap, which can't be loaded (\(reason)); Debian's package is "
        + "libpcap0.8"
    case .cannotOpen(let reason): reason
    case .unsupportedLinkType(let value):
      "its packets are of link type \(value); Ethernet, Linux cooked (\"any\"), raw IP and "
        + "loopback are read"
    case .broken(let packets, let reason): "after \(packets) packets: \(reason)"
    }
  }
}
