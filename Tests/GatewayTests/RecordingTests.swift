import Auth
import Primitives
import Testing

@testable import Gateway

/// Goal: what clients send and are given is copied exactly, within bounds, and nothing that happens
/// to a recording happens to its sessions.
@Suite struct RecordingTests {
  /// What was recorded of one session.
  private struct Heard: Equatable {
    var up: [UInt8] = []
    var down: [UInt8] = []
    var kinds: [RecordedEvent.Kind] = []
  }

  private final class Recorder {
    let world: VirtualWorld
    let id: RecordingID
    var heard: [Heard] = []
    var clients: [SocketAddress] = []
    var summary: RecordingSummary?
    var batches = 0

    init(_ world: VirtualWorld, _ change: (inout RecordingRequest) -> Void = { _ in }) throws {
      self.world = world
      var request = RecordingRequest(listener: world.configuration.listeners[0].name)
      change(&request)
      let token = world.command(.startRecording(request))
      guard case .recordingStarted(let id)? = world.replies(to: token).first else {
        throw StartFailure(reply: world.replies(to: token).first)
      }
      self.id = id
    }

    /// False once there is no such recording.
    @discardableResult
    func take() -> Bool {
      let token = world.command(.takeRecorded(id))
      guard case .recorded(let batch)? = world.replies(to: token).first else { return false }
      #expect(batch.isFirst == (batches == 0))
      batches += 1
      summary = batch.summary
      clients = batch.clients
      var place = 0
      for event in batch.events {
        let bytes = batch.bytes[place..<place + event.byteCount]
        place += event.byteCount
        while heard.count <= event.session { heard.append(Heard()) }
        #expect(event.clientBytes == UInt64(heard[event.session].up.count))
        #expect(event.serverBytes == UInt64(heard[event.session].down.count))
        heard[event.session].kinds.append(event.kind)
        if event.kind == .fromClient { heard[event.session].up += bytes }
        if event.kind == .toClient { heard[event.session].down += bytes }
      }
      #expect(place == batch.bytes.count)
      return true
    }

    func stop() -> RecordingSummary? {
      let token = world.command(.stopRecording(id))
      guard case .recordingStopped(let summary)? = world.replies(to: token).first else {
        return nil
      }
      return summary
    }
  }

  private struct StartFailure: Error {
    var reply: Reply?

    var error: CommandError? {
      guard case .failed(let error)? = reply else { return nil }
      return error
    }
  }

  private func refusal(
    _ world: VirtualWorld, _ change: (inout RecordingRequest) -> Void = { _ in }
  ) -> CommandError? {
    do {
      _ = try Recorder(world, change)
      return nil
    } catch {
      return (error as? StartFailure)?.error
    }
  }

  @Test func bothDirectionsAreRecorded() throws {
    let world = VirtualWorld()
    let recorder = try Recorder(world)
    let client = world.connect()
    world.send(client, "hello")
    world.settle()
    recorder.take()
    world.send(client, " again")
    world.settle()
    world.end(client)
    world.settle()
    world.advance(.seconds(1))
    recorder.take()
    let heard = try #require(recorder.heard.first)
    #expect(heard.up == Array("hello again".utf8))
    #expect(heard.down == world.clients[client].received)
    #expect(heard.kinds.first == .opened)
    #expect(Array(heard.kinds.suffix(2)) == [.clientEnded, .closed])
    #expect(recorder.clients.first?.host == "192.0.2.7")
    #expect(recorder.summary?.sessions == 1 && recorder.summary?.bytes == 22)
  }

  /// Method: many sessions and random cuts on every socket; some are there before the recording.
  @Test func everySessionIsItsOwn() throws {
    let world = VirtualWorld(seed: 7, workers: 2) { $0.listeners[0].clientToServer = .short }
    world.cuts = true
    let before = world.connect()
    let recorder = try Recorder(world)
    let clients = (0..<20).map { _ in world.connect() }
    var sent: [Int: [UInt8]] = [:]
    for _ in 0..<300 {
      let client = (clients + [before]).randomElement(using: &world.random)!
      let packet = Packets.random(using: &world.random)
      sent[client, default: []] += packet
      world.send(client, packet)
      for _ in 0..<Int.random(in: 0..<3, using: &world.random) { world.turn() }
      if Int.random(in: 0..<10, using: &world.random) == 0 { recorder.take() }
    }
    world.settle()
    recorder.take()
    #expect(recorder.heard.count == clients.count)
    for (number, client) in clients.enumerated() {
      #expect(recorder.heard[number].up == sent[client] ?? [])
      #expect(recorder.heard[number].down == world.clients[client].received)
    }
  }

  @Test func greetingsAndRefusalsAreRecorded() throws {
    let world = VirtualWorld { configuration in
      configuration.listeners[0].idleTimeout = .seconds(5)
      configuration.listeners[0].refusals[.idleTimeout] = ReplyTemplate(bytes: Array("bye".utf8))
    }
    let recorder = try Recorder(world)
    let client = world.connect()
    world.advance(.seconds(6))
    #expect(world.text(client) == "bye")
    recorder.take()
    #expect(recorder.heard.first?.down == Array("bye".utf8))
    #expect(recorder.heard.first?.kinds.last == .closed)
  }

  @Test func onlyOneClientsSessions() throws {
    let world = VirtualWorld()
    let wanted = SocketAddress(ipv4: 198, 51, 100, 9, port: 0)
    let recorder = try Recorder(world) { $0.client = AddressPrefix(wanted) }
    for host in [nil, wanted] { world.send(world.connect(from: host), "x") }
    world.settle()
    recorder.take()
    #expect(recorder.clients.map(\.host) == ["198.51.100.9"])
  }

