internal import Configuration

/// A framer's definition that a command was given the name or the file of.
struct FoundFramer {
  var definition: FramerDefinition
  var file: FramerLibrary.File

  /// - Parameters:
  ///   - text: the name of a ready-made framer; or a file's path, which has a slash in it or ends
  ///     in `.toml`.
  ///   - runsPlugins: whether the definition is to be used, and not only looked at. Without it a
  ///     plugin is taken to be there.
  static func find(
    _ text: String, _ console: Console, runsPlugins: Bool = false
  ) throws(CommandFailure) -> FoundFramer {
    let isPath = text.contains("/") || text.hasSuffix(".toml")
    let file = try isPath ? file(at: text) : ready(text, console)
    let plugins: PluginLoader =
      !runsPlugins
      ? PluginObject.pretend
      : isPath ? console.surroundings.framers.loadPlugin : FramerSources.refusePluginOfReady
    let folder = file.path.lastIndex(of: "/").map { String(file.path[...$0]) } ?? ""
    let loaded = FramerDefinition.load(file) { path, arguments, bounds in
      plugins(path.hasPrefix("/") ? path : folder + path, arguments, bounds)
    }
    switch loaded {
    case .success(let definition): return FoundFramer(definition: definition, file: file)
    case .failure(let failure):
      throw CommandFailure(
        "the definition is wrong:\n" + failure.problems.map { "\($0)" }.joined(separator: "\n"))
    }
  }

  private static func file(at path: String) throws(CommandFailure) -> FramerLibrary.File {
    switch readConfigurationFile(path: path) {
    case .failure(let failure):
      throw CommandFailure("cannot read \(quoted(path)): \(failure.message)")
    case .success(let text):
      let fileName = path.split(separator: "/").last.map { String($0) } ?? path
      let name = FramerLibrary.File.name(ofFile: fileName) ?? fileName
      return FramerLibrary.File(name: name, path: path, text: text)
    }
  }

  private static func ready(
    _ name: String, _ console: Console
  ) throws(CommandFailure) -> FramerLibrary.File {
    let library = console.surroundings.framers.ready()
    if let file = library.file(name) { return file }
    guard !library.files.isEmpty else {
      throw CommandFailure(
        "the ready-made framers are not installed beside the program; name a FILE.toml")
    }
    let nearest = nearestName(to: name, among: library.files.map(\.name))
    throw CommandFailure(
      "no framer is named \(quoted(name))\(question(nearest)); \"gatehouse framer list\" has "
        + "the ready-made ones; a file of your own is named by its path, with a slash in it or "
        + ".toml at its end", .wrongCommandLine)
  }
}
