internal import Auth
internal import Framing
internal import Gateway
internal import Primitives

extension GatehouseForm {
  mutating func readListeners() {
    var readers = root.subtables("listener", isRequired: true)
    for index in readers.indices {
      let listener = readListener(&readers[index], defaultName: "listener-\(index + 1)")
      draft.configuration.listeners.append(listener)
      root.add(readers[index].finish())
    }
  }

  mutating func readListener(
    _ reader: inout TableReader, defaultName: String
  ) -> ListenerConfiguration {
    let name = reader.name("name", default: defaultName)
    if draft.configuration.listeners.contains(where: { $0.name == name }) {
      reader.note(
        "name", "another listener is named \"\(name)\"", expected: "a name of its own")
    }
    let node = reader.takeRequired("address", expected: TableReader.addressExpected)
    let address = node.flatMap { reader.address("address", $0) }
    if let node, let address {
      listenerAddresses.append((address, node.position, reader.path(of: "address")))
    }
    var listener = ListenerConfiguration(
      name: name, host: address?.host ?? "", port: address?.port ?? 1, pool: readPool(&reader))
    let login = readFramers(&reader, &listener)
    readTimeouts(&reader, &listener)
    readAuthentication(&reader, &listener, ready: login)
    warnOfSteps(reader, listener)
    readLimits(&reader, &listener)
    listener.refusals = readRefusals(&reader)
    return listener
  }

  /// The index of the pool that `reader` names; 0 when it has none, with a problem noted.
  ///
  /// - Parameter unnamed: the pool when none is named; nil when one must be, unless there is but
  ///   one.
  func readPool(_ reader: inout TableReader, unnamed: Int? = nil) -> Int {
    let pools = draft.configuration.pools.map(\.name)
    let expected = list(pools.map { "\"\($0)\"" })
    guard let node = reader.take("pool") else {
      if let unnamed { return unnamed }
      if pools.count > 1 {
        reader.note(
          "pool", "missing, and there is more than one pool", expected: expected)
      }
      return 0
    }
    guard case .string(let name) = node.value else {
      reader.noteWrongType("pool", node, expected: "a pool's name")
      return 0
    }
    if let index = pools.firstIndex(of: name) { return index }
    // Without any pool that is what is wrong, and noted once.
    if !pools.isEmpty {
      reader.note(
        "pool", "no pool is named \"\(shown(name))\"", expected: expected,
        suggestion: nearestName(to: name, among: pools))
    }
    return 0
  }

  /// - Returns: the login that came with the framer's definition.
  private mutating func readFramers(
    _ reader: inout TableReader, _ listener: inout ListenerConfiguration
  ) -> LoginDescription? {
    let definition = framers.resolve("framer", of: &reader)
    if let definition {
      listener.framerName = definition.name
      listener.clientToServer = definition.clientToServer
      listener.serverToClient = definition.serverToClient ?? .raw
    }
    if reader.table.entry("framer_to_client") != nil {
      if let other = framers.resolve("framer_to_client", of: &reader) {
        listener.serverToClient = other.serverToClient ?? other.clientToServer
      }
      if listener.serverToClient.dropsBytes {
        reader.note(
          "framer_to_client", "clients get every byte",
          expected: "keep = true in this direction")
      }
    } else {
      _ = reader.take("framer_to_client")
    }
    warnOfRawPackets(reader, listener)
    return definition?.login
  }

  /// A step that waits for something that can't come, or is over before it began.
  private mutating func warnOfSteps(_ reader: TableReader, _ listener: ListenerConfiguration) {
    guard listener.authentication == nil, listener.clientToServer.asksForAuthentication else {
      return
    }
    draft.warnings.append(
      ConfigurationProblem(
        at: reader.position(of: "framer"), key: reader.path(of: "framer"),
        "nobody is asked who they are here, so the framer's step until = \"authenticated\" is over "
          + "from the start: \(listener.clientToServer)"))
  }

  private mutating func warnOfRawPackets(
    _ reader: TableReader, _ listener: ListenerConfiguration
  ) {
    guard draft.configuration.pools.indices.contains(listener.pool) else { return }
    let pool = draft.configuration.pools[listener.pool]
    if pool.balance == .packet && listener.clientToServer == .raw {
      draft.warnings.append(
        ConfigurationProblem(
          at: reader.position(of: "framer"), key: reader.path(of: "framer"),
          "with the raw framer and balance = \"packet\", one message of a client may be spread "
            + "over several workers"))
    }
  }

  private func readTimeouts(
    _ reader: inout TableReader, _ listener: inout ListenerConfiguration
  ) {
    listener.idleTimeout = reader.duration(
      "idle_timeout", Bounds.idleTimeout, default: listener.idleTimeout)
    listener.writeTimeout = reader.duration(
      "write_timeout", Bounds.writeTimeout, default: listener.writeTimeout)
    listener.workerWait = reader.duration(
      "worker_wait", Bounds.workerWait, default: listener.workerWait)
    listener.halfCloseTimeout = reader.duration(
      "half_close_timeout", Bounds.halfCloseTimeout, default: listener.halfCloseTimeout)
    listener.keepalive = reader.duration(
      "keepalive", Bounds.keepalive, default: listener.keepalive)
    if listener.keepalive.nanoseconds % Interval.seconds(1).nanoseconds != 0 {
      reader.note(
        "keepalive", "\(listener.keepalive.configured) is not a whole number of seconds",
        expected: "whole seconds, or 0 to switch probes off")
    }
  }

  /// No two sockets can listen at one address.
  mutating func checkAddresses() {
    for (index, later) in listenerAddresses.enumerated() {
      let earlier = listenerAddresses[..<index].first { $0.address.collides(with: later.address) }
      guard let earlier else { continue }
      let (first, second) = earlier.position < later.position ? (earlier, later) : (later, earlier)
      draft.problems.append(
        ConfigurationProblem(
          at: second.position, key: second.key,
          "\(shown(second.address.text)) is taken by \(first.key) (\(shown(first.address.text)), "
            + "line \(first.position.line))",
          expected: "an address or a port of its own"))
    }
  }

  /// A packet that no message can carry would close its session: better said before the start.
  mutating func checkPacketsFit(_ limits: Limits) {
    guard case .array(let nodes)? = root.table.entry("listener")?.node.value else { return }
    for (index, listener) in draft.configuration.listeners.enumerated() where index < nodes.count {
      guard case .table(let table) = nodes[index].value else { continue }
      checkPacketsFit(
        listener.clientToServer, at: table.entry("framer")?.node.position ?? nodes[index].position,
        key: "listener[\(index + 1)].framer", limits)
      guard let framer = listener.loginFramer, let auth = table.entry("auth")?.node else {
        continue
      }
      checkPacketsFit(
        framer, at: auth.position, key: "listener[\(index + 1)].auth.framer", limits)
    }
  }

  mutating func checkPacketsFit(
    _ framer: Framer, at position: TextPosition, key: String, _ limits: Limits
  ) {
    guard let packetBytesMax = framer.packetBytesMax,
      packetBytesMax + Bounds.messageOverheadBytes > limits.messageBytesMax
    else { return }
    draft.problems.append(
      ConfigurationProblem(
        at: position, key: key,
        "its packets of up to \(ByteCountText.describe(packetBytesMax)) do not fit "
          + "limits.message_size, which is \(ByteCountText.describe(limits.messageBytesMax))",
        expected: "message_size to be at least \(Bounds.messageOverheadBytes) bytes more than "
          + "the framer's max"))
  }
}