  @Test func bytesAreBounded() throws {
    let world = VirtualWorld()
    let recorder = try Recorder(world) { $0.bytesMax = 1024 }
    let client = world.connect()
    world.send(client, Array(repeating: 7, count: 3000))
    world.settle()
    recorder.take()
    #expect(recorder.summary?.bytes == 1024 && recorder.summary?.end == .bytes)
    #expect(world.clients[client].received.count == 3000)
    #expect(world.shard.sessions[world.clients[client].id!.index].recording.isSet == false)
    #expect(recorder.take() && recorder.batches == 2)
  }

  @Test func sessionsAreBounded() throws {
    let world = VirtualWorld()
    let recorder = try Recorder(world) { $0.sessionsMax = 2 }
    let clients = (0..<3).map { _ in world.connect() }
    world.settle()
    recorder.take()
    #expect(recorder.summary?.sessions == 2 && recorder.summary?.end == nil)
    for client in clients { world.reset(client) }
    world.settle()
    recorder.take()
    #expect(recorder.summary?.end == .sessions)
  }

  @Test func timeIsBounded() throws {
    let world = VirtualWorld()
    let recorder = try Recorder(world) { $0.duration = .seconds(12) }
    let client = world.connect()
    world.advance(.seconds(6))
    recorder.take()
    world.send(client, "in time")
    world.settle()
    world.advance(.seconds(7))
    world.send(client, "late")
    world.settle()
    recorder.take()
    #expect(recorder.summary?.end == .time)
    #expect(recorder.heard.first?.up == Array("in time".utf8))
    #expect(world.text(client) == "in timelate")
  }

  @Test func whatNobodyTakesEnds() throws {
    let world = VirtualWorld()
    let recorder = try Recorder(world)
    world.advance(.seconds(9))
    #expect(recorder.take())
    world.advance(.seconds(9))
    #expect(recorder.take())
    #expect(world.metrics().recordings == 1)
    world.advance(.seconds(11))
    #expect(!recorder.take())
    #expect(world.metrics().recordings == 0)
    let ends = world.log.compactMap { event -> RecordingEnd? in
      guard case .recordingEnded(let summary) = event else { return nil }
      return summary.end
    }
    #expect(ends == [.abandoned])
  }

  /// Goal: too much of one session ends that session's recording, and neither the session nor the
  /// recording of others.
  @Test func whatWaitsIsBounded() throws {
    let world = VirtualWorld()
    let recorder = try Recorder(world) { $0.bytesMax = 1 << 30 }
    let (loud, quiet) = (world.connect(), world.connect())
    let portion = [UInt8](repeating: 1, count: 1 << 20)
    for _ in 0..<6 {
      world.send(loud, portion)
      world.settle()
    }
    world.send(quiet, "still here")
    world.settle()
    #expect(world.clients[loud].received.count == 6 << 20)
    recorder.take()
    #expect(recorder.summary?.sessionsCut == 1 && recorder.summary?.end == nil)
    #expect(recorder.heard.reduce(0) { $0 + $1.up.count + $1.down.count } <= 8 << 20)
    // The stream that was recorded is a whole beginning of it.
    #expect(recorder.heard[0].up.count % 64 == 0)
    #expect(recorder.heard[1].up == Array("still here".utf8))
  }

  @Test func aStoppedRecordingIsGone() throws {
    let world = VirtualWorld()
    let recorder = try Recorder(world)
    let client = world.connect()
    world.send(client, "a")
    world.settle()
    #expect(recorder.stop()?.end == .stopped)
    #expect(recorder.stop() == nil)
    #expect(!recorder.take())
    world.send(client, "b")
    world.settle()
    #expect(world.text(client) == "ab")
    // Its place is free, and its sessions are not the next one's.
    let next = try Recorder(world)
    world.send(client, "c")
    world.settle()
    next.take()
    #expect(next.id != recorder.id && next.heard.isEmpty)
  }

  /// Goal: a recording is of the listener that it was begun for, not of the next in its place.
  @Test func aRecordingEndsWithItsListener() throws {
    let world = VirtualWorld()
    let recorder = try Recorder(world)
    let client = world.connect()
    world.send(client, "x")
    world.settle()
    world.removeListener(world.configuration.listeners[0].name)
    #expect(refusal(world) == .unknownListener(world.configuration.listeners[0].name))
    recorder.take()
    #expect(recorder.summary?.end == nil)
    world.reset(client)
    world.settle()
    recorder.take()
    #expect(recorder.heard.first?.kinds.last == .closed)
    #expect(recorder.summary?.end == .listenerRemoved)
  }

  @Test func nothingBeginsDuringAShutdown() {
    let world = VirtualWorld()
    let client = world.connect()
    world.send(client, "x")
    world.beginShutdown()
    #expect(refusal(world) == .shuttingDown)
  }

  @Test func onlySoManyAtATime() throws {
    let world = VirtualWorld { configuration in
      for number in 1...4 {
        var listener = configuration.listeners[0]
        listener.name = "other\(number)"
        configuration.listeners.append(listener)
      }
    }
    let name = world.configuration.listeners[0].name
    _ = try Recorder(world)
    #expect(refusal(world) == .listenerIsRecorded(name))
    #expect(refusal(world) { $0.listener = "nowhere" } == .unknownListener("nowhere"))
    for number in 1...3 { _ = try Recorder(world) { $0.listener = "other\(number)" } }
    #expect(refusal(world) { $0.listener = "other4" } == .tooManyRecordings)
    #expect(world.metrics().recordings == 4)
  }
}
