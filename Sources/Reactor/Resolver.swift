internal import Glibc
public import Primitives
internal import Threading

/// Turns host names into addresses.
public enum Resolver {
  public enum Outcome: Sendable {
    /// In the order in which they are to be tried; at least one.
    case addresses([SocketAddress])
    /// The system's word for what went wrong.
    case failed(String)
  }

  /// Asks the system; takes as long as that takes.
  public static func resolve(host: String, port: UInt16, numericOnly: Bool = false) -> Outcome {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = numericOnly ? AI_NUMERICHOST : AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, nil, &hints, &list)
    guard code == 0 else { return unsafe .failed(String(cString: gai_strerror(code))) }
    defer { unsafe freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = unsafe list
    while let info = unsafe next {
      var storage = sockaddr_storage()
      if let address = unsafe info.pointee.ai_addr {
        unsafe withUnsafeMutableBytes(of: &storage) {
          unsafe $0.baseAddress!.copyMemory(
            from: address, byteCount: min(Int(info.pointee.ai_addrlen), $0.count))
        }
        var one = Sockets.socketAddress(storage)
        one.port = port
        if !found.contains(one) { found.append(one) }
      }
      unsafe next = unsafe info.pointee.ai_next
    }
    return found.isEmpty ? .failed("no address") : .addresses(found)
  }

  /// Asks the system on a thread of its own and calls `completion` there.
  ///
  /// One thread for each question, so that a name server that does not answer for one worker's name
  /// delays no other worker. A link asks one question at a time, so threads are bounded by links.
  static func resolve(
    host: String, port: UInt16, completion: @escaping @Sendable (Outcome) -> Void
  ) {
    if case .addresses(let found) = resolve(host: host, port: port, numericOnly: true) {
      return completion(.addresses(found))
    }
    let started = startThread {
      completion(resolve(host: host, port: port))
    }
    if !started { completion(.failed("no thread for the resolver")) }
  }
}
