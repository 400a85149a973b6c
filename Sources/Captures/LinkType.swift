/// What a captured packet begins with.
///
/// The values are those of libpcap's `pcap_datalink`, which are the link types of
/// https://www.tcpdump.org/linktypes.html but for raw IP, whose number differs by system.
public enum LinkType: Equatable, Sendable, CaseIterable {
  case ethernet
  /// A family in the byte order of the machine that captured, or in network order.
  case loopback
  case rawIP
  /// What Linux gives for "any" interface.
  case linuxCooked, linuxCooked2

  /// Nil for a type that is not read.
  public init?(value: Int32) {
    switch value {
    case 1: self = .ethernet
    case 0, 108: self = .loopback
    case 12, 14, 101, 228, 229: self = .rawIP
    case 113: self = .linuxCooked
    case 276: self = .linuxCooked2
    default: return nil
    }
  }
}
