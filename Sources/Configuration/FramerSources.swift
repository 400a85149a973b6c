public import Framing

/// Loads a shared object and opens its framer.
public typealias PluginLoader =
  @Sendable (_ path: String, _ arguments: String, PacketBounds) -> Result<
    PluginFramer, FramerSources.PluginFailure
  >

/// Where framers come from that a configuration names but does not define.
///
/// The loader is pure: whoever calls it reads folders and loads shared objects.
public struct FramerSources: Sendable {
  /// Why a plugin can't be used.
  public struct PluginFailure: Error, Equatable, Sendable {
    public var reason: String
    /// Reads on after "expected".
    public var expected: String

    public init(reason: String, expected: String) {
      self.reason = reason
      self.expected = expected
    }
  }

  /// The definitions that came with the program.
  public var ready: @Sendable () -> FramerLibrary
  /// The definitions of a folder that the configuration names; or why it can't be read.
  public var folder: @Sendable (_ path: String) -> Result<FramerLibrary, FolderFailure>
  public var loadPlugin: PluginLoader

  public struct FolderFailure: Error, Equatable, Sendable {
    public var reason: String

    public init(reason: String) { self.reason = reason }
  }

  public init(
    ready: @escaping @Sendable () -> FramerLibrary,
    folder: @escaping @Sendable (String) -> Result<FramerLibrary, FolderFailure>,
    loadPlugin: @escaping PluginLoader
  ) {
    self.ready = ready
    self.folder = folder
    self.loadPlugin = loadPlugin
  }

  /// Loads nothing: what is installed beside the program says how bytes are cut, and runs no code.
  public static let refusePluginOfReady: PluginLoader = { _, _, _ in
    .failure(
      PluginFailure(
        reason: "a ready-made framer can't be a plugin",
        expected: "a definition in the configuration, or in its framer_directory"))
  }

  /// There are none.
  public static let none = FramerSources(
    ready: { FramerLibrary() },
    folder: { _ in .failure(FolderFailure(reason: "folders can't be read here")) },
    loadPlugin: { _, _, _ in
      .failure(PluginFailure(reason: "plugins can't be loaded here", expected: "another kind"))
    })
}

/// Definitions of framers by name, as texts.
public struct FramerLibrary: Equatable, Sendable {
  public struct File: Equatable, Sendable {
    /// The name that listeners use: the file's, without `.toml`.
    public var name: String
    /// Named in problems.
    public var path: String
    public var text: [UInt8]

    public init(name: String, path: String, text: [UInt8]) {
      self.name = name
      self.path = path
      self.text = text
    }

    /// The name of a definition in a file of this name; nil when it can't be one.
    public static func name(ofFile fileName: String) -> String? {
      guard fileName.hasSuffix(".toml") else { return nil }
      let name = String(fileName.dropLast(5))
      return isName(name) && name != Framer.raw.kind ? name : nil
    }
  }

  /// In the order of their names.
  public private(set) var files: [File]

  public init(_ files: [File] = []) { self.files = files.sorted { $0.name < $1.name } }

  public func file(_ name: String) -> File? { files.first { $0.name == name } }
}
