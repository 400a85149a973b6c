internal import Gateway
internal import Primitives
internal import Upstream

/// Reads a file in the form of PersistentParadoxPlex, with that server's defaults.
///
/// Its `[server]` becomes one raw listener named "server", its `[[upstream]]` the workers of one
/// pool named "default".
func loadParadoxPlexForm(_ table: TomlTable, folder: String) -> ConfigurationDraft {
  var form = ParadoxPlexForm(table, folder: folder)
  form.readUpstreams()
  form.readServer()
  form.readManagement()
  return form.finish()
}

private struct ParadoxPlexForm {
  private static let secondsMax = 3_600

  private var root: TableReader
  private var draft: ConfigurationDraft

  init(_ table: TomlTable, folder: String) {
    root = TableReader(table, path: "", position: .start)
    draft = ConfigurationDraft(folder: folder)
  }

  mutating func readServer() {
    var listener = ListenerConfiguration(name: "server", host: "127.0.0.1", port: 7999, pool: 0)
    if var reader = root.subtable("server") {
      listener.host = reader.host(default: listener.host)
      listener.port = reader.port(default: listener.port)
      root.add(reader.finish())
    }
    draft.configuration.listeners = [listener]
  }

  mutating func readUpstreams() {
    var pool = PoolConfiguration(name: "default")
    var readers = root.subtables("upstream", isRequired: true)
    for index in readers.indices {
      let worker = readWorker(&readers[index])
      if pool.workers.contains(where: { $0.authority == worker.authority }) {
        readers[index].note(
          "port", "another upstream is at \(shown(worker.authority))", expected: "each worker once")
      }
      if readers[index].problems.isEmpty { pool.workers.append(worker) }
      root.add(readers[index].finish())
    }
    draft.configuration.pools = [pool]
  }

  private func readWorker(_ reader: inout TableReader) -> WorkerConfiguration {
    if reader.table.entry("host") == nil {
      _ = reader.takeRequired("host", expected: "the worker's host")
    }
    if reader.table.entry("port") == nil {
      _ = reader.takeRequired("port", expected: "the worker's port")
    }
    var worker = WorkerConfiguration(
      host: reader.host(default: ""), port: reader.port(default: 1))
    worker.aliveTimeout = .seconds(
      UInt64(reader.integer("alive_timeout", 1...Self.secondsMax, default: 30)))
    worker.readyTimeout = .seconds(
      UInt64(reader.integer("ready_timeout", 1...Self.secondsMax, default: 30)))
    return worker
  }

  mutating func readManagement() {
    readTLS(&root, "management_server_tls")
    guard var reader = root.subtable("management_server") else { return }
    var management = ManagementConfiguration()
    management.host = reader.host(default: management.host)
    management.port = reader.port(default: management.port)
    management.tokenFile = draft.resolved(defaultTokenFile)
    if let warning = loopbackWarning(
      management, at: reader.position(of: "host"), key: reader.path(of: "host"))
    {
      draft.warnings.append(warning)
    }
    readLogLevel(&reader)
    readTLS(&reader, "tls")
    root.add(reader.finish())
    draft.configuration.management = management
  }

  /// Their levels are those of Rocket 0.4, whose most silent ones have no counterpart here.
  private mutating func readLogLevel(_ reader: inout TableReader) {
    let levels: [(name: String, value: LogLevel)] = [
      ("critical", .error), ("normal", .info), ("debug", .debug), ("trace", .debug),
      ("off", .error),
    ]
    draft.configuration.log.level = reader.choice(
      "log_level", levels, default: draft.configuration.log.level)
    if case .string("off")? = reader.table.entry("log_level")?.node.value {
      draft.warnings.append(
        ConfigurationProblem(
          at: reader.position(of: "log_level"), key: reader.path(of: "log_level"),
          "errors are logged all the same"))
    }
  }

  private func readTLS(_ parent: inout TableReader, _ key: String) {
    guard var reader = parent.subtable(key) else { return }
    for name in ["cert_path", "key_path"] {
      guard let node = reader.take(name) else { continue }
      switch node.value {
      case .string(""): break
      case .string:
        reader.note(
          name, "the management API speaks plain HTTP; put a proxy that ends TLS in front of it",
          expected: "an empty string")
      case .integer, .boolean, .float, .dateOrTime, .array, .table:
        reader.noteWrongType(name, node, expected: "a string")
      }
    }
    parent.add(reader.finish())
  }

  mutating func finish() -> ConfigurationDraft {
    if root.problems.isEmpty { checkAddresses() }
    draft.problems += root.finish()
    return draft
  }

  private mutating func checkAddresses() {
    guard let management = draft.configuration.management,
      let listener = draft.configuration.listeners.first,
      HostPort(host: management.host, port: management.port)
        .collides(with: HostPort(host: listener.host, port: listener.port)),
      let node = root.table.entry("management_server")?.node
    else { return }
    draft.problems.append(
      ConfigurationProblem(
        at: node.position, key: "management_server", "its address is the server's",
        expected: "an address or a port of its own"))
  }
}

extension TableReader {
  /// The key `host`: a name or an address, with or without brackets; `default` when absent or
  /// wrong.
  fileprivate mutating func host(default: String) -> String {
    guard let node = take("host") else { return `default` }
    let expected = "a host name or an address"
    guard case .string(let text) = node.value else {
      noteWrongType("host", node, expected: expected)
      return `default`
    }
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]") && text.contains(":")
    let host = isBracketed ? text.dropFirst().dropLast() : text[...]
    if let message = HostPort.hostFailure(host) {
      note("host", message, expected: expected)
      return `default`
    }
    return String(host)
  }

  fileprivate mutating func port(default: UInt16) -> UInt16 {
    UInt16(integer("port", 1...65_535, default: Int(`default`)))
  }
}
