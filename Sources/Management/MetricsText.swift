public import Gateway
internal import Upstream

/// Turns a snapshot into the Prometheus text format, version 0.0.4.
///
/// docs/metrics.md lists every metric.
public enum MetricsText {
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// - Parameters:
  ///   - process: nil leaves the metrics of the process out.
  ///   - more: metrics of others, whose names no metric here has.
  /// - Returns: UTF-8; every reason and state has its sample, zero included.
  public static func render(
    _ snapshot: MetricsSnapshot, process: ProcessMetrics?, logLinesDropped: UInt64,
    more: [ExtraMetric] = []
  ) -> [UInt8] {
    var writer = PrometheusWriter()
    sessions(snapshot.listeners, &writer)
    traffic(snapshot.listeners, &writer)
    workerGauges(snapshot.workers, &writer)
    workerCounters(snapshot.workers, &writer)
    access(snapshot.access, &writer)
    gateway(snapshot, &writer)
    writer.single(
      "gatehouse_log_lines_dropped_total", .counter, logLinesDropped,
      "Log lines that found the log's queue full.")
    self.more(more, &writer)
    if let process { self.process(process, &writer) }
    return writer.bytes
  }

  private static func sessions(
    _ listeners: [MetricsSnapshot.Listener], _ writer: inout PrometheusWriter
  ) {
    writer.family("gatehouse_sessions_open", .gauge, "Open sessions.") { family in
      for listener in listeners {
        family.add([("listener", listener.name)], listener.sessionsOpen)
      }
    }
    writer.family("gatehouse_sessions_opened_total", .counter, "Clients accepted.") { family in
      for listener in listeners {
        family.add([("listener", listener.name)], listener.sessionsOpened)
      }
    }
    writer.family("gatehouse_sessions_closed_total", .counter, "Sessions closed, by reason.") {
      family in
      for listener in listeners {
        for reason in CloseReason.allCases {
          family.add(
            [("listener", listener.name), ("reason", reason.name)],
            count(listener.sessionsClosed, reason.rawValue))
        }
      }
    }
  }

  private static func traffic(
    _ listeners: [MetricsSnapshot.Listener], _ writer: inout PrometheusWriter
  ) {
    let metrics: [(String, String, KeyPath<MetricsSnapshot.Listener, UInt64>)] = [
      (
        "gatehouse_client_packets_received_total", "Packets cut from what clients sent.",
        \.packetsIn
      ),
      ("gatehouse_client_bytes_received_total", "Bytes read from clients.", \.bytesIn),
      (
        "gatehouse_client_messages_sent_total", "Workers' messages handed to clients.",
        \.messagesOut
      ),
      ("gatehouse_client_bytes_sent_total", "Bytes written to clients.", \.bytesOut),
    ]
    for (name, help, path) in metrics {
      writer.family(name, .counter, help) { family in
        for listener in listeners {
          family.add([("listener", listener.name)], listener[keyPath: path])
        }
      }
    }
  }

  private static func labels(_ worker: WorkerStatus) -> [PrometheusWriter.Label] {
    [("pool", worker.pool), ("worker", worker.endpoint), ("id", String(worker.id.rawValue))]
  }

  private static func workerGauges(_ workers: [WorkerStatus], _ writer: inout PrometheusWriter) {
    writer.family(
      "gatehouse_worker_state", .gauge, "1 for the state that the worker is in, 0 for the others."
    ) { family in
      for worker in workers {
        for state in WorkerStatus.State.allCases {
          family.add(
            labels(worker) + [("state", state.rawValue)], worker.state == state ? 1 : 0)
        }
      }
    }
    let metrics: [(String, String, KeyPath<WorkerStatus, Int>)] = [
      ("gatehouse_worker_sessions", "Sessions that the worker has.", \.sessions),
      ("gatehouse_worker_queue_bytes", "Encoded bytes that wait for the worker.", \.queuedBytes),
    ]
    for (name, help, path) in metrics {
      writer.family(name, .gauge, help) { family in
        for worker in workers { family.add(labels(worker), worker[keyPath: path]) }
      }
    }
  }

