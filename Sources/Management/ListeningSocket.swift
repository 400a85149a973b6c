internal import Glibc

/// Why the management API could not be started.
public enum ManagementServerError: Error, Equatable, CustomStringConvertible, Sendable {
  case cannotResolve(host: String, problem: String)
  case cannotBind(endpoint: String, errno: Int32)
  /// The HTTP library could not start its threads.
  case cannotStart(errno: Int32)

  public var description: String {
    switch self {
    case .cannotResolve(let host, let problem): "management: cannot resolve \(host): \(problem)"
    case .cannotBind(let endpoint, let code):
      "management: cannot listen on \(endpoint): \(errorText(code))"
    case .cannotStart(let code): "management: cannot start its HTTP server: \(errorText(code))"
    }
  }
}

/// What the system calls error number `code`.
func errorText(_ code: Int32) -> String {
  var text = [CChar](repeating: 0, count: 256)
  // SAFETY: strerror_r writes at most `count` bytes, terminated; the result is copied at once.
  return unsafe text.withUnsafeMutableBufferPointer { buffer in
    unsafe strerror_r(code, buffer.baseAddress!, buffer.count) == 0
      ? String(cString: buffer.baseAddress!) : "error \(code)"
  }
}

/// A socket that listens; whoever is handed it closes it.
struct ListeningSocket {
  let descriptor: Int32
  /// The port it listens on, also when 0 was asked for.
  let port: UInt16

  /// Listens on the first address of `host` that lets itself be bound.
  init(host: String, port: UInt16) throws(ManagementServerError) {
    var hints = unsafe addrinfo()
    unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let result = unsafe getaddrinfo(host, String(port), &hints, &found)
    guard result == 0 else {
      let problem =
        unsafe result == EAI_SYSTEM ? errorText(errno) : String(cString: gai_strerror(result))
      throw .cannotResolve(host: host, problem: problem)
    }
    defer { unsafe freeaddrinfo(found) }
    var code = EADDRNOTAVAIL
    var candidate = unsafe found
    while let address = unsafe candidate {
      switch unsafe Self.listen(address.pointee) {
      case .success(let descriptor):
        self.descriptor = descriptor
        self.port = Self.boundPort(descriptor)
        return
      case .failure(let problem): code = problem.code
      }
      unsafe candidate = address.pointee.ai_next
    }
    let endpoint = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    throw .cannotBind(endpoint: endpoint, errno: code)
  }

  private struct Errno: Error {
    var code: Int32
  }

  private static func listen(_ address: addrinfo) -> Result<Int32, Errno> {
    let type = unsafe address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = unsafe socket(address.ai_family, type, address.ai_protocol)
    guard descriptor >= 0 else { return .failure(Errno(code: errno)) }
    // So that a restart need not wait for connections of the process before.
    var yes: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size) == 0,
      unsafe bind(descriptor, address.ai_addr, address.ai_addrlen) == 0,
      Glibc.listen(descriptor, 64) == 0
    else {
      let code = errno
      close(descriptor)
      return .failure(Errno(code: code))
    }
    return .success(descriptor)
  }

  private static func boundPort(_ descriptor: Int32) -> UInt16 {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    // SAFETY: sockaddr_storage has room for every address; the port of both families is at byte 2.
    return unsafe withUnsafeMutableBytes(of: &storage) { bytes in
      let address = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
      guard unsafe getsockname(descriptor, address, &length) == 0 else { return 0 }
      return UInt16(bigEndian: unsafe bytes.load(fromByteOffset: 2, as: UInt16.self))
    }
  }
}
