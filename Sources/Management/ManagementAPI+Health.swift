internal import JSON
internal import Gateway

extension ManagementAPI {
  func live() -> HTTPResponse {
    switch perform(.health, Self.liveTimeoutMilliseconds) {
    case .health: HTTPResponse(200) { $0.member("live", true) }
    case let reply: Self.unexpected(reply)
    }
  }

  func ready() -> HTTPResponse {
    switch perform(.health, Self.timeoutMilliseconds) {
    case .health(let health) where health.ready: HTTPResponse(200) { $0.member("ready", true) }
    case .health(let health): Self.notReady(health)
    case let reply: Self.unexpected(reply)
    }
  }

  private static func notReady(_ health: HealthStatus) -> HTTPResponse {
    let message =
      health.shuttingDown ? "the gateway is shutting down" : "a pool has no worker in rotation"
    return .error(
      503, "not-ready", message,
      beside: { json in
        json.member("ready", false)
        json.member("pools_without_worker", health.poolsWithoutWorker)
        json.member("shutting_down", health.shuttingDown)
      })
  }

  func metrics() -> HTTPResponse {
    switch perform(.metrics, Self.timeoutMilliseconds) {
    case .metrics(let snapshot):
      HTTPResponse(
        200, contentType: MetricsText.contentType,
        body: MetricsText.render(
          snapshot, process: .current(), logLinesDropped: logLinesDropped(),
          more: moreMetrics()))
    case let reply: Self.unexpected(reply)
    }
  }
}
