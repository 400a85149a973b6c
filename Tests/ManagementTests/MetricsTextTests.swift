import Auth
@testable import Gateway
import Management
import Testing
import Upstream

func emptySnapshot() -> MetricsSnapshot {
  MetricsSnapshot(
    listeners: [], access: AccessMetrics(), workers: [], linkEnds: [], messagesToUnknownSession: 0,
    messagesWithoutTarget: 0, broadcasts: 0, broadcastsRefused: 0, packetsRerouted: 0,
    unfinishedDropped: 0, packetsOfClosedSessions: 0,
    clientQueueBytes: 0, acceptPauses: 0, workerReadPauses: 0)
}

@Suite struct MetricsTextTests {
  private func snapshot() -> MetricsSnapshot {
    var closed = [UInt64](repeating: 0, count: 256)
    closed[Int(CloseReason.slowClient.rawValue)] = 5
    var ends = [UInt64](repeating: 0, count: 256)
    ends[Int(LinkEndReason.goAway.rawValue)] = 6
    var snapshot = emptySnapshot()
    snapshot.listeners = [
      MetricsSnapshot.Listener(
        name: "ga\"m\\e\nx", sessionsOpen: 1, sessionsOpened: 2, sessionsClosed: closed,
        packetsIn: 3, bytesIn: .max, messagesOut: 5, bytesOut: 6)
    ]
    snapshot.workers = [worker(.draining)]
    snapshot.linkEnds = ends
    snapshot.messagesToUnknownSession = 21
    snapshot.messagesWithoutTarget = 22
    snapshot.broadcasts = 23
    snapshot.broadcastsRefused = 24
    snapshot.packetsRerouted = 25
    snapshot.clientQueueBytes = 26
    snapshot.acceptPauses = 27
    snapshot.workerReadPauses = 28
    snapshot.unfinishedDropped = 30
    snapshot.packetsOfClosedSessions = 31
    snapshot.recordings = 32
    snapshot.access = access()
    return snapshot
  }

  private func access() -> AccessMetrics {
    var access = AccessMetrics()
    access.loginsPending = 41
    access.loginsWaiting = 42
    access.loginsVerifying = 43
    access.loginsAccepted = 44
    access.loginsRefused[LoginRefusal.allCases.firstIndex(of: .wrongSecret)!] = 45
    access.loginsRefused[LoginRefusal.allCases.firstIndex(of: .expired)!] = 46
    access.loginsUnavailable = 47
    access.slowDowns = 48
    access.packetsDropped = 49
    access.temporaryBans = 50
    access.bans = 51
    access.banTableBytes = 52
    access.sessionsBanned = 53
    return access
  }

