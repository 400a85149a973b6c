internal import Primitives
internal import Upstream

/// A worker's process: takes gateways' connections, answers, and has its bad days.
///
/// It lives on events alone. Whatever it is told to do is right in any state, and shows in how its
/// sockets go on.
final class WorkerProcess {
  enum Reachability {
    case accepts
    case refuses
    /// Nobody answers, as behind a firewall.
    case swallows
  }

  /// What an alarm is for.
  enum Alarm: UInt8 {
    /// An answer was thought about long enough; the value is its number.
    case answer
    /// A call of `authenticate` likewise.
    case authenticate
    /// Time for an answer that nobody asked for.
    case unprompted
    case broadcast
  }

  unowned let simulation: Simulation
  let number: Int
  let configuration: WorkerConfiguration
  let address: SocketAddress
  let habits: WorkerHabits
  private var paths: [Int] = []
  var random: SeededRandom

  private(set) var isAlive = true
  private(set) var isStopped = false
  /// It takes no connection any more and ends once the open ones have.
  private(set) var isExiting = false
  private(set) var reachability = Reachability.accepts
  private(set) var isReady = true
  private(set) var takesPackets = true
  private(set) var sendsAnswers = true
  /// What it says next that it should not.
  var lie: Lie?

  /// Connections that the worker or the gateway still has; oldest first.
  private(set) var sockets: [WorkerSocket] = []
  /// Alarms that went off while it was stopped.
  private var missed: [WorkerAlarm] = []
  private var lateAnswers: [UInt64: LateAnswer] = [:]
  private var lastLate: UInt64 = 0
  /// How many lives it had before.
  private var life: UInt64 = 0

  init(_ simulation: Simulation, number: Int) {
    self.simulation = simulation
    self.number = number
    random = SeededRandom(seed: simulation.scenario.seed, "worker", number)
    var nature = SeededRandom(seed: simulation.scenario.seed, "worker habits", number)
    habits = WorkerHabits(simulation.scenario, &nature)
    let port = UInt16(9000 + number)
    configuration = WorkerConfiguration(host: "worker-\(number)", port: port)
    address = SocketAddress(ipv4: 10, 0, 0, UInt8(number + 1), port: port)
    for _ in 0..<simulation.scenario.gateways {
      paths.append(
        simulation.network.addPath(latency: .milliseconds(1), jitter: .milliseconds(1)))
    }
    startTicking()
  }

  var port: UInt16 { address.port }

  /// What its bytes to and from that gateway travel on.
  func path(to gateway: Int) -> Int { paths[gateway] }

  /// It can do something.
  var isRunning: Bool { isAlive && !isStopped }
  /// The scenario's time is over: it has no more ideas of its own, and does its work.
  var isCalm: Bool {
    simulation.elapsed >= .milliseconds(UInt64(simulation.scenario.milliseconds))
  }
  /// Its open descriptors.
  var openSocketCount: Int { sockets.count { !$0.isClosed } }

  // MARK: Deeds

  /// SIGKILL: the system closes its sockets, which resets those it had not read.
  func crash() {
    guard isAlive else { return }
    simulation.trace.note("worker crashes", number)
    if isRunning, sendsAnswers, random.chance(simulation.scenario.cutPermille) { leaveHalves() }
    die()
  }

  /// A new process, after ``crash()`` or ``exitGracefully()``; nothing where one runs.
  func restart() {
    guard !isAlive || isExiting else { return }
    if isAlive { die() }
    simulation.trace.note("worker starts", number)
    isAlive = true
    (isReady, takesPackets, sendsAnswers) = (true, true, true)
    lie = nil
    startTicking()
  }

  private func die() {
    for socket in sockets { close(socket) }
    (isAlive, isStopped, isExiting) = (false, false, false)
    life += 1
    missed = []
    lateAnswers = [:]
  }

  /// SIGSTOP: the system still takes connections and bytes for it.
  func stop() {
    guard isAlive else { return }
    isStopped = true
  }

  /// SIGCONT.
  func go() {
    guard isStopped else { return }
    isStopped = false
    let alarms = missed
    missed = []
    for alarm in alarms { act(alarm) }
    workAll()
  }

  /// SIGTERM: it takes no more, lets gateways go on elsewhere, answers what it has, and ends.
  func exitGracefully() {
    guard isAlive, !isExiting else { return }
    simulation.trace.note("worker exits", number)
    isExiting = true
    for socket in sockets where !socket.isClosed { socket.worker.sayGoodbye() }
    workAll()
    endIfDone()
  }

  func setReady(_ isReady: Bool) { self.isReady = isReady }
  func setReachability(_ reachability: Reachability) { self.reachability = reachability }

  /// - Parameter takes: false: it reads and answers heartbeats, but leaves packets where they are,
  ///   and gives no window for them.
  func setTakesPackets(_ takes: Bool) {
    takesPackets = takes
    workAll()
  }