  private static func workerCounters(_ workers: [WorkerStatus], _ writer: inout PrometheusWriter) {
    let metrics: [(String, String, KeyPath<WorkerStatus, UInt64>)] = [
      ("gatehouse_worker_packets_sent_total", "Packets sent to the worker.", \.packetsSent),
      (
        "gatehouse_worker_messages_received_total", "Messages received from the worker.",
        \.messagesReceived
      ),
      ("gatehouse_worker_reconnects_total", "Links made again to the worker.", \.reconnects),
    ]
    for (name, help, path) in metrics {
      writer.family(name, .counter, help) { family in
        for worker in workers { family.add(labels(worker), worker[keyPath: path]) }
      }
    }
  }

  private static func gateway(_ snapshot: MetricsSnapshot, _ writer: inout PrometheusWriter) {
    writer.family("gatehouse_link_ends_total", .counter, "Links to workers ended, by reason.") {
      family in
      for reason in LinkEndReason.allCases {
        family.add([("reason", reason.name)], count(snapshot.linkEnds, reason.rawValue))
      }
    }
    let counters: [(String, String, UInt64)] = [
      (
        "gatehouse_messages_to_unknown_session_total",
        "Workers' messages for sessions that were gone.", snapshot.messagesToUnknownSession
      ),
      (
        "gatehouse_messages_without_target_total",
        "Workers' messages without a target, or with an unknown broadcast.",
        snapshot.messagesWithoutTarget
      ),
      ("gatehouse_broadcasts_total", "Workers' broadcasts.", snapshot.broadcasts),
      (
        "gatehouse_broadcasts_refused_total", "Broadcasts that are not whole packets.",
        snapshot.broadcastsRefused
      ),
      (
        "gatehouse_packets_rerouted_total", "Packets moved from a lost worker to another.",
        snapshot.packetsRerouted
      ),
      (
        "gatehouse_unfinished_packets_dropped_total",
        "Half packets for clients whose rest can't come any more.", snapshot.unfinishedDropped
      ),
      (
        "gatehouse_packets_of_closed_sessions_total",
        "Packets that no worker got: theirs was lost when their session was already over.",
        snapshot.packetsOfClosedSessions
      ),
      (
        "gatehouse_accept_pauses_total", "Pauses of accepting for want of descriptors or memory.",
        snapshot.acceptPauses
      ),
      (
        "gatehouse_worker_read_pauses_total",
        "Pauses of reading from workers because clients take too little.",
        snapshot.workerReadPauses
      ),
    ]
    for (name, help, value) in counters { writer.single(name, .counter, value, help) }
    writer.single(
      "gatehouse_client_queue_bytes", .gauge, snapshot.clientQueueBytes,
      "Bytes that wait for all clients together.")
    writer.single(
      "gatehouse_recordings", .gauge, snapshot.recordings,
      "Recordings of sessions that go on or wait to be taken.")
  }

  private static func process(_ process: ProcessMetrics, _ writer: inout PrometheusWriter) {
    writer.family(
      "process_start_time_seconds", .gauge, "Start of the process, in seconds since 1970."
    ) { $0.add([], text: hundredths(process.startTimeCentiseconds)) }
    writer.family("process_cpu_seconds_total", .counter, "Processor time used, in seconds.") {
      $0.add([], text: hundredths(process.cpuCentiseconds))
    }
    writer.single(
      "process_resident_memory_bytes", .gauge, process.residentBytes, "Resident memory.")
    writer.single("process_open_fds", .gauge, process.openDescriptors, "Open descriptors.")
    writer.single("process_max_fds", .gauge, process.descriptorsMax, "Descriptors allowed.")
  }

  /// A snapshot made before a reason was known has no cell for it.
  private static func count(_ counts: [UInt64], _ index: UInt8) -> UInt64 {
    Int(index) < counts.count ? counts[Int(index)] : 0
  }

  private static func hundredths(_ value: UInt64) -> String {
    let fraction = value % 100
    return "\(value / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }
}
