internal import Auth
internal import Gateway

extension MetricsText {
  /// What became of claims to be let in, of limits and of bans.
  static func access(_ access: AccessMetrics, _ writer: inout PrometheusWriter) {
    writer.family(
      "gatehouse_logins_total", .counter, "Claims to be let in that were decided, by outcome."
    ) { family in
      family.add([("outcome", "accepted")], access.loginsAccepted)
      family.add([("outcome", "refused")], access.loginsRefused.reduce(0, &+))
      family.add([("outcome", "unavailable")], access.loginsUnavailable)
    }
    writer.family(
      "gatehouse_login_refusals_total", .counter, "Claims that do not hold, by reason."
    ) { family in
      for (index, refusal) in LoginRefusal.allCases.enumerated() {
        let counts = access.loginsRefused
        family.add([("reason", refusal.rawValue)], index < counts.count ? counts[index] : 0)
      }
    }
    let gauges: [(String, String, Int)] = [
      (
        "gatehouse_logins_pending", "Clients that have not been let in yet.", access.loginsPending
      ),
      (
        "gatehouse_logins_waiting", "Claims that wait until they may be verified.",
        access.loginsWaiting
      ),
      ("gatehouse_logins_verifying", "Claims that are being verified.", access.loginsVerifying),
      ("gatehouse_bans", "Bans and allowances in force.", access.bans),
      (
        "gatehouse_ban_table_bytes", "Memory of the bans and allowances in force.",
        access.banTableBytes
      ),
    ]
    for (name, help, value) in gauges { writer.single(name, .gauge, value, help) }
    let counters: [(String, String, UInt64)] = [
      (
        "gatehouse_limit_slowdowns_total",
        "Times that a session was not read for a while because it had sent too much.",
        access.slowDowns
      ),
      (
        "gatehouse_packets_dropped_total", "Packets forgotten because of a limit.",
        access.packetsDropped
      ),
      ("gatehouse_temporary_bans_total", "Bans that rules made.", access.temporaryBans),
      (
        "gatehouse_sessions_banned_total", "Sessions that a new ban ended.", access.sessionsBanned
      ),
    ]
    for (name, help, value) in counters { writer.single(name, .counter, value, help) }
  }

  static func more(_ metrics: [ExtraMetric], _ writer: inout PrometheusWriter) {
    for metric in metrics {
      let kind: PrometheusWriter.Kind =
        switch metric.kind {
        case .counter: .counter
        case .gauge: .gauge
        }
      writer.single(metric.name, kind, metric.value, metric.help)
    }
  }
}
