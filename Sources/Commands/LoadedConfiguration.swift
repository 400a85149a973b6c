public import Configuration
public import Gateway
internal import Glibc
internal import JSON

/// A configuration file as it was read, with the listeners that were saved beside it.
public struct LoadedConfiguration: Sendable {
  /// The saved listeners stand behind those of the file.
  public var configuration: GatewayConfiguration
  public var saved: [SavedListener] = []
  /// Reads further listeners by the same rules.
  public var reader: ListenerReader

  /// Reads the saved listeners; what is wrong with them goes to standard error, and so do warnings.
  ///
  /// - Returns: nil when they can't be used: a gateway that starts without some of its ports would
  ///   be worse than one that says why it does not start.
  init?(_ configuration: GatewayConfiguration, _ reader: ListenerReader) {
    self.configuration = configuration
    self.reader = reader
    let path = configuration.savedListenersFile
    let text: [UInt8]
    switch readConfigurationFile(path: path) {
    case .success(let bytes): text = bytes
    case .failure(let failure):
      if failure.code == ENOENT { return }
      writeError("\(path): error: \(failure.message)\n\(Self.remedy(path))")
      return nil
    }
    switch SavedListeners.read(text: text, file: path, beside: configuration, by: reader) {
    case .read(let saved, let listeners, let warnings):
      writeError(warnings.map { $0.line(as: "warning") + "\n" }.joined())
      self.saved = saved
      self.configuration.listeners += listeners
    case .refused(let problems):
      writeError(problems.map { "\($0)\n" }.joined() + Self.remedy(path))
      return nil
    }
  }

  private static func remedy(_ path: String) -> String {
    "\(path) keeps the listeners that were added with --save: mend it, or take out what is wrong; "
      + "without the file, the listeners of the configuration file are there alone\n"
  }
}

/// The file of saved listeners, as a running gateway writes it.
public struct SavedListenersFile: Sendable {
  /// Empty when the gateway runs without a configuration file.
  public var path: String

  public init(path: String) { self.path = path }

  /// Why listeners can't be saved, for people.
  public struct Failure: Error, Equatable, Sendable {
    public var message: String
  }

  /// Replaces the file as a whole: after a crash there is the old one or the new one, on the disk.
  public func write(_ saved: [SavedListener]) throws(Failure) {
    guard !path.isEmpty else {
      throw Failure(message: "a gateway without a configuration file can't save listeners")
    }
    guard let text = SavedListeners.text(saved) else {
      throw Failure(
        message: "\(path) would be larger than \(SavedListeners.textBytesMax) bytes")
    }
    let next = path + ".new"
    do throws(Failure) {
      try writeNew(text, next)
      guard unsafe rename(next, path) == 0 else { throw failure("rename \(next) to \(path)") }
    } catch {
      unsafe unlink(next)
      throw error
    }
    syncFolder()
  }

  private func writeNew(_ text: [UInt8], _ next: String) throws(Failure) {
    // What a crash has left is nobody's.
    unsafe unlink(next)
    let descriptor = unsafe open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0o600)
    guard descriptor >= 0 else { throw failure("make \(next)") }
    defer { close(descriptor) }
    if case .failed(let reason) = writeAll(text, to: descriptor) {
      throw Failure(message: "cannot write \(next): \(reason)")
    }
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure("write \(next)") }
  }

  /// So that the new name is on the disk as well; where that can't be asked for, it comes there by
  /// itself.
  private func syncFolder() {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let folder = slash.map { String(path[...$0]) } ?? "."
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  private func failure(_ attempt: String) -> Failure {
    Failure(message: "cannot \(attempt): \(errorText(errno))")
  }
}

/// The names of listeners that do not stand in the configuration file.
///
/// Those that are saved, and those of the running gateway; none when nobody can be asked.
func addedListeners(_ call: Call) -> [String] {
  var names: [String] = []
  do {
    let path = try StoreAccess.configuration(call).savedListenersFile
    if case .success(let text) = readConfigurationFile(path: path) {
      names = SavedListeners.names(in: text)
    }
    let running = try ManagementClient(call).requestUnlessStopped("GET", "/listeners")
    names += (running?["listeners"]?.elements ?? []).compactMap { $0["name"]?.text }
      .filter { [names] in !names.contains($0) }
  } catch {
    // Whoever asks says that there is no such listener.
    return names
  }
  return names
}
