internal import Commands
internal import CLinux
internal import Gateway
internal import Glibc
internal import Management
internal import Reactor
internal import Store
internal import Upstream

/// Runs a gateway until it is told to stop.
///
/// - Returns: the process's exit status: 0 after an orderly end, 1 when it could not start, 130
///   when a second signal ended it at once.
func serve(configurationPath: String) -> Int32 {
  guard let loaded = loadConfiguration(path: configurationPath) else { return 1 }
  return serve(loaded.configuration, loaded) {}
}

/// - Parameters:
///   - loaded: what listeners are added by; nil where none can be.
///   - whenServing: called once the listening sockets are open.
func serve(
  _ configuration: GatewayConfiguration, _ loaded: LoadedConfiguration?, whenServing: () -> Void
) -> Int32 {
  // Large tables of bans come and go: their memory goes back to the system, and not to a heap whose
  // threshold for that has grown with them.
  mallopt(M_MMAP_THRESHOLD, 8 << 20)
  // Before any thread is started, so that all of them inherit it.
  Reactor.blockSignals()
  let descriptorsMax = DescriptorLimit.raise()
  do {
    let log = try LogWriter(descriptor: STDERR_FILENO, configuration: configuration.log)
    defer { _ = log.stop(timeoutMilliseconds: 2000) }
    return serve(configuration, loaded, descriptorsMax, log, whenServing)
  } catch {
    writeError("gatehouse: \(error)\n")
    return 1
  }
}

private func serve(
  _ configuration: GatewayConfiguration, _ loaded: LoadedConfiguration?,
  _ descriptorsMax: UInt64, _ log: LogWriter, _ whenServing: () -> Void
) -> Int32 {
  do {
    let group = try ShardGroup(configuration)
    let store = try startStore(configuration, group.door, log)
    defer { stopStore(store?.service, log) }
    var reactor = try Reactor(
      configuration: configuration, group: group, descriptorsMax: descriptorsMax,
      store: store?.connection
    ) { log.log($0) }
    let listeners = loaded.map { RunningListeners($0, group).operations }
    let management = try startManagement(
      configuration, group, store?.service, listeners ?? .none, log)
    defer { management?.stop() }
    // Before that: requests that are being performed wait for shards.
    defer { group.close() }
    try group.start(configuration, store: store?.connection) { log.log($0) }
    for listener in configuration.listeners {
      log.log(
        .info, "listening",
        ["listener": listener.name, "address": "\(listener.address)"])
    }
    log.log(
      .info, "gateway-started",
      [
        "version": gatehouseVersion, "descriptors_max": "\(descriptorsMax)",
        "shards": "\(group.count)",
      ])
    whenServing()
    let isOrderly = reactor.run()
    if !isOrderly {
      // At once: the management API is not waited for, and the log for a moment only.
      log.log(.warning, "ended-at-once")
      _ = log.stop(timeoutMilliseconds: 100)
      _exit(130)
    }
    return 0
  } catch {
    log.log(.error, "cannot-start", ["reason": "\(error)"])
    return 1
  }
}

private func startManagement(
  _ configuration: GatewayConfiguration, _ group: ShardGroup, _ store: StoreService?,
  _ listeners: ListenerOperations, _ log: LogWriter
) throws -> ManagementServer? {
  guard let management = configuration.management else { return nil }
  let loaded = try Token.load(management)
  for notice in loaded.notices { log.log(.warning, "token", ["notice": "\(notice)"]) }
  let server = try ManagementServer(
    management, token: loaded.token, logLinesDropped: { log.linesDropped },
    moreMetrics: {
      [metric(ofShards: group.count)] + (store.map { metrics($0.statistics()) } ?? [])
    },
    log: { log.log($0, $1, $2) }, listeners: listeners
  ) { command, timeoutMilliseconds in
    group.perform(command, timeoutMilliseconds: timeoutMilliseconds)
  }
  log.log(
    .info, "management-listening", ["address": "\(authority(management.host, server.port))"])
  return server
}

private func metric(ofShards count: Int) -> ExtraMetric {
  ExtraMetric(
    name: "gatehouse_shards", kind: .gauge, help: "Threads that carry clients' data.",
    value: UInt64(count))
}

func authority(_ host: String, _ port: UInt16) -> String {
  WorkerConfiguration(host: host, port: port).authority
}
