internal import CMicrohttpd
internal import Glibc
internal import Primitives

/// libmicrohttpd's callbacks: collects a request, asks the API, queues the response.
final class HTTPService: Sendable {
  /// What of an unwanted body is read and thrown away before the connection is cut, in bytes, so
  /// that a client that is still sending gets to read its refusal.
  private static let discardedBytesMax = 1 << 20

  private let api: ManagementAPI

  init(api: ManagementAPI) { self.api = api }

  /// A request that is being received; only its connection's thread touches it.
  private final class Exchange {
    let head: HTTPRequestHead
    let admission: ManagementAPI.Admission
    var body: [UInt8] = []
    var bytesReceived = 0

    init(head: HTTPRequestHead, admission: ManagementAPI.Admission) {
      self.head = head
      self.admission = admission
    }
  }

  /// Called for a request's head, for each part of its body, and once more at its end.
  static let handle: MHD_AccessHandlerCallback = {
    context, connection, path, method, _, data, dataCount, slot in
    // SAFETY: `context` is the service, which outlives the daemon; the library passes the rest.
    let service = unsafe Unmanaged<HTTPService>.fromOpaque(context!).takeUnretainedValue()
    guard let connection = unsafe connection, let slot = unsafe slot else { return .NO }
    guard let opaque = unsafe slot.pointee else {
      let head = unsafe requestHead(connection, method: method!, path: path!)
      return unsafe service.begin(head, connection, slot)
    }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(opaque).takeUnretainedValue()
    let count = unsafe dataCount!.pointee
    guard count > 0 else { return unsafe service.finish(exchange, connection) }
    unsafe dataCount!.pointee = 0
    return unsafe service.receive(UnsafeRawBufferPointer(start: data, count: count), exchange)
      ? .YES : .NO
  }

  /// Called once for each request, however it ended.
  static let completed: MHD_RequestCompletedCallback = { _, _, slot, _ in
    guard let slot = unsafe slot, let opaque = unsafe slot.pointee else { return }
    unsafe slot.pointee = nil
    // SAFETY: balances the retain of `begin`, once, since the slot is empty from here on.
    unsafe Unmanaged<Exchange>.fromOpaque(opaque).release()
  }

  private func begin(
    _ head: HTTPRequestHead, _ connection: OpaquePointer,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  ) -> MHD_Result {
    let exchange = Exchange(head: head, admission: api.admit(head))
    unsafe slot.pointee = Unmanaged.passRetained(exchange).toOpaque()
    let announced = unsafe header("Content-Length", connection).flatMap { UInt64($0) } ?? 0
    guard announced <= UInt64(ManagementAPI.bodyBytesMax) else {
      // Answered before the body comes: a client that asked to continue then need not send it.
      return unsafe send(ManagementAPI.bodyTooLarge, connection)
    }
    return .YES
  }

  /// False when the connection has to be cut.
  private func receive(_ data: UnsafeRawBufferPointer, _ exchange: Exchange) -> Bool {
    exchange.bytesReceived += data.count
    if case .admitted = exchange.admission,
      exchange.bytesReceived <= ManagementAPI.bodyBytesMax
    {
      unsafe exchange.body.append(contentsOf: data)
    }
    return exchange.bytesReceived <= Self.discardedBytesMax
  }

  private func finish(_ exchange: Exchange, _ connection: OpaquePointer) -> MHD_Result {
    let response: HTTPResponse
    switch exchange.admission {
    case .refused(let refusal): response = refusal
    case .admitted where exchange.bytesReceived > ManagementAPI.bodyBytesMax:
      response = ManagementAPI.bodyTooLarge
    case .admitted(let route):
      // While the shard works the connection is idle, but not for want of its client.
      unsafe cmicrohttpd_set_idle_seconds(connection, 0)
      response = api.respond(to: route, head: exchange.head, body: exchange.body)
      unsafe cmicrohttpd_set_idle_seconds(connection, ManagementServer.idleSeconds)
    }
    return unsafe send(response, connection)
  }

  private func send(_ response: HTTPResponse, _ connection: OpaquePointer) -> MHD_Result {
    var body = response.body
    // SAFETY: the library copies the body before the call returns.
    let queued = unsafe body.withUnsafeMutableBytes { buffer in
      unsafe MHD_create_response_from_buffer(
        buffer.count, buffer.baseAddress, .RESPMEM_MUST_COPY)
    }
    guard let queued = unsafe queued else { return .NO }
    defer { unsafe MHD_destroy_response(queued) }
    unsafe MHD_add_response_header(queued, "Content-Type", response.contentType)
    unsafe MHD_add_response_header(queued, "Cache-Control", "no-store")
    for header in response.headers {
      unsafe MHD_add_response_header(queued, header.name, header.value)
    }
    return unsafe MHD_queue_response(connection, response.status, queued)
  }
}

private func requestHead(
  _ connection: OpaquePointer, method: UnsafePointer<CChar>, path: UnsafePointer<CChar>
) -> HTTPRequestHead {
  unsafe HTTPRequestHead(
    method: String(cString: method), path: String(cString: path),
    authorization: header("Authorization", connection),
    query: query(connection), client: client(connection))
}

/// The arguments of the query, which the library has percent-decoded.
private func query(_ connection: OpaquePointer) -> Query {
  var query = Query()
  // SAFETY: the library calls back before it returns, with bytes that live that long.
  unsafe withUnsafeMutablePointer(to: &query) { query in
    unsafe _ = MHD_get_connection_values_n(
      connection, .GET_ARGUMENT_KIND,
      { context, _, name, nameCount, value, valueCount in
        let query = unsafe context!.assumingMemoryBound(to: Query.self)
        // With its length, because a decoded value may hold zeros.
        let name = unsafe UnsafeRawBufferPointer(start: name, count: nameCount)
        let text: String? =
          if let value = unsafe value {
            unsafe String(
              validating: UnsafeRawBufferPointer(start: value, count: valueCount), as: UTF8.self)
          } else {
            nil
          }
        unsafe query.pointee.arguments.append(
          Query.Argument(name: String(decoding: name, as: UTF8.self), value: text))
        return .YES
      }, query)
  }
  return query
}

/// The client's address and port; empty when they are not known.
private func client(_ connection: OpaquePointer) -> String {
  guard let address = unsafe cmicrohttpd_client_address(connection) else { return "" }
  // SAFETY: the family says which structure it is; both have the port at byte 2.
  let bytes = unsafe UnsafeRawPointer(address)
  let port = UInt16(bigEndian: unsafe bytes.load(fromByteOffset: 2, as: UInt16.self))
  switch unsafe Int32(address.pointee.sa_family) {
  case AF_INET:
    let host = (4..<8).map { unsafe bytes.load(fromByteOffset: $0, as: UInt8.self) }
    return SocketAddress(ipv4: host[0], host[1], host[2], host[3], port: port).description
  case AF_INET6:
    let host = unsafe bytes.loadUnaligned(fromByteOffset: 8, as: [16 of UInt8].self)
    return SocketAddress(ipv6: host, port: port).description
  default: return ""
  }
}

private func header(_ name: String, _ connection: OpaquePointer) -> String? {
  unsafe value(.HEADER_KIND, name, connection)
}

private func value(_ kind: MHD_ValueKind, _ name: String, _ connection: OpaquePointer) -> String? {
  // SAFETY: what is found lives as long as the request, and is copied here.
  guard let found = unsafe MHD_lookup_connection_value(connection, kind, name) else { return nil }
  return unsafe String(cString: found)
}
