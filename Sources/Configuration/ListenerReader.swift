public import Gateway
public import JSON

/// Reads listeners that do not stand in the configuration file, by the same rules as those that do.
///
/// Keys, bounds and messages are those of a `[[listener]]` table; the pools, the store, the limits
/// and the framers are those of the configuration.
public struct ListenerReader: Sendable {
  /// Something that a new listener must not get in the way of.
  public struct Neighbour: Sendable {
    /// The name that it has; nil for what is no listener.
    public var name: String?
    public var host: String
    public var port: UInt16
    /// What it is, for people: `listener "game"`.
    public var description: String

    public init(name: String?, host: String, port: UInt16, description: String) {
      self.name = name
      self.host = host
      self.port = port
      self.description = description
    }

    /// True when both can't be listened on at a time.
    public func collides(host: String, port: UInt16) -> Bool {
      HostPort(host: self.host, port: self.port).collides(with: HostPort(host: host, port: port))
    }

    /// True when they collide, or may: nobody knows here which addresses a host's name has.
    public func mayCollide(host: String, port: UInt16) -> Bool {
      let other = HostPort(host: host, port: port)
      let isNamed = HostPort(host: self.host, port: self.port).isNamed || other.isNamed
      return collides(host: host, port: port) || port == self.port && isNamed
    }
  }

  public enum Outcome: Equatable, Sendable {
    /// Good. Each warning names something that is allowed but probably not meant.
    case read(ListenerConfiguration, warnings: [ConfigurationProblem])
    /// All that is wrong, sorted by key; never empty. Neither file nor line is known.
    case refused([ConfigurationProblem])
  }

  private let form: GatehouseForm

  /// - Parameters:
  ///   - configuration: what ``ConfigurationLoader`` made of `text`.
  ///   - file: the path of the file, to whose folder relative paths belong.
  ///   - framers: where framers come from that neither the text nor the listener defines.
  public init(
    _ configuration: GatewayConfiguration, text: [UInt8], file: String,
    framers: FramerSources = .none
  ) {
    var table = TomlTable(entries: [])
    if case .success(let node) = TomlNode.parse(text), case .table(let root) = node.value {
      table = root
    }
    var form = GatehouseForm(table, folder: ConfigurationLoader.folder(of: file), framers)
    form.readFramerDefinitions()
    // The second time that the text is read: a plugin that was there may be gone.
    form.framers.dropExplanations()
    form.draft.configuration = configuration
    form.draft.configuration.listeners = []
    self.form = form
  }

  /// Reads the table of one listener.
  ///
  /// - Parameters:
  ///   - json: the keys of a `[[listener]]` table, and under `framers` those of `[framer.NAME]`
  ///     tables, which go before the configuration's. Without a name it is called after its port.
  ///   - origin: becomes the listener's.
  public func read(
    _ json: JSONValue, origin: ListenerOrigin, beside neighbours: [Neighbour]
  ) -> Outcome {
    var form = form
    var problems: [ConfigurationProblem] = []
    let node = TomlNode(json, path: "", problems: &problems)
    guard case .table(let table) = node.value else {
      return .refused([
        ConfigurationProblem(
          at: .unknown, key: "", "found \(json.kind)", expected: "an object: a listener's keys")
      ])
    }
    var reader = TableReader(table, path: "", position: .unknown)
    form.framers.definesPlugins = false
    form.framers.read(&reader, key: "framers")
    var listener = form.readListener(&reader, defaultName: Self.defaultName(table))
    listener.origin = origin
    problems += Self.conflicts(listener, table, neighbours)
    if problems.isEmpty && reader.problems.isEmpty {
      form.checkPacketsFit(
        listener.clientToServer, at: .unknown, key: "framer", form.draft.configuration.limits)
      if let framer = listener.loginFramer {
        form.checkPacketsFit(
          framer, at: .unknown, key: "auth.framer", form.draft.configuration.limits)
      }
    }
    problems += reader.finish() + form.draft.problems
    guard problems.isEmpty else {
      return .refused(finished(problems, file: ""))
    }
    return .read(
      listener, warnings: finished(form.draft.warnings, file: ""))
  }

  private static func defaultName(_ table: TomlTable) -> String {
    guard case .string(let text)? = table.entry("address")?.node.value,
      case .success(let address) = HostPort.parse(text)
    else { return "listener" }
    return "listener-\(address.port)"
  }

  private static func conflicts(
    _ listener: ListenerConfiguration, _ table: TomlTable, _ neighbours: [Neighbour]
  ) -> [ConfigurationProblem] {
    var problems: [ConfigurationProblem] = []
    if let other = neighbours.first(where: { $0.name == listener.name }) {
      problems.append(
        ConfigurationProblem(
          at: .unknown, key: "name", "\"\(listener.name)\" is taken by \(other.description)",
          expected: "a name of its own"))
    }
    guard !listener.host.isEmpty else { return problems }
    let address = HostPort(host: listener.host, port: listener.port)
    let other = neighbours.first { $0.collides(host: address.host, port: address.port) }
    if let other {
      let place = HostPort(host: other.host, port: other.port).text
      problems.append(
        ConfigurationProblem(
          at: .unknown, key: "address",
          "\(shown(address.text)) is taken by \(other.description)"
            + (place == address.text ? "" : ", which is at \(shown(place))"),
          expected: "an address or a port of its own"))
    }
    return problems
  }
}
