import Testing

@testable import SampleWorker

@Suite struct ChatWorkerTests {
  let worker = ChatWorker()
  let client = TestClient()
  let id: ChatWorker.ConnectionID

  init() throws {
    worker.time = "2026-01-31T23:59:59.123Z"
    id = try worker.connect()
  }

  func talk(chunk: Int = 65_536) throws { try client.talk(to: worker, id, chunk: chunk) }

  /// What came on a packet stream, each as "uuid text".
  func heard(_ stream: Int32, _ client: TestClient? = nil) throws -> [String] {
    try (client ?? self.client).response(stream).messages
      .map { try OutputStreamRequest(decoding: $0).text }
  }

  @Test func readyAsksForSessionEvents() throws {
    let stream = client.call("ready")
    client.send([], on: stream)
    client.end(stream)
    try talk()
    let response = client.response(stream)
    #expect(response.fields[":status"] == "200" && response.status == "0" && response.isClosed)
    let result = ReadyResult(time: worker.time, ready: true, features: [.sessionEvents])
    #expect(response.messages == [result.encoded])
  }

  @Test func readyWantsExactlyOneMessage() throws {
    let stream = client.call("ready")
    client.end(stream)
    try talk()
    #expect(client.response(stream).status == "13")
  }

  @Test func liveAnswersEachBeat() throws {
    let stream = client.call("live")
    for beat in 1...3 {
      client.send([], on: stream)
      try talk()
      #expect(client.response(stream).messages.count == beat)
    }
    #expect(
      client.response(stream).messages[2] == LiveResult(time: worker.time, live: true).encoded)
    client.end(stream)
    try talk()
    #expect(client.response(stream).status == "0" && client.response(stream).isClosed)
  }

  /// Goal: the chat works through HTTP/2, however the connection's bytes are cut.
  @Test(arguments: [1, 7, 65_536]) func chatGoesThrough(chunk: Int) throws {
    let stream = client.call("bidirectionalStreaming")
    for uuid in ["aaaa", "bbbb"] {
      client.send(InputStreamRequest(uuid, .opened(SessionOpened())).encoded, on: stream)
    }
    client.send(InputStreamRequest("aaaa", "hel").encoded, on: stream)
    client.send(InputStreamRequest("aaaa", "lo\n").encoded, on: stream)
    try talk(chunk: chunk)
    client.send(InputStreamRequest("aaaa", .closed(reason: 1)).encoded, on: stream)
    client.end(stream)
    try talk(chunk: chunk)
    let lines = try heard(stream)
    #expect(lines.count == 5)
    #expect(lines[3] == "bbbb guest-aaaa: hello\n" && lines[4] == "bbbb * guest-aaaa left\n")
    #expect(client.response(stream).status == "0" && worker.sessionCount == 0)
  }

  @Test func gatewaysShareTheRoom() throws {
    let other = TestClient()
    let otherID = try worker.connect()
    let stream = client.call("bidirectionalStreaming")
    let otherStream = other.call("bidirectionalStreaming")
    client.send(InputStreamRequest("aaaa", .opened(SessionOpened())).encoded, on: stream)
    other.send(InputStreamRequest("bbbb", .opened(SessionOpened())).encoded, on: otherStream)
    try talk()
    try other.talk(to: worker, otherID)
    other.send(InputStreamRequest("bbbb", "hi\n").encoded, on: otherStream)
    try other.talk(to: worker, otherID)
    try talk()
    #expect(try heard(stream).last == "aaaa guest-bbbb: hi\n")
    worker.disconnect(otherID)
    #expect(worker.sessionCount == 1 && worker.deliveriesDropped == 0)
  }

  @Test func aResetStreamTakesItsSessionsAlong() throws {
    let stream = client.call("bidirectionalStreaming")
    client.send(InputStreamRequest("aaaa", "x\n").encoded, on: stream)
    try talk()
    #expect(worker.sessionCount == 1)
    client.reset(stream)
    try talk()
    #expect(worker.sessionCount == 0)
  }

  @Test func unknownMethodsAreUnimplemented() throws {
    let stream = client.call("nosuch")
    client.send([1, 2, 3], on: stream)
    try talk()
    let response = client.response(stream)
    #expect(response.fields[":status"] == "200" && response.status == "12" && response.isClosed)
    #expect(response.body.isEmpty)
  }

  @Test func onlyGRPCIsServed() throws {
    let cases = [
      ("application/json", "POST", "415"), ("application/grpc-web", "POST", "415"),
      ("application/grpc", "GET", "405"), ("application/grpc+proto; v=1", "POST", "200"),
      ("application/grpc;charset=utf-8", "POST", "200"),
    ]
    for (contentType, verb, status) in cases {
      let stream = client.call("ready", contentType: contentType, verb: verb)
      client.send([], on: stream)
      client.end(stream)
      try talk()
      #expect(client.response(stream).fields[":status"] == status, "\(contentType) \(verb)")
      #expect(client.response(stream).isClosed)
    }
  }

  @Test func brokenMessagesEndTheirCallOnly() throws {
    let cases: [([UInt8], Bool, String)] = [
      ([1, 0, 0, 0, 0], false, "12"), ([0, 0, 0x10, 0, 1], false, "8"),
      ([0, 0, 0, 0, 9, 1], true, "13"), ([0, 0, 0, 0, 1, 0xff], false, "3"),
    ]
    for (bytes, ends, status) in cases {
      let stream = client.call("bidirectionalStreaming")
      client.sendRaw(bytes, on: stream)
      if ends { client.end(stream) }
      try talk()
      #expect(client.response(stream).status == status && client.response(stream).isClosed)
    }
    let live = client.call("live")
    client.send([], on: live)
    try talk()
    #expect(client.response(live).messages.count == 1)
  }

  @Test func shutDownEndsOpenCalls() throws {
    let stream = client.call("live")
    client.send([], on: stream)
    try talk()
    worker.shutDown()
    try talk()
    #expect(client.response(stream).status == "14" && client.response(stream).isClosed)
    #expect(worker.isFinished(id))
  }

  /// Goal: no bytes whatever crash the worker or make it run for ever.
  ///
  /// Method: seeded mutations of a good conversation, and plain noise.
  @Test func garbageNeverCrashes() throws {
    let stream = client.call("bidirectionalStreaming")
    client.send(InputStreamRequest("aaaa", "hello\n/who\n").encoded, on: stream)
    let good = client.takeOutput()
    var refused = 0
    for seed in UInt64(0)..<3000 {
      var random = SeededGenerator(state: seed)
      let bytes =
        seed % 10 == 0 ? random.mutate(Array(good.shuffled(using: &random))) : random.mutate(good)
      let worker = ChatWorker()
      let id = try worker.connect()
      do { try worker.receive(bytes, on: id) } catch { refused += 1 }
      _ = try? worker.takeOutput(of: id)
      worker.disconnect(id)
    }
    #expect(refused > 100 && refused < 3000)
  }
}
