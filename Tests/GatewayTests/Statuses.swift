import Primitives
import Upstream

@testable import Gateway

func worker(
  _ id: UInt32, port: UInt16 = 1, pool: String = "main", _ state: WorkerState = .ready
) -> WorkerStatus {
  WorkerStatus(
    id: WorkerID(rawValue: id), pool: pool, endpoint: "127.0.0.1:\(port)", state: state,
    sessions: 0, queuedBytes: 0, packetsSent: 0, messagesReceived: 0, reconnects: 0, lastEnd: nil,
    lastEndDetail: "")
}

/// `packetsIn` tells two statuses of one session apart.
func session(_ slot: UInt32, packetsIn: UInt64 = 0) -> SessionStatus {
  SessionStatus(
    slot: slot, uuid: .none, client: SocketAddress(ipv4: 192, 0, 2, 7, port: 1), account: nil,
    isPending: false, listener: "game", worker: nil, age: .zero, idle: .zero,
    packetsIn: packetsIn, bytesIn: 0, messagesOut: 0, bytesOut: 0, queuedBytes: 0)
}

func health(without pools: [String] = [], ends: Bool = false) -> HealthStatus {
  HealthStatus(
    ready: pools.isEmpty && !ends, poolsWithoutWorker: pools, shuttingDown: ends)
}

func listener(_ name: String, _ each: UInt64, closed: [UInt64]) -> MetricsSnapshot.Listener {
  MetricsSnapshot.Listener(
    name: name, sessionsOpen: Int(each), sessionsOpened: each, sessionsClosed: closed,
    packetsIn: each, bytesIn: each, messagesOut: each, bytesOut: each)
}

/// Every figure is `each`.
func snapshot(
  _ each: UInt64, _ listeners: [MetricsSnapshot.Listener], _ workers: [WorkerStatus]
) -> MetricsSnapshot {
  var access = AccessMetrics()
  access.loginsPending = Int(each)
  access.loginsAccepted = each
  access.bans = Int(each)
  access.banTableBytes = Int(each)
  access.slowDowns = each
  access.packetsDropped = each
  access.temporaryBans = each
  access.sessionsBanned = each
  var snapshot = MetricsSnapshot(
    listeners: listeners, access: access, workers: workers, linkEnds: [each, 0, each],
    messagesToUnknownSession: each, messagesWithoutTarget: each, broadcasts: each,
    broadcastsRefused: each, packetsRerouted: each, unfinishedDropped: each,
    packetsOfClosedSessions: each, clientQueueBytes: Int(each), acceptPauses: each,
    workerReadPauses: each)
  snapshot.recordings = Int(each)
  return snapshot
}
