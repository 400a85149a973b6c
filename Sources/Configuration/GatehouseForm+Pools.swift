internal import Gateway
internal import Upstream

extension GatehouseForm {
  mutating func readPools() {
    var readers = root.subtables("pool", isRequired: true)
    var workers: [(address: HostPort, pool: String)] = []
    for index in readers.indices {
      let pool = readPool(&readers[index], &workers)
      draft.configuration.pools.append(pool)
      root.add(readers[index].finish())
    }
  }

  private mutating func readPool(
    _ reader: inout TableReader, _ workers: inout [(address: HostPort, pool: String)]
  ) -> PoolConfiguration {
    var pool = PoolConfiguration(name: reader.name("name", default: "default"))
    if draft.configuration.pools.contains(where: { $0.name == pool.name }) {
      reader.note(
        "name", "another pool is named \"\(pool.name)\"", expected: "a name of its own")
    }
    pool.balance = reader.choice(
      "balance", PoolConfiguration.Balance.allCases.map { (name: $0.rawValue, value: $0) },
      default: pool.balance)
    pool.activeWindow = reader.duration(
      "active_window", Bounds.activeWindow, default: pool.activeWindow)
    pool.drainTimeout = reader.duration(
      "drain_timeout", Bounds.drainTimeout, default: pool.drainTimeout)
    var workerReaders = reader.subtables("worker")
    for index in workerReaders.indices {
      if let worker = readWorker(&workerReaders[index], pool: pool.name, &workers) {
        pool.workers.append(worker)
      }
      reader.add(workerReaders[index].finish())
    }
    if workerReaders.isEmpty {
      draft.warnings.append(
        ConfigurationProblem(
          at: reader.position, key: reader.path,
          "the pool has no worker; its sessions wait until one is added"))
    }
    return pool
  }

  private func readWorker(
    _ reader: inout TableReader, pool: String, _ workers: inout [(address: HostPort, pool: String)]
  ) -> WorkerConfiguration? {
    let node = reader.takeRequired("address", expected: TableReader.addressExpected)
    let address = node.flatMap { reader.address("address", $0) }
    var worker = WorkerConfiguration(host: address?.host ?? "", port: address?.port ?? 1)
    worker.connectTimeout = reader.duration(
      "connect_timeout", Bounds.connectTimeout, default: worker.connectTimeout)
    worker.readyTimeout = reader.duration(
      "ready_timeout", Bounds.readyTimeout, default: worker.readyTimeout)
    worker.aliveTimeout = reader.duration(
      "alive_timeout", Bounds.aliveTimeout, default: worker.aliveTimeout)
    guard let address else { return nil }
    // The contract promises a worker one stream for each gateway.
    if let earlier = workers.first(where: {
      $0.address.port == address.port && $0.address.canonicalHost == address.canonicalHost
    }) {
      reader.note(
        "address", "pool \"\(earlier.pool)\" has a worker at \(shown(address.text)) already",
        expected: "each worker once")
    }
    workers.append((address, pool))
    return worker
  }

  /// Warns of pools that no listener names.
  mutating func checkPoolsAreUsed() {
    guard case .array(let nodes)? = root.table.entry("pool")?.node.value,
      !draft.configuration.listeners.isEmpty
    else { return }
    for (index, pool) in draft.configuration.pools.enumerated() where index < nodes.count {
      let isServed = draft.configuration.listeners.contains { $0.pool == index }
      if !isServed && !poolsAsked.contains(index) {
        draft.warnings.append(
          ConfigurationProblem(
            at: nodes[index].position, key: "pool[\(index + 1)]",
            "no listener uses the pool \"\(pool.name)\""))
      }
    }
  }
}
