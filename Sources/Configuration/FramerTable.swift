internal import Framing

/// The framers that a configuration's listeners can name: its own, and those that are ready-made.
struct FramerTable {
  private let sources: FramerSources
  /// Where relative paths belong; empty or ending in a slash.
  private let folder: String
  /// Its own; nil for one whose definition is wrong, which exists, but can't be used.
  private var own: [Own] = []
  private var namesUsed: [String] = []
  /// The folder that the configuration names.
  private var directory = FramerLibrary()
  /// Files are read once each; nil for a wrong one.
  private var loaded: [String: FramerDefinition?] = [:]

  private struct Own {
    var name: String
    var position: TextPosition
    var definition: FramerDefinition?
    /// Whether what is wrong with it is among the problems that whoever names it gets to see.
    var isExplained = true
  }

  init(_ sources: FramerSources, folder: String) {
    self.sources = sources
    self.folder = folder
  }

  /// Whether what is defined in place, or in a table of framers, may be a plugin.
  ///
  /// A file is its owner's; what comes over the management API must not make the gateway load
  /// whatever object its sender names.
  var definesPlugins = true

  private var pluginsInPlace: PluginLoader {
    if definesPlugins { return plugins }
    return { _, _, _ in
      .failure(
        FramerSources.PluginFailure(
          reason: "a plugin can't be named here",
          expected: "the name of a framer that stands in the configuration or in its folder"))
    }
  }

  /// Loads plugins whose relative paths belong to the configuration's folder.
  private var plugins: PluginLoader {
    { [sources, folder] path, arguments, bounds in
      sources.loadPlugin(path.hasPrefix("/") ? path : folder + path, arguments, bounds)
    }
  }

  /// Reads `framer_directory` out of the root table.
  mutating func readDirectory(_ root: inout TableReader) {
    guard let path = root.text("framer_directory", byteCount: Bounds.pathBytes) else { return }
    switch sources.folder(path.hasPrefix("/") ? path : folder + path) {
    case .success(let library): directory = library
    case .failure(let failure):
      root.note(
        "framer_directory", "\"\(shown(path))\": \(failure.reason)",
        expected: "a folder with NAME.toml files")
    }
  }

  /// Reads `[framer.NAME]` tables out of the root table; they go before those that are there.
  mutating func read(_ root: inout TableReader, key: String = "framer") {
    guard var all = root.subtable(key) else { return }
    for (index, entry) in all.table.entries.enumerated() {
      guard index < TableReader.tablesMax else {
        all.note(shownKey(entry.key), "more than \(TableReader.tablesMax) framers")
        break
      }
      read(entry, of: &all)
    }
    // Every name is allowed here, so none is unknown.
    root.add(all.finish(ignoresUnknown: true))
  }

  private mutating func read(_ entry: TomlTable.Entry, of all: inout TableReader) {
    let key = shownKey(entry.key)
    guard case .table(let table) = entry.node.value else {
      all.noteWrongType(key, entry.node, expected: "a table: [\(all.path(of: key))]")
      return
    }
    if !isName(entry.key) {
      all.noteKey(entry, key, "not a name", expected: nameExpected)
    } else if entry.key == Framer.raw.kind {
      all.noteKey(entry, key, "\"raw\" is built in", expected: "another name")
    }
    let (definition, problems) = read(
      table, entry.key, path: all.path(of: key), position: entry.node.position)
    all.add(problems)
    own.insert(
      Own(name: entry.key, position: entry.keyPosition, definition: definition), at: 0)
  }

  /// The problems noted so far go nowhere: a listener that names a framer which has some is told.
  mutating func dropExplanations() {
    for index in own.indices { own[index].isExplained = false }
  }

  private func read(
    _ table: TomlTable, _ name: String, path: String, position: TextPosition
  ) -> (definition: FramerDefinition?, problems: [ConfigurationProblem]) {
    var reader = TableReader(table, path: path, position: position)
    let definition = reader.definition(name, pluginsInPlace)
    let problems = reader.finish(ignoresUnknown: reader.isFlatWithoutKind)
    return (problems.isEmpty ? definition : nil, problems)
  }

  /// Resolves what a listener says under `key`: a name, or a table that defines a framer in place.
  ///
  /// - Returns: nil with a problem noted, or when the framer referred to has its own.
  mutating func resolve(_ key: String, of listener: inout TableReader) -> FramerDefinition? {
    guard let node = listener.take(key) else { return FramerDefinition(name: Framer.raw.kind) }
    switch node.value {
    case .string(let name):
      if name == Framer.raw.kind { return FramerDefinition(name: name) }
      return resolve(name, key, of: &listener)
    case .table(let table):
      let kind = listener.path(of: key)
      let (made, problems) = read(table, "", path: kind, position: node.position)
      listener.add(problems)
      guard var made else { return nil }
      made.name = made.clientToServer.kind
      return made
    case .integer, .boolean, .float, .dateOrTime, .array:
      listener.noteWrongType(key, node, expected: "a framer's name, or { kind = … }")
      return nil
    }
  }

  private mutating func resolve(
    _ name: String, _ key: String, of listener: inout TableReader
  ) -> FramerDefinition? {
    if let found = own.first(where: { $0.name == name }) {
      namesUsed.append(name)
      if found.definition == nil && !found.isExplained {
        listener.note(
          key, "the configuration's framer \"\(shown(name))\" can't be read any more",
          expected: "one that gatehouse check finds nothing wrong with")
      }
      return found.definition
    }
    if let known = loaded[name] { return known }
    let ready = sources.ready()
    let given = directory.file(name)
    guard let file = given ?? ready.file(name) else {
      let names = own.map(\.name) + (directory.files + ready.files).map(\.name) + ["raw"]
      listener.note(
        key, "no framer is named \"\(shown(name))\"",
        expected: "\"raw\", the NAME of a [framer.NAME] table, or a ready-made framer "
          + "(gatehouse framer list shows them)",
        suggestion: nearestName(to: name, among: names))
      return nil
    }
    let plugins = given == nil ? FramerSources.refusePluginOfReady : plugins
    switch FramerDefinition.load(file, loadPlugin: plugins) {
    case .success(let definition):
      loaded[name] = definition
      return definition
    case .failure(let failure):
      listener.add(failure.problems)
      loaded[name] = FramerDefinition?.none
      return nil
    }
  }

  /// One warning for each of its own framers that no listener names.
  var warnings: [ConfigurationProblem] {
    own.filter { !namesUsed.contains($0.name) }.map {
      ConfigurationProblem(
        at: $0.position, key: "framer.\(shownKey($0.name))", "no listener uses this framer")
    }
  }
}
