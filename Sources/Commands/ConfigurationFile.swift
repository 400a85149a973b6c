internal import Configuration
internal import Gateway
internal import Glibc

/// Reads and checks a configuration file; whatever is wrong with it goes to standard error, and so
/// do warnings.
///
/// - Returns: nil when it can't be used.
public func loadConfiguration(path: String) -> LoadedConfiguration? {
  let read = readConfigurationAndText(path: path, showsWarnings: true, framers: .system)
  guard let (configuration, text) = read else { return nil }
  let reader = ListenerReader(configuration, text: text, file: path, framers: .system)
  return LoadedConfiguration(configuration, reader)
}

/// The configuration of the file alone, for commands that only look something up: they have no use
/// for warnings, nor for saved listeners, and must not run a plugin's code.
func readConfiguration(path: String) -> GatewayConfiguration? {
  readConfigurationAndText(
    path: path, showsWarnings: false, framers: .systemWithoutPlugins)?.configuration
}

private func readConfigurationAndText(
  path: String, showsWarnings: Bool, framers: FramerSources
) -> (configuration: GatewayConfiguration, text: [UInt8])? {
  let text: [UInt8]
  switch readConfigurationFile(path: path) {
  case .failure(let failure):
    writeError("\(path): error: \(failure.message)\n")
    return nil
  case .success(let bytes): text = bytes
  }
  switch ConfigurationLoader.load(text: text, file: path, framers: framers) {
  case .loaded(let configuration, let warnings):
    if showsWarnings { writeError(warnings.map { $0.line(as: "warning") + "\n" }.joined()) }
    return (configuration, text)
  case .refused(let problems):
    writeError(problems.map { "\($0)\n" }.joined())
    return nil
  }
}

/// Why a file can't be read, for an operator.
struct FileFailure: Error, Equatable {
  let message: String
  /// The system's number for it; 0 when it has none.
  var code: Int32 = 0

  init(_ message: String) { self.message = message }

  /// In the system's words.
  init(errno code: Int32) {
    message = errorText(code)
    self.code = code
  }
}

/// Reads a regular file of at most ``ConfigurationLoader/textBytesMax`` bytes; never waits for a
/// FIFO's writer nor reads a device.
func readConfigurationFile(path: String) -> Result<[UInt8], FileFailure> {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
  guard descriptor >= 0 else { return .failure(FileFailure(errno: errno)) }
  defer { close(descriptor) }
  var status = stat()
  guard unsafe fstat(descriptor, &status) == 0 else { return .failure(FileFailure(errno: errno)) }
  guard status.st_mode & S_IFMT != S_IFDIR else { return .failure(FileFailure(errno: EISDIR)) }
  guard status.st_mode & S_IFMT == S_IFREG else {
    return .failure(FileFailure("Not a regular file"))
  }
  // Its size is not trusted: the file may grow meanwhile, and some special files say 0.
  var bytes: [UInt8] = []
  while bytes.count <= ConfigurationLoader.textBytesMax {
    var failure: Int32 = 0
    let chunk = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      // SAFETY: read writes at most the buffer's count of bytes.
      let result = unsafe read(descriptor, buffer.baseAddress, buffer.count)
      failure = result < 0 ? errno : 0
      count = max(0, result)
    }
    if failure == EINTR { continue }
    guard failure == 0 else { return .failure(FileFailure(errno: failure)) }
    guard !chunk.isEmpty else { return .success(bytes) }
    bytes += chunk
  }
  return .failure(FileFailure("Larger than \(ConfigurationLoader.textBytesMax) bytes"))
}