  /// - Parameter sends: false: it handles packets, but keeps its answers to itself.
  func setSendsAnswers(_ sends: Bool) {
    sendsAnswers = sends
    workAll()
  }

  /// Says something to everybody, on each of its connections.
  func broadcast() {
    for socket in sockets where socket.isOpen { broadcast(on: socket) }
    workAll()
  }

  /// All its faults end.
  func becomeNormal() {
    lie = nil
    (isReady, takesPackets, sendsAnswers) = (true, true, true)
    reachability = .accepts
    restart()
    go()
    workAll()
  }

  // MARK: Connections

  func arrived(_ kind: Arrival.Kind, on connection: Connection) {
    switch kind {
    case .attempt: attempted(connection)
    case .bytes, .end, .reset, .room:
      guard let socket = sockets.first(where: { $0.connection === connection }) else { return }
      work(socket)
      endIfDone()
    case .established, .refused: break
    }
  }

  private func attempted(_ connection: Connection) {
    guard connection.phase == .connecting, reachability != .swallows else {
      connection.peerClosed = true
      return
    }
    guard isAlive, !isExiting, reachability == .accepts else {
      connection.peerClosed = true
      return simulation.network.refuse(connection, by: .peer)
    }
    do {
      let worker = try WorkerConnection(messageBytesMax: habits.messageBytesMax)
      let socket = WorkerSocket(connection, worker)
      sockets.append(socket)
      simulation.network.accept(connection, by: .peer)
      simulation.trace.note("worker accepts", number, connection.gateway)
      beginLying(on: socket)
      work(socket)
    } catch {
      preconditionFailure("no memory for a worker's HTTP/2: \(error)")
    }
  }

  /// That gateway reads and writes no more on it: what it had written and nobody read is lost.
  func gatewayClosed(_ connection: Connection) {
    guard let socket = sockets.first(where: { $0.connection === connection }) else { return }
    socket.isForsaken = true
    let unhandled = socket.worker.unhandled(onItsWay: connection.toPeer.unread)
    for problem in unhandled.problems { complain(problem, socket) }
    // The last bytes may have brought the call itself.
    if !socket.isOpen, socket.worker.isOpen { opened(socket) }
    if socket.isOpen {
      simulation.trace.note("worker loses", number, socket.stream, unhandled.requests.count)
      simulation.oracle.lost(unhandled.requests, on: socket.stream)
      simulation.oracle.ended(
        socket.stream, losesAnswers: socket.losesAnswers, isCutOff: socket.isCutOff)
    }
    if socket.isClosed { sockets.removeAll { $0 === socket } }
  }

  func opened(_ socket: WorkerSocket) {
    socket.open(
      simulation.oracle.opened(
        worker: number, gateway: socket.connection.gateway, sessionEvents: habits.sessionEvents))
  }

  func close(_ socket: WorkerSocket) {
    guard !socket.isClosed else { return }
    simulation.network.close(socket.connection, from: .peer)
    if socket.isForsaken { sockets.removeAll { $0 === socket } }
  }

  func complain(_ problem: String, _ socket: WorkerSocket) {
    simulation.oracle.broken(
      .driver, "worker \(number): \(problem)", gateway: socket.connection.gateway)
  }

  func workAll() {
    for socket in sockets { work(socket) }
    endIfDone()
  }

  private func endIfDone() {
    if isExiting, !isStopped, openSocketCount == 0 { die() }
  }

  // MARK: Alarms

  /// What was put into the queue as `.worker(number, …)`.
  func act(_ alarm: WorkerAlarm) {
    guard isAlive, let kind = Alarm(rawValue: alarm.kind) else { return }
    guard !isStopped else { return missed.append(alarm) }
    switch kind {
    case .answer, .authenticate:
      guard let late = lateAnswers.removeValue(forKey: alarm.value) else { return }
      lateAnswerDue(late)
    case .unprompted:
      guard alarm.value == life, !isCalm else { return }
      answerUnprompted()
      tick(.unprompted)
    case .broadcast:
      guard alarm.value == life, !isCalm else { return }
      broadcast()
      tick(.broadcast)
    }
    endIfDone()
  }

  /// Comes back to an answer later.
  func think(about answer: LateAnswer, for delay: Interval, _ alarm: Alarm) {
    lastLate += 1
    lateAnswers[lastLate] = answer
    simulation.add(
      .worker(number, WorkerAlarm(kind: alarm.rawValue, value: lastLate)),
      at: simulation.now + delay)
  }

  private func startTicking() {
    tick(.unprompted)
    tick(.broadcast)
  }

  private func tick(_ alarm: Alarm) {
    let milliseconds =
      alarm == .broadcast
      ? simulation.scenario.workersBroadcastMilliseconds
      : simulation.scenario.workersUnpromptedMilliseconds
    guard milliseconds > 0 else { return }
    let delay = random.exponential(mean: .milliseconds(UInt64(milliseconds)))
    simulation.add(
      .worker(number, WorkerAlarm(kind: alarm.rawValue, value: life)), at: simulation.now + delay)
  }
}
