internal import CLinux
internal import Glibc
internal import Gateway
internal import Primitives
internal import Upstream

/// Socket calls, with addresses as the core knows them.
enum Sockets {
  /// A listening socket; what its clients' sockets inherit is set here once.
  ///
  /// - Throws: ``SystemError``, naming the address.
  static func listen(
    _ address: SocketAddress, keepaliveSeconds: Int
  ) throws(SystemError) -> Int32 {
    let family = address.isIPv4 ? AF_INET : AF_INET6
    let attempt = "listen on \(address)"
    let fd = socket(
      family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    if fd < 0 { throw SystemError(attempt) }
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    set(fd, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    if family == AF_INET6 { set(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    if keepaliveSeconds > 0 {
      set(fd, SOL_SOCKET, SO_KEEPALIVE, 1)
      set(fd, Int32(IPPROTO_TCP), TCP_KEEPIDLE, Int32(clamping: keepaliveSeconds))
      set(fd, Int32(IPPROTO_TCP), TCP_KEEPINTVL, Int32(clamping: max(keepaliveSeconds / 4, 1)))
      set(fd, Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
    }
    let bound = unsafe withSystemAddress(address) { unsafe bind(fd, $0, $1) }
    guard bound == 0, Glibc.listen(fd, 4096) == 0 else {
      let error = SystemError(attempt)
      Glibc.close(fd)
      throw error
    }
    return fd
  }

  /// Begins to connect; the socket becomes writable when that has ended, well or badly.
  static func connect(_ address: SocketAddress) throws(SystemError) -> Int32 {
    let family = address.isIPv4 ? AF_INET : AF_INET6
    let fd = socket(
      family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    if fd < 0 { throw SystemError("socket") }
    set(fd, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    let result = unsafe withSystemAddress(address) { unsafe Glibc.connect(fd, $0, $1) }
    guard result == 0 || errno == EINPROGRESS else {
      let error = SystemError("connect")
      Glibc.close(fd)
      throw error
    }
    return fd
  }

  enum Accepted {
    case client(Int32, SocketAddress)
    /// Nobody waits.
    case none
    /// That client is gone already, or was refused by the system; there may be others.
    case skipped
    /// No descriptor or no memory: wait before trying again.
    case exhausted(code: Int32)
  }

  static func accept(_ listener: Int32) -> Accepted {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let fd = unsafe withUnsafeMutablePointer(to: &storage) { storage in
      unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe clinux_accept(listener, $0, &length)
      }
    }
    if fd >= 0 { return .client(fd, socketAddress(storage)) }
    switch errno {
    case EAGAIN: return .none
    case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted(code: errno)
    default: return .skipped
    }
  }

  /// The error a socket has met, and clears it; 0 is none.
  static func takeError(_ fd: Int32) -> Int32 {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return unsafe getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
  }

  /// Closes; `abort`: what has not been delivered is thrown away, and the peer gets a reset.
  static func close(_ fd: Int32, abort: Bool) {
    if abort {
      var now = linger(l_onoff: 1, l_linger: 0)
      unsafe setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }
    Glibc.close(fd)
  }

  /// Writes slices with one system call; returns the bytes taken, or the negative error.
  @inline(__always)
  static func write(_ fd: Int32, _ slices: UnsafeMutableBufferPointer<IOSlice>, count: Int) -> Int {
    // SAFETY: IOSlice has iovec's layout; `count` slices are initialised.
    let written =
      unsafe count == 1
      ? send(fd, slices[0].base, slices[0].count, Int32(MSG_NOSIGNAL))
      : writev(
        fd, UnsafeRawPointer(slices.baseAddress!).assumingMemoryBound(to: iovec.self),
        Int32(count))
    return written >= 0 ? written : -Int(errno)
  }

  static func set(_ fd: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    unsafe setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  // MARK: Addresses

  static func socketAddress(_ storage: sockaddr_storage) -> SocketAddress {
    unsafe withUnsafeBytes(of: storage) { bytes in
      if storage.ss_family == sa_family_t(AF_INET) {
        let address = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
        let octets = UInt32(bigEndian: address.sin_addr.s_addr)
        return SocketAddress(
          ipv4: UInt8(octets >> 24), UInt8(octets >> 16 & 0xff), UInt8(octets >> 8 & 0xff),
          UInt8(octets & 0xff), port: UInt16(bigEndian: address.sin_port))
      }
      let address = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
      var octets: [16 of UInt8] = .init(repeating: 0)
      unsafe withUnsafeBytes(of: address.sin6_addr) {
        for index in 0..<16 { octets[index] = unsafe $0[index] }
      }
      return SocketAddress(
        ipv6: octets, port: UInt16(bigEndian: address.sin6_port), scope: address.sin6_scope_id)
    }
  }

  private static func withSystemAddress(
    _ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    if address.isIPv4 {
      var system = sockaddr_in()
      system.sin_family = sa_family_t(AF_INET)
      system.sin_port = address.port.bigEndian
      var octets: UInt32 = 0
      for index in 12..<16 { octets = octets << 8 | UInt32(address.bytes[index]) }
      system.sin_addr.s_addr = octets.bigEndian
      return unsafe withUnsafePointer(to: &system) { system in
        unsafe system.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    var system = sockaddr_in6()
    system.sin6_family = sa_family_t(AF_INET6)
    system.sin6_port = address.port.bigEndian
    system.sin6_scope_id = address.scope
    unsafe withUnsafeMutableBytes(of: &system.sin6_addr) {
      for index in 0..<16 { unsafe $0[index] = address.bytes[index] }
    }
    return unsafe withUnsafePointer(to: &system) { system in
      unsafe system.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
      }
    }
  }
}
