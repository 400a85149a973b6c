public import Gateway
internal import Glibc
public import Primitives
internal import Synchronization

/// Why nothing can listen at a place, for people.
public enum ListenFailure: Error, CustomStringConvertible, Sendable {
  /// The name has no address; `detail` is the resolver's word for it.
  case unresolved(host: String, detail: String)
  /// Somebody listens there.
  case inUse(SocketAddress)
  /// The port is one of those below 1024, and the process has no right to them (capabilities(7)).
  case portNotPermitted(SocketAddress)
  /// The address is none of this machine's.
  case notLocal(SocketAddress)
  case system(SystemError)

  init(_ error: SystemError, _ address: SocketAddress) {
    switch error.code {
    case EADDRINUSE: self = .inUse(address)
    case EACCES where address.port < 1024: self = .portNotPermitted(address)
    case EADDRNOTAVAIL: self = .notLocal(address)
    default: self = .system(error)
    }
  }

  public var description: String {
    switch self {
    case .unresolved(let host, let detail): "cannot listen on \(host): \(detail)"
    case .inUse(let address): "cannot listen on \(address): the port is in use"
    case .portNotPermitted(let address):
      "cannot listen on \(address): ports below 1024 take the capability CAP_NET_BIND_SERVICE, "
        + "which this process does not have"
    case .notLocal(let address):
      "cannot listen on \(address): \(address.host) is no address of this machine"
    case .system(let error): "cannot \(error)"
    }
  }
}

/// A socket that listens for a listener's clients, until a reactor takes it over.
///
/// One that no reactor has taken is closed with its last reference.
public final class ListeningSocket: Sendable {
  public let address: SocketAddress
  /// -1 once it was taken.
  private let descriptor: Mutex<Int32>

  /// Resolves the listener's host, which may take seconds, and listens at the first address.
  public init(for listener: ListenerConfiguration) throws(ListenFailure) {
    let found: [SocketAddress]
    switch Resolver.resolve(host: listener.host, port: listener.port) {
    case .failed(let detail): throw .unresolved(host: listener.host, detail: detail)
    case .addresses(let addresses): found = addresses
    }
    address = found[0]
    do throws(SystemError) {
      descriptor = Mutex(
        try Sockets.listen(
          found[0], keepaliveSeconds: Int(listener.keepalive.milliseconds / 1000)))
    } catch {
      throw ListenFailure(error, found[0])
    }
  }

  deinit {
    let left = take()
    if left >= 0 { Sockets.close(left, abort: false) }
  }

  /// The descriptor, which belongs to the caller from here on; -1 when somebody has it.
  func take() -> Int32 {
    descriptor.withLock { descriptor in
      defer { descriptor = -1 }
      return descriptor
    }
  }
}
