internal import Framing
internal import Gateway
internal import Primitives
internal import Upstream

/// Reads a file in Gatehouse's own form.
func loadGatehouseForm(
  _ table: TomlTable, folder: String, _ sources: FramerSources
) -> ConfigurationDraft {
  var form = GatehouseForm(table, folder: folder, sources)
  form.readPools()
  form.readFramerDefinitions()
  form.readStore()
  form.readListeners()
  form.readLogins()
  form.readTemporaryBans()
  form.readAccess()
  form.readManagement()
  form.readLimits()
  form.readLog()
  return form.finish()
}

/// Gatehouse's own form while it is read.
///
/// Pools and framers come before the listeners that name them, in whatever order the file has them.
struct GatehouseForm {
  var root: TableReader
  var draft: ConfigurationDraft
  var framers: FramerTable
  /// The pools whose workers are asked who may come in.
  var poolsAsked: [Int] = []
  /// Where something listens, and which key says so.
  var listenerAddresses: [(address: HostPort, position: TextPosition, key: String)] = []

  init(_ table: TomlTable, folder: String, _ sources: FramerSources) {
    framers = FramerTable(sources, folder: folder)
    root = TableReader(table, path: "", position: .start)
    draft = ConfigurationDraft(folder: folder)
  }

  mutating func finish() -> ConfigurationDraft {
    checkAddresses()
    checkPoolsAreUsed()
    draft.warnings += framers.warnings
    draft.problems += root.finish()
    return draft
  }

  mutating func readFramerDefinitions() {
    framers.readDirectory(&root)
    framers.read(&root)
  }

  mutating func readManagement() {
    guard var reader = root.subtable("management") else { return }
    var management = ManagementConfiguration()
    if let node = reader.take("address"), let address = reader.address("address", node) {
      management.host = address.host
      management.port = address.port
      listenerAddresses.append((address, node.position, reader.path(of: "address")))
    }
    warnUnlessLoopback(management, at: reader.position(of: "address"), key: "management.address")
    if let token = reader.text("token", byteCount: Bounds.tokenBytes) {
      // The value stays out of the message: messages end in logs.
      if !token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
        reader.note("token", "it has a character in it that HTTP does not carry", expected: "ASCII")
      }
      management.token = token
    }
    if let path = reader.text("token_file", byteCount: Bounds.pathBytes) {
      management.tokenFile = draft.resolved(path)
    }
    if reader.table.entry("token") != nil && reader.table.entry("token_file") != nil {
      reader.note("token_file", "there is a token already", expected: "\"token\" or \"token_file\"")
    } else if reader.table.entry("token") == nil && reader.table.entry("token_file") == nil {
      management.tokenFile = draft.resolved(defaultTokenFile)
    }
    if let path = reader.text("saved_listeners", byteCount: Bounds.pathBytes) {
      draft.configuration.savedListenersFile = draft.resolved(path)
    }
    management.recording = reader.boolean("recording", default: management.recording)
    root.add(reader.finish())
    draft.configuration.management = management
  }

  mutating func readLimits() {
    draft.configuration.shards = root.integer(
      "shards", Bounds.shards, default: draft.configuration.shards)
    draft.configuration.shutdownGrace = root.duration(
      "shutdown_grace", Bounds.shutdownGrace, default: draft.configuration.shutdownGrace)
    guard var reader = root.subtable("limits") else {
      checkPacketsFit(draft.configuration.limits)
      return
    }
    var limits = Limits()
    limits.sessionsMax = reader.integer("sessions", Bounds.sessions, default: limits.sessionsMax)
    limits.messageBytesMax = reader.byteCount(
      "message_size", Bounds.messageBytes, default: limits.messageBytesMax)
    limits.clientQueueBytesMax = reader.byteCount(
      "client_queue", Bounds.clientQueueBytes, default: limits.clientQueueBytesMax)
    limits.clientQueueBytesTotalMax = reader.byteCount(
      "client_queue_total", Bounds.clientQueueBytesTotal, default: limits.clientQueueBytesTotalMax)
    limits.workerQueueBytesMax = reader.byteCount(
      "worker_queue", Bounds.workerQueueBytes, default: limits.workerQueueBytesMax)
    if reader.problems.isEmpty && limits.clientQueueBytesTotalMax < limits.clientQueueBytesMax {
      reader.note(
        "client_queue_total", "it is less than client_queue",
        expected: "at least \(ByteCountText.describe(limits.clientQueueBytesMax))")
    }
    if reader.problems.isEmpty { checkPacketsFit(limits) }
    root.add(reader.finish())
    draft.configuration.limits = limits
  }

  mutating func readLog() {
    guard var reader = root.subtable("log") else { return }
    var log = LogConfiguration()
    log.level = reader.choice(
      "level", LogLevel.allCases.map { (name: $0.name, value: $0) }, default: log.level)
    log.format = reader.choice(
      "format", LogConfiguration.Format.allCases.map { (name: $0.rawValue, value: $0) },
      default: log.format)
    root.add(reader.finish())
    draft.configuration.log = log
  }

  mutating func warnUnlessLoopback(
    _ management: ManagementConfiguration, at position: TextPosition, key: String
  ) {
    if let warning = loopbackWarning(management, at: position, key: key) {
      draft.warnings.append(warning)
    }
  }
}

/// The bearer token's file when the configuration names none, in the configuration's own folder.
let defaultTokenFile = "gatehouse.token"

func loopbackWarning(
  _ management: ManagementConfiguration, at position: TextPosition, key: String
) -> ConfigurationProblem? {
  guard !HostPort(host: management.host, port: management.port).isLoopback else { return nil }
  return ConfigurationProblem(
    at: position, key: key,
    "the management API speaks plain HTTP, and \(shown(management.host)) is not a loopback "
      + "address: its token can be read on the way")
}
