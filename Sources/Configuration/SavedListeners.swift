public import Gateway
public import JSON

/// A listener that was added while a gateway ran, and kept.
public struct SavedListener: Equatable, Sendable {
  public var name: String
  /// What it was made of, as ``ListenerReader`` takes it, with its name.
  public var json: JSONValue

  /// - Parameter json: an object; gets the name if it has none.
  public init(name: String, json: JSONValue) {
    self.name = name
    self.json = json
    guard case .object(var members) = json, json["name"] == nil else { return }
    members.insert(JSONValue.Member("name", .string(name)), at: 0)
    self.json = .object(members)
  }
}

/// The text in which saved listeners are kept: `{"listeners": [{…}, …]}`, each as it was added.
public enum SavedListeners {
  /// The longest text, in bytes.
  public static let textBytesMax = 1 << 20

  public enum Outcome: Equatable, Sendable {
    /// In the order of the text; the configurations have ``ListenerOrigin/saved``.
    case read([SavedListener], [ListenerConfiguration], warnings: [ConfigurationProblem])
    /// All that is wrong; never empty.
    case refused([ConfigurationProblem])
  }

  /// - Parameters:
  ///   - file: named in problems.
  ///   - configuration: what the configuration file says; its listeners stay as they are.
  public static func read(
    text: [UInt8], file: String, beside configuration: GatewayConfiguration,
    by reader: ListenerReader
  ) -> Outcome {
    let root: JSONValue
    do throws(JSONValue.Malformed) {
      root = try JSONValue(parsing: text)
    } catch {
      return refused([problem("", "\(error)")], file)
    }
    guard case .object(let members) = root, case .array(let elements)? = root["listeners"],
      members.count == 1
    else {
      return refused([problem("", "expected an object whose one member is \"listeners\"")], file)
    }
    let count = configuration.listeners.count + elements.count
    guard count <= Shard.listenersMax else {
      let message =
        "with those of the configuration file there would be \(count) listeners, and "
        + "\(Shard.listenersMax) are the most"
      return refused([problem("listeners", message)], file)
    }
    var neighbours = neighbours(of: configuration)
    var saved: [SavedListener] = []
    var listeners: [ListenerConfiguration] = []
    var problems: [ConfigurationProblem] = []
    var warnings: [ConfigurationProblem] = []
    for (index, element) in elements.enumerated() {
      let key = "listeners[\(index + 1)]"
      switch reader.read(element, origin: .saved, beside: neighbours) {
      case .read(let listener, let more):
        saved.append(SavedListener(name: listener.name, json: element))
        listeners.append(listener)
        warnings += more.map { below(key, $0) }
        neighbours.append(neighbour(listener, "saved listener"))
      case .refused(let more): problems += more.map { below(key, $0) }
      }
    }
    guard problems.isEmpty else { return refused(problems, file) }
    return .read(
      saved, listeners, warnings: finished(warnings, file: file))
  }

  /// The names in a text that need not be good otherwise.
  public static func names(in text: [UInt8]) -> [String] {
    do throws(JSONValue.Malformed) {
      guard case .array(let elements)? = try JSONValue(parsing: text)["listeners"] else {
        return []
      }
      return elements.compactMap { element in
        if case .string(let name)? = element["name"] { name } else { nil }
      }
    } catch {
      // Whoever is to use the listeners hears of it.
      return []
    }
  }

  /// One listener a line.
  ///
  /// - Returns: nil when that would be more than ``textBytesMax``.
  public static func text(_ saved: [SavedListener]) -> [UInt8]? {
    var text = Array("{\"listeners\": [".utf8)
    for (index, listener) in saved.enumerated() {
      text += Array((index == 0 ? "\n" : ",\n").utf8)
      var writer = JSONWriter()
      writer.value(listener.json)
      text += writer.bytes
      guard text.count < textBytesMax else { return nil }
    }
    text += Array("\n]}\n".utf8)
    return text.count <= textBytesMax ? text : nil
  }

  /// What stands in a configuration file, for a listener that is to be there when it is read again.
  public static func neighbours(
    of configuration: GatewayConfiguration
  ) -> [ListenerReader.Neighbour] {
    var neighbours = configuration.listeners.filter { $0.origin == .configuration }
      .map { neighbour($0, "the configuration file's listener") }
    if let management = configuration.management {
      neighbours.append(
        ListenerReader.Neighbour(
          name: nil, host: management.host, port: management.port,
          description: "the management API"))
    }
    return neighbours
  }

  private static func neighbour(
    _ listener: ListenerConfiguration, _ what: String
  ) -> ListenerReader.Neighbour {
    ListenerReader.Neighbour(
      name: listener.name, host: listener.host, port: listener.port,
      description: "\(what) \"\(listener.name)\"")
  }

  private static func problem(_ key: String, _ message: String) -> ConfigurationProblem {
    ConfigurationProblem(at: .unknown, key: key, message)
  }

  private static func below(_ key: String, _ problem: ConfigurationProblem) -> ConfigurationProblem
  {
    var problem = problem
    problem.key = problem.key.isEmpty ? key : "\(key).\(problem.key)"
    return problem
  }

  private static func refused(_ problems: [ConfigurationProblem], _ file: String) -> Outcome {
    .refused(finished(problems, file: file))
  }
}
