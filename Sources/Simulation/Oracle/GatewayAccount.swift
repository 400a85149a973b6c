internal import Auth
internal import Gateway
internal import Primitives
internal import Upstream

/// What a gateway's driver has seen of it, to be compared with what the gateway says.
final class GatewayAccount {
  /// One listener's, by what its sockets did.
  struct Listener {
    var name: String
    var opened: UInt64 = 0
    var open = 0
    /// Closed without a line of their own: refused, or not let in.
    var closedUnlogged: UInt64 = 0
    /// By the log, by reason.
    var closed = [UInt64](repeating: 0, count: 256)
    var bytesIn: UInt64 = 0
    var letIn: UInt64 = 0
    // Of its sessions that are over, by the log.
    var packetsIn: UInt64 = 0
    var messagesOut: UInt64 = 0
    var bytesOut: UInt64 = 0
  }

  let gateway: VirtualGateway
  var listeners: [Listener] = []
  /// The visit of each session, indexed like the shard's.
  var visitOfSlot: [Int] = []
  /// Visits with a session, in no order.
  var open: [VisitRecord] = []
  /// Closed in this turn.
  var closed: [VisitRecord] = []
  /// Closed by other shards than the door, which may not know of it.
  var endedAway: [VisitRecord] = []
  /// Its client has ended, and the session has not.
  var halfClosed: [VisitRecord] = []
  var linksLost: UInt64 = 0
  /// Bans of rules and limits that have a line of their own.
  var bansLogged: UInt64 = 0
  /// By listeners that are gone.
  private var letInBefore: UInt64 = 0
  var hasStartedShutdown = false
  /// When each worker's drain began.
  var drainingSince: [WorkerID: Instant] = [:]
  var answersNotedAt = Instant(nanoseconds: 0)
  /// The loop was held up, or its store failed, until then.
  var hinderedUntil = Instant(nanoseconds: 0)
  var addressRates: [RateKey: RateAccount] = [:]

  struct RateKey: Hashable {
    var listener: String
    var prefix: AddressPrefix
    var isPrefix: Bool
  }

  init(_ gateway: VirtualGateway) { self.gateway = gateway }

  func listener(named name: String) -> Int {
    if let place = listeners.firstIndex(where: { $0.name == name }) { return place }
    listeners.append(Listener(name: name))
    return listeners.count - 1
  }

  func forgetListener(_ name: String) {
    let gone = listeners.filter { $0.name == name }
    letInBefore += gone.reduce(0) { $0 + $1.letIn }
    listeners.removeAll { $0.name == name }
    // Whoever gets its name counts anew.
    addressRates = addressRates.filter { $0.key.listener != name }
    // Its last sessions are counted with it, and not with whoever gets its name.
    for record in closed where record.listener.name == name { record.listenerIsGone = true }
  }

  func opened(_ record: VisitRecord) {
    record.place = open.count
    open.append(record)
    let slot = Int(record.id.index)
    while visitOfSlot.count <= slot { visitOfSlot.append(-1) }
    visitOfSlot[slot] = record.number
    listeners[listener(named: record.listener.name)].open += 1
  }

  func closed(_ record: VisitRecord) {
    let last = open.removeLast()
    if last !== record {
      open[record.place] = last
      last.place = record.place
    }
    listeners[listener(named: record.listener.name)].open -= 1
    closed.append(record)
    halfClosed.removeAll { $0 === record }
  }

  // MARK: Counters

  /// What the gateway's counters say that did not happen.
  func problems(_ metrics: MetricsSnapshot) -> [String] {
    var problems: [String] = []
    func check(_ isTrue: Bool, _ problem: @autoclosure () -> String) {
      if !isTrue { problems.append(problem()) }
    }
    var letIn = letInBefore
    for counted in metrics.listeners {
      guard let seen = listeners.first(where: { $0.name == counted.name }) else {
        check(counted.sessionsOpened == 0, "\(counted.name): opened by nobody")
        continue
      }
      let name = counted.name
      letIn += seen.letIn
      check(
        counted.sessionsOpened == seen.opened,
        "\(name): \(counted.sessionsOpened) opened, not \(seen.opened)")
      check(
        counted.sessionsOpen == seen.open, "\(name): \(counted.sessionsOpen) open, not \(seen.open)"
      )
      let total = counted.sessionsClosed.reduce(0, +)
      let logged = seen.closed.reduce(0, +)
      check(
        counted.sessionsOpened == UInt64(counted.sessionsOpen) + total,
        "\(name): opened \(counted.sessionsOpened), closed \(total)")
      check(
        total == logged + seen.closedUnlogged,
        "\(name): \(total) closed, \(logged) logged, \(seen.closedUnlogged) refused")
      for reason in CloseReason.allCases {
        let place = Int(reason.rawValue)
        check(
          counted.sessionsClosed[place] >= seen.closed[place],
          "\(name): \(counted.sessionsClosed[place]) closed as \(reason.name), "
            + "\(seen.closed[place]) logged")
      }
      check(
        counted.bytesIn == seen.bytesIn, "\(name): \(counted.bytesIn) bytes in, not \(seen.bytesIn)"
      )
    }
    check(
      metrics.access.loginsAccepted <= letIn,
      "\(metrics.access.loginsAccepted) logins accepted, \(letIn) let in")
    let ends = metrics.linkEnds.reduce(0, +)
    check(ends == linksLost, "\(ends) links ended, \(linksLost) logged")
    return problems
  }

  // MARK: The driver

  /// Where the driver and the shard do not agree.
  func driverProblems(_ virtual: VirtualShard) -> [String] {
    var problems: [String] = []
    func check(_ isTrue: Bool, _ problem: @autoclosure () -> String) {
      if !isTrue, problems.count < 20 { problems.append(problem()) }
    }
    let own = virtual.clients.count { $0.connection != nil }
    let all =
      gateway.movingSockets.count
      + gateway.shards.reduce(0) { $0 + $1.clients.count { $0.connection != nil } }
    check(all == gateway.clientCount, "\(gateway.clientCount) sockets counted, not \(all)")
    check(all == open.count, "\(all) sockets, \(open.count) visits")
    var sessions = 0
    for place in 0..<virtual.shard.sessionCount {
      guard let figures = virtual.shard.figures(at: place), !figures.isAway else { continue }
      sessions += 1
      let slot = Int(figures.id.index)
      guard slot < virtual.clients.count, virtual.clients[slot].connection != nil,
        virtual.clients[slot].id == figures.id
      else {
        check(false, "session \(slot) has no socket")
        continue
      }
      let socket = virtual.clients[slot]
      check(socket.reads == figures.isRead, "session \(slot): read against the shard's will")
      check(
        socket.awaitsWritable == (figures.queuedBytes > 0),
        "session \(slot): waits to write nothing, or not at all")
    }
    check(sessions == own, "\(sessions) sessions, \(own) sockets")
    for (number, link) in virtual.links.enumerated() {
      let wants = virtual.shard.wantsSocket(link: LinkIndex(number))
      check(!wants || link.connection != nil, "link \(number) has no socket")
      guard link.connection != nil else { continue }
      check(wants, "link \(number) has a socket left")
      guard !link.isConnecting, wants else { continue }
      check(
        link.reads == virtual.shard.isRead(link: LinkIndex(number)),
        "link \(number): read against the shard's will")
    }
    if !virtual.shard.hasBegunShutdown {
      for (slot, listener) in virtual.listeners.enumerated() {
        check(
          listener.isOpen == virtual.shard.isListening(slot), "listener \(slot): its socket")
      }
    }
    return problems
  }
}
