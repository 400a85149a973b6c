import Primitives
import Upstream

@testable import Gateway

/// A world in which everything goes wrong at random, from one seed, and an account of what was
/// said.
///
/// Each packet's body is its client's number and its own number in its session, and padding that
/// follows from both; workers echo. So each byte that arrives anywhere can be checked.
final class Chaos {
  static let clientsMax = 15

  let world: VirtualWorld
  /// Packets that each client has sent, counted.
  private(set) var sent: [Int] = []
  private var random: SeededRandom
  private var broadcasts: UInt32 = 0
  private(set) var problems: [String] = []
  /// The number of the last packet of a session that a worker handled.
  private var lastHandled: [String: UInt32] = [:]
  private let ordered: Bool

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    let balance = seed % 4 == 0 ? PoolConfiguration.Balance.packet : .session
    ordered = balance == .session
    world = VirtualWorld(seed: seed, workers: 3, windowBytes: 256 << 10, connects: false) {
      $0.pools[0].balance = balance
      $0.listeners[0].clientToServer = .short
      $0.listeners[0].serverToClient = seed % 3 == 0 ? .short : .raw
      $0.limits.clientQueueBytesMax = 30_000
      $0.limits.clientQueueBytesTotalMax = 100_000
      $0.limits.workerQueueBytesMax = 20_000
      $0.listeners[0].idleTimeout = .seconds(60)
    }
    world.cuts = true
    for (number, worker) in world.workers.enumerated() {
      worker.sessionEvents = number != 0
      worker.onPacket = { [unowned self] worker, packet in
        noteHandled(packet)
        worker.answer(packet.uuid, packet.payload)
      }
    }
    world.start()
  }

  // MARK: Packets

  static func packet(client: Int, number: UInt32) -> [UInt8] {
    // One in sixteen is long.
    let paddingBytes = number % 16 == 15 ? 3000 : Int(number) * 7 % 60
    let padding = [UInt8](
      repeating: UInt8(truncatingIfNeeded: client &+ Int(number)), count: paddingBytes)
    return Packets.make(head(client, number) + padding)
  }

  private static func head(_ client: Int, _ number: UInt32) -> [UInt8] {
    [UInt8(client >> 8), UInt8(client & 0xff)]
      + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
  }

  /// The number in a packet's body.
  static func number(_ body: some Collection<UInt8>) -> UInt32 {
    body.dropFirst(2).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// What stands in place of a client's number in a broadcast.
  static let broadcaster = 0xffff

  private func noteHandled(_ packet: VirtualWorker.Request) {
    let number = Self.number(packet.payload.dropFirst(2))
    if ordered, number <= lastHandled[packet.uuid] ?? 0 {
      problems.append("\(packet.uuid): \(number) after \(lastHandled[packet.uuid] ?? 0)")
    }
    lastHandled[packet.uuid] = number
  }

  // MARK: Events

  private func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  /// One random event, and some turns of the loop.
  func step() {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<60: clientEvent()
    case 60..<72: workerEvent()
    case 72..<90: for _ in 0..<Int.random(in: 1...20, using: &random) { world.turn() }
    case 90..<94: listenerEvent()
    default: passTime()
    }
    for _ in 0..<Int.random(in: 0..<3, using: &random) { world.turn() }
  }

  private func passTime() {
    let most: UInt64 = chance(10) ? 8000 : 100
    world.advance(.milliseconds(UInt64.random(in: 0...most, using: &random)))
  }

  private func clientEvent() {
    let open = world.clients.indices.filter { world.clients[$0].isOpen }
    guard let client = open.randomElement(using: &random),
      open.count >= Self.clientsMax || chance(90)
    else {
      world.connect(listener: world.openListeners.sorted().randomElement(using: &random)!)
      sent.append(0)
      return
    }
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<70: speak(client)
    case 70..<80: world.clients[client].room = Int.random(in: 0...2000, using: &random)
    case 80..<90: world.clients[client].room = .max
    case 90..<95: world.take(client, Int.random(in: 0...5000, using: &random))
    case 95..<97: world.end(client)
    case 97..<99: world.reset(client)
    default:
      guard let uuid = SessionUUID(text: world.clients[client].uuid) else { return }
      world.command(.closeSession(uuid))
    }
  }

  /// An operator adds a listener, or takes one away that was added.
  private func listenerEvent() {
    let name = "extra-\(Int.random(in: 0..<4, using: &random))"
    guard chance(50) else {
      world.removeListener(name, closing: chance(30))
      return
    }
    _ = world.addListener(name) {
      $0.clientToServer = world.configuration.listeners[0].clientToServer
      $0.serverToClient = world.configuration.listeners[0].serverToClient
      $0.idleTimeout = .seconds(60)
    }
  }

  /// Takes away all listeners that were added.
  func removeListeners() {
    for listener in world.listeners() where listener.origin == .runtime {
      world.removeListener(listener.name)
    }
  }

  func speak(_ client: Int) {
    guard !world.clients[client].hasEnded else { return }
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      sent[client] += 1
      world.send(client, Self.packet(client: client, number: UInt32(sent[client])))
    }
  }

  private func workerEvent() {
    let number = Int.random(in: 0..<world.workers.count, using: &random)
    let worker = world.workers[number]
    switch Int.random(in: 0..<14, using: &random) {
    case 0: world.crash(number, losingOutput: chance(50))
    case 1: worker.isRunning = false
    case 2, 3: worker.isRunning = true
    case 4: worker.reachability = chance(50) ? .refuses : .swallows
    case 5, 6: worker.reachability = .accepts
    case 7: worker.ready = chance(50) ? false : true
    case 8: worker.sayGoodbye()
    case 9:
      world.setNetwork(
        of: number, bytesMax: chance(50) ? Int.random(in: 0...5000, using: &random) : nil)
    case 10: worker.takesPackets.toggle()
    case 11: worker.sendsAnswers.toggle()
    case 12: operate(number)
    default: broadcast(worker)
    }
  }

  /// An operator drains or removes a worker, or brings it back.
  private func operate(_ number: Int) {
    guard let status = world.status(of: number) else { return addAgain(number) }
    switch Int.random(in: 0..<3, using: &random) {
    case 0: world.command(.drainWorker(status.id))
    case 1: world.command(.removeWorker(status.id))
    default: addAgain(number)
    }
  }

  private func addAgain(_ number: Int) {
    world.command(.addWorker(pool: nil, world.workers[number].configuration))
  }

  private func broadcast(_ worker: VirtualWorker) {
    guard worker.isOpen else { return }
    broadcasts += 1
    worker.broadcast(
      UInt8.random(in: 0...2, using: &random), Packets.make(Self.head(Self.broadcaster, broadcasts))
    )
  }

  /// All faults end, and time passes until nothing is left to do.
  func calmDown() {
    for number in world.workers.indices {
      let worker = world.workers[number]
      worker.isRunning = true
      worker.reachability = .accepts
      worker.ready = true
      worker.takesPackets = true
      worker.sendsAnswers = true
      world.setNetwork(of: number, bytesMax: nil)
    }
    for client in world.clients.indices { world.clients[client].room = .max }
    world.advance(.seconds(12))
    for number in world.workers.indices where world.status(of: number)?.state != .ready {
      addAgain(number)
    }
    world.advance(.seconds(12))
  }
}