  private let accessExpected: [(String, Double)] = [
    (#"gatehouse_logins_total{outcome="accepted"}"#, 44),
    (#"gatehouse_logins_total{outcome="refused"}"#, 91),
    (#"gatehouse_logins_total{outcome="unavailable"}"#, 47),
    (#"gatehouse_login_refusals_total{reason="wrong-secret"}"#, 45),
    (#"gatehouse_login_refusals_total{reason="expired"}"#, 46),
    (#"gatehouse_login_refusals_total{reason="revoked"}"#, 0),
    ("gatehouse_logins_pending", 41), ("gatehouse_logins_waiting", 42),
    ("gatehouse_logins_verifying", 43), ("gatehouse_limit_slowdowns_total", 48),
    ("gatehouse_packets_dropped_total", 49), ("gatehouse_temporary_bans_total", 50),
    ("gatehouse_bans", 51), ("gatehouse_ban_table_bytes", 52),
    ("gatehouse_sessions_banned_total", 53),
  ]

  private func render(_ snapshot: MetricsSnapshot, process: ProcessMetrics? = nil) -> String {
    String(
      decoding: MetricsText.render(snapshot, process: process, logLinesDropped: 29), as: UTF8.self)
  }

  @Test func everyValueHasItsSample() throws {
    let metrics = try PrometheusText(parsing: render(snapshot()))
    let listener = #"listener="ga\"m\\e\nx""#
    let worker = #"pool="main",worker="127.0.0.1:45888",id="3""#
    let expected: [(String, Double)] = [
      ("gatehouse_sessions_open{\(listener)}", 1),
      ("gatehouse_sessions_opened_total{\(listener)}", 2),
      (#"gatehouse_sessions_closed_total{\#(listener),reason="slow-client"}"#, 5),
      ("gatehouse_client_packets_received_total{\(listener)}", 3),
      ("gatehouse_client_bytes_received_total{\(listener)}", 18_446_744_073_709_551_616),
      ("gatehouse_client_messages_sent_total{\(listener)}", 5),
      ("gatehouse_client_bytes_sent_total{\(listener)}", 6),
      (#"gatehouse_worker_state{\#(worker),state="draining"}"#, 1),
      (#"gatehouse_worker_state{\#(worker),state="ready"}"#, 0),
      ("gatehouse_worker_sessions{\(worker)}", 2),
      ("gatehouse_worker_queue_bytes{\(worker)}", 10),
      ("gatehouse_worker_packets_sent_total{\(worker)}", 11),
      ("gatehouse_worker_messages_received_total{\(worker)}", 12),
      ("gatehouse_worker_reconnects_total{\(worker)}", 13),
      (#"gatehouse_link_ends_total{reason="go-away"}"#, 6),
      ("gatehouse_messages_to_unknown_session_total", 21),
      ("gatehouse_messages_without_target_total", 22),
      ("gatehouse_broadcasts_total", 23),
      ("gatehouse_broadcasts_refused_total", 24),
      ("gatehouse_packets_rerouted_total", 25),
      ("gatehouse_unfinished_packets_dropped_total", 30),
      ("gatehouse_packets_of_closed_sessions_total", 31),
      ("gatehouse_client_queue_bytes", 26),
      ("gatehouse_accept_pauses_total", 27),
      ("gatehouse_worker_read_pauses_total", 28),
      ("gatehouse_recordings", 32),
      ("gatehouse_log_lines_dropped_total", 29),
    ]
    let all = expected + accessExpected
    for (sample, value) in all { #expect(metrics.value(sample) == value, "\(sample)") }
    // One family for each metric above, and no other.
    let families = Set(all.map { String($0.0.prefix { $0 != "{" }) })
    #expect(Set(metrics.types.keys) == families)
  }

  /// Cells that a snapshot does not have count as zero, so that no series is ever missing.
  @Test func everyReasonAndStateIsPresent() throws {
    var snapshot = snapshot()
    snapshot.listeners[0].sessionsClosed = []
    snapshot.linkEnds = []
    snapshot.access.loginsRefused = []
    let metrics = try PrometheusText(parsing: render(snapshot))
    let counts = Dictionary(grouping: metrics.samples.keys) { $0.prefix { $0 != "{" } }
    #expect(counts["gatehouse_sessions_closed_total"]?.count == CloseReason.allCases.count)
    #expect(counts["gatehouse_link_ends_total"]?.count == LinkEndReason.allCases.count)
    #expect(counts["gatehouse_login_refusals_total"]?.count == LoginRefusal.allCases.count)
    #expect(counts["gatehouse_worker_state"]?.count == WorkerStatus.State.allCases.count)
    #expect(metrics.value(#"gatehouse_link_ends_total{reason="shutdown"}"#) == 0)
  }

  @Test func theTextIsAsDocumented() {
    #expect(
      render(snapshot()).hasPrefix(
        #"""
        # HELP gatehouse_sessions_open Open sessions.
        # TYPE gatehouse_sessions_open gauge
        gatehouse_sessions_open{listener="ga\"m\\e\nx"} 1
        # HELP gatehouse_sessions_opened_total Clients accepted.
        # TYPE gatehouse_sessions_opened_total counter
        gatehouse_sessions_opened_total{listener="ga\"m\\e\nx"} 2
        # HELP gatehouse_sessions_closed_total Sessions closed, by reason.
        # TYPE gatehouse_sessions_closed_total counter
        gatehouse_sessions_closed_total{listener="ga\"m\\e\nx",reason="client-closed"} 0

        """#))
  }

  @Test func metricsOfOthersAreAdded() throws {
    let more = [
      ExtraMetric(
        name: "gatehouse_store_queries_total", kind: .counter, help: "Queries.", value: 5),
      ExtraMetric(name: "gatehouse_store_bytes", kind: .gauge, help: "Size.", value: .max),
    ]
    let text = MetricsText.render(
      emptySnapshot(), process: nil, logLinesDropped: 0, more: more)
    let metrics = try PrometheusText(parsing: String(decoding: text, as: UTF8.self))
    #expect(metrics.value("gatehouse_store_queries_total") == 5)
    #expect(metrics.types["gatehouse_store_queries_total"] == "counter")
    #expect(metrics.value("gatehouse_store_bytes") == Double(UInt64.max))
    #expect(metrics.types["gatehouse_store_bytes"] == "gauge")
  }

  @Test func theProcessIsDescribed() throws {
    let process = ProcessMetrics(
      startTimeCentiseconds: 179_513_000_005, cpuCentiseconds: 250, residentBytes: 1 << 20,
      openDescriptors: 12, descriptorsMax: 1024)
    let text = render(emptySnapshot(), process: process)
    let metrics = try PrometheusText(parsing: text)
    #expect(text.contains("\nprocess_start_time_seconds 1795130000.05\n"))
    #expect(text.contains("\nprocess_cpu_seconds_total 2.50\n"))
    #expect(metrics.value("process_resident_memory_bytes") == 1_048_576)
    #expect(metrics.value("process_open_fds") == 12)
    #expect(metrics.value("process_max_fds") == 1024)
  }

  @Test func thisProcessCanBeRead() throws {
    let process = try #require(ProcessMetrics.current())
    #expect(process.residentBytes > 1 << 20)
    #expect(process.openDescriptors >= 3)
    #expect(process.descriptorsMax >= process.openDescriptors)
    // After 2020: seconds, not ticks, since 1970.
    #expect(process.startTimeCentiseconds > 157_783_680_000)
  }
}
