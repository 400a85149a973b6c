import Testing

@testable import SampleWorker

@Suite struct ServerConnectionTests {
  let client = TestClient()

  /// Moves bytes both ways until nothing is left; the events stay in the connection.
  func talk(_ connection: ServerConnection) throws {
    while true {
      let out = client.takeOutput()
      if !out.isEmpty { try connection.receive(out) }
      let back = try connection.takeOutput()
      #expect(client.receive(back))
      if out.isEmpty && back.isEmpty { return }
    }
  }

  @Test func eventsComeInOrder() throws {
    let connection = try ServerConnection()
    let stream = client.call("live")
    client.send([1], on: stream)
    client.send([], on: stream)
    client.end(stream)
    try talk(connection)
    let path = "/upstream.grpc.service.UpstreamPeerService/live"
    #expect(connection.nextEvent() == .opened(stream: stream, path: path))
    #expect(connection.nextEvent() == .message(stream: stream, bytes: [1]))
    #expect(connection.nextEvent() == .message(stream: stream, bytes: []))
    #expect(connection.nextEvent() == .ended(stream: stream))
    #expect(connection.nextEvent() == nil)
    #expect(connection.send([7, 8], on: stream))
    connection.finish(stream, status: .ok)
    #expect(!connection.send([9], on: stream))
    try talk(connection)
    #expect(connection.nextEvent() == .closed(stream: stream))
    #expect(client.response(stream).messages == [[7, 8]])
  }

  /// Goal: a sender whose messages nobody fetches runs out of window, and gets going again.
  @Test func unfetchedMessagesHoldTheSenderBack() throws {
    var limits = ServerConnection.Limits()
    limits.messageBytes = 150_000
    let connection = try ServerConnection(limits: limits)
    let stream = client.call("live")
    let message = [UInt8](repeating: 5, count: 100_000)
    for _ in 0..<30 { client.send(message, on: stream) }
    try talk(connection)
    #expect(client.state.outgoing[stream]!.count >= 30 * 100_005 - 600_000)
    var fetched = 0
    for _ in 0..<10 {
      while let event = connection.nextEvent() {
        if case .message(_, let bytes) = event, bytes == message { fetched += 1 }
      }
      try talk(connection)
    }
    #expect(fetched == 30 && client.state.outgoing[stream]!.isEmpty)
  }

  /// Goal: a client that reads nothing gets no events handled, then its messages are refused; once
  /// it reads, everything accepted arrives.
  @Test func aClientThatDoesNotReadCostsABoundedAmount() throws {
    var limits = ServerConnection.Limits()
    limits.waitingBytes = 200_000
    limits.waitingBytesMax = 400_000
    let connection = try ServerConnection(limits: limits)
    client.state.consumes = false
    let stream = client.call("live")
    client.send([], on: stream)
    try talk(connection)
    #expect(connection.nextEvent() != nil)
    var accepted = 0
    while connection.send([UInt8](repeating: 1, count: 9_995), on: stream) { accepted += 1 }
    #expect(accepted == 40 && connection.waitingBytes == 400_000)
    #expect(connection.isCongested && connection.nextEvent() == nil)
    try talk(connection)
    #expect(connection.waitingBytes == 400_000 - 65_535 && connection.nextEvent() == nil)
    client.state.consumes = true
    client.consume(stream, 65_535)
    try talk(connection)
    #expect(connection.waitingBytes == 0)
    #expect(connection.nextEvent() == .message(stream: stream, bytes: []))
    #expect(client.response(stream).messages.count == 40)
  }

  @Test func aBodyOfManyFramesArrivesWhole() throws {
    let connection = try ServerConnection()
    let stream = client.call("live")
    try talk(connection)
    let message = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 >> 8 ^ $0) }
    #expect(connection.send(message, on: stream))
    try talk(connection)
    #expect(client.response(stream).messages == [message])
  }

  @Test func statusMessagesAreEncoded() throws {
    let connection = try ServerConnection()
    let stream = client.call("live")
    try talk(connection)
    connection.finish(stream, status: .unavailable, message: "50 %\n\u{fc}")
    try talk(connection)
    #expect(client.response(stream).fields["grpc-message"] == "50 %25%0A%C3%BC")
  }

  @Test func somethingElseThanHTTP2IsRefused() throws {
    let connection = try ServerConnection()
    #expect(throws: ServerConnectionError.self) {
      try connection.receive(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    }
  }
}
