internal import Commands
internal import Configuration
internal import Framing
internal import Gateway
internal import Upstream

/// Says what is wrong with a configuration file, or what it would run.
///
/// - Returns: the process's exit status: 1 when something is wrong, else 0.
func check(configurationPath: String) -> Int32 {
  guard let loaded = loadConfiguration(path: configurationPath) else { return 1 }
  writeOutput(summary(of: loaded.configuration, path: configurationPath))
  return 0
}

/// What a configuration would run, for an operator; holds no secret.
private func summary(of configuration: GatewayConfiguration, path: String) -> String {
  var text = "\(path): a good configuration\n"
  if configuration.shards > 1 { text += shardSummary(of: configuration) }
  for listener in configuration.listeners {
    let pool = configuration.pools[listener.pool].name
    let saved = listener.origin == .saved ? ", saved" : ""
    text += "listener \(listener.name): \(listener.address), pool \(pool)\(saved)\n"
    text += "  client to server: \(described(listener.clientToServer, name: listener.framerName))\n"
    text += "  server to client: \(listener.serverToClient)\n"
    text += "  idle timeout \(listener.idleTimeout.configured), write timeout "
    text += "\(listener.writeTimeout.configured), worker wait \(listener.workerWait.configured)\n"
    text += accessSummary(of: listener, pools: configuration.pools)
  }
  for pool in configuration.pools {
    text += "pool \(pool.name): balance per \(pool.balance.rawValue), \(pool.workers.count) "
    text += pool.workers.count == 1 ? "worker\n" : "workers\n"
    for worker in pool.workers {
      text += "  worker \(worker.authority): ready timeout \(worker.readyTimeout.configured), "
      text += "alive timeout \(worker.aliveTimeout.configured)\n"
    }
  }
  if let management = configuration.management {
    let token =
      management.token.isEmpty ? "token in \(management.tokenFile)" : "token in the configuration"
    text += "management: http://\(authority(management.host, management.port)), \(token)"
    text += management.recording ? ", sessions may be recorded\n" : "\n"
  } else {
    text += "management: none\n"
  }
  text += "saved listeners: \(configuration.savedListenersFile)\n"
  let limits = configuration.limits
  text += "limits: \(limits.sessionsMax) sessions, messages up to "
  text += "\(ByteCountText.describe(limits.messageBytesMax)), queues up to "
  text += "\(ByteCountText.describe(limits.clientQueueBytesMax)) for a client, "
  text += "\(ByteCountText.describe(limits.clientQueueBytesTotalMax)) for all clients of one "
  text += "shard, \(ByteCountText.describe(limits.workerQueueBytesMax)) for a worker\n"
  text += accessSummary(of: configuration)
  text += "log: \(configuration.log.level.name), as \(configuration.log.format.rawValue)\n"
  return text
}

/// Where workers are, when there are several places for them.
private func shardSummary(of configuration: GatewayConfiguration) -> String {
  let together = configuration.pools.indices.filter { !configuration.isSpread(pool: $0) }
  var text = "shards: \(configuration.shards)"
  if !together.isEmpty {
    let names = together.map { configuration.pools[$0].name }.joined(separator: ", ")
    text += together.count == 1 ? "; pool \(names) is" : "; pools \(names) are"
    text += " with the first of them as a whole"
  }
  return text + "\n"
}

private func described(_ framer: Framer, name: String) -> String {
  let description = framer.description
  let namesItself = description == name || description.hasPrefix(name + " ")
  return namesItself ? description : "\(name), which is \(description)"
}
