public import Gateway

/// What became of a configuration text.
public enum ConfigurationOutcome: Equatable, Sendable {
  /// Usable. Each warning names something that is allowed but probably not meant.
  case loaded(GatewayConfiguration, warnings: [ConfigurationProblem])
  /// Not usable: all that is wrong, sorted by place; never empty.
  case refused([ConfigurationProblem])
}

/// Turns the text of a configuration file into a checked ``Gateway/GatewayConfiguration``.
///
/// Pure: the caller reads the file. A text is refused as a whole or not at all.
public enum ConfigurationLoader {
  /// The largest text that is looked at, in bytes.
  public static let textBytesMax = 1 << 20
  /// How many problems are listed before the rest is only announced.
  public static let problemsMax = 100
  /// Behind the configuration file's path, where listeners are saved that were added to a running
  /// gateway, unless `management.saved_listeners` says otherwise.
  public static let savedListenersSuffix = ".listeners.json"

  /// - Parameters:
  ///   - text: any bytes; TOML 1.0 is UTF-8.
  ///   - file: the path of the file, named in problems. Relative paths inside the text, and the
  ///     default of `management.token_file`, belong to its folder.
  ///   - framers: where framers come from that the text names but does not define.
  public static func load(
    text: [UInt8], file: String, framers: FramerSources = .none
  ) -> ConfigurationOutcome {
    let root: TomlNode
    switch TomlNode.parse(text) {
    case .failure(let problem): return .refused(finished([problem], file: file))
    case .success(let node): root = node
    }
    guard case .table(let table) = root.value else { preconditionFailure("a TOML root is a table") }
    let draft: ConfigurationDraft
    switch ConfigurationForm.of(table) {
    case .gatehouse: draft = loadGatehouseForm(table, folder: folder(of: file), framers)
    case .paradoxPlex: draft = loadParadoxPlexForm(table, folder: folder(of: file))
    case .mixed(let problem): return .refused(finished([problem], file: file))
    }
    guard draft.problems.isEmpty else {
      return .refused(finished(draft.problems, file: file))
    }
    var configuration = draft.configuration
    if configuration.savedListenersFile.isEmpty {
      configuration.savedListenersFile = file + savedListenersSuffix
    }
    return .loaded(configuration, warnings: finished(draft.warnings, file: file))
  }

  /// As ``load(text:file:framers:)``, of text that is known to be Unicode.
  public static func load(
    text: String, file: String, framers: FramerSources = .none
  ) -> ConfigurationOutcome {
    load(text: Array(text.utf8), file: file, framers: framers)
  }

  /// Up to and with the last slash; empty for a bare file name.
  static func folder(of file: String) -> String {
    guard let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
    return String(file[...slash])
  }
}

/// Problems in the order of their places, and not too many.
///
/// - Parameter file: where those stand that do not know.
func finished(_ problems: [ConfigurationProblem], file: String) -> [ConfigurationProblem] {
  var sorted = problems.sorted {
    ($0.file, $0.line, $0.column, $0.key, $0.message)
      < ($1.file, $1.line, $1.column, $1.key, $1.message)
  }
  let problemsMax = ConfigurationLoader.problemsMax
  if sorted.count > problemsMax {
    let last = sorted[problemsMax]
    sorted.removeLast(sorted.count - problemsMax)
    sorted.append(
      ConfigurationProblem(
        at: TextPosition(line: last.line, column: last.column), key: "",
        "more problems follow; these \(problemsMax) are listed"))
  }
  for index in sorted.indices where sorted[index].file.isEmpty { sorted[index].file = file }
  return sorted
}

/// A configuration while it is read, with what was found wrong so far.
struct ConfigurationDraft {
  var configuration = GatewayConfiguration()
  var problems: [ConfigurationProblem] = []
  var warnings: [ConfigurationProblem] = []
  /// Where relative paths belong; empty or ending in a slash.
  let folder: String

  init(folder: String) { self.folder = folder }

  func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }
}

/// Which of the two ways of writing a configuration a file uses.
enum ConfigurationForm {
  case gatehouse
  case paradoxPlex
  case mixed(ConfigurationProblem)

  static let gatehouseKeys = [
    "listener", "framer", "framer_directory", "pool", "management", "limits", "log", "store",
    "shards", "shutdown_grace",
    "logins", "temporary_ban", "temporary_bans", "access",
  ]
  static let paradoxPlexKeys = [
    "server", "upstream", "management_server", "management_server_tls",
  ]

  static func of(_ root: TomlTable) -> ConfigurationForm {
    let own = root.entries.first { gatehouseKeys.contains($0.key) }
    let other = root.entries.first { paradoxPlexKeys.contains($0.key) }
    switch (own, other) {
    case (_, nil): return .gatehouse
    case (nil, _): return .paradoxPlex
    case (let own?, let other?):
      let (first, second) = own.keyPosition < other.keyPosition ? (own, other) : (other, own)
      return .mixed(
        ConfigurationProblem(
          at: second.keyPosition, key: second.key,
          "the file mixes two forms: \"\(own.key)\" is Gatehouse's form, \"\(other.key)\" is "
            + "PersistentParadoxPlex's, and \"\(first.key)\" came first",
          expected: "one form for the whole file"))
    }
  }
}
