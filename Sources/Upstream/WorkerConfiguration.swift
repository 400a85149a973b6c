public import Primitives

/// One worker of a pool, as configured or as added by the management API.
public struct WorkerConfiguration: Equatable, Sendable {
  /// A host name, an IPv4 address, or an IPv6 address without brackets.
  public var host: String
  public var port: UInt16
  /// How long one attempt to connect, and the HTTP/2 handshake after it, may take each.
  public var connectTimeout: Interval = .seconds(2)
  /// How long one `ready` call may take.
  public var readyTimeout: Interval = .seconds(5)
  /// How long a heartbeat or an HTTP/2 PING may stay without an answer; one goes out every third.
  public var aliveTimeout: Interval = .seconds(10)

  public init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// `host:port`, with brackets around an IPv6 address (RFC 3986 section 3.2.2).
  public var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
