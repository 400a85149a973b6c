internal import CFramer
internal import Configuration
internal import Framing
internal import Glibc

/// A shared object with a framer in it; include/gatehouse_framer.h says what it has to export.
enum PluginObject {
  private static let entryName = "gatehouse_framer"
  private static let errorBytesMax = 256

  typealias Entry = @convention(c) () -> UnsafePointer<gatehouse_framer>?

  /// Loads an object and opens its framer.
  ///
  /// Its code runs in this process from here on, with all its rights.
  static let load: PluginLoader = { path, arguments, bounds in
    // A bare name would be looked for in the system's libraries.
    let place = path.contains("/") ? path : "./" + path
    guard let object = unsafe dlopen(place, RTLD_NOW | RTLD_LOCAL) else {
      let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "it can't be loaded"
      return failure(reason, "a shared object for this machine")
    }
    switch unsafe open(object, arguments) {
    case .failure(let failure):
      unsafe dlclose(object)
      return .failure(failure)
    case .success(let opened):
      nonisolated(unsafe) let object = unsafe object
      return unsafe .success(
        PluginFramer(
          path: path, arguments: arguments, bounds: bounds, functions: opened.functions,
          context: opened.context
        ) {
          unsafe dlclose(object)
        })
    }
  }

  /// Stands in for ``load`` where a definition is looked at and nothing is cut: no object is looked
  /// for.
  static let pretend: PluginLoader = { path, arguments, bounds in
    let functions = unsafe gatehouse_framer(
      abi: UInt32(GATEHOUSE_FRAMER_ABI), size: UInt32(MemoryLayout<gatehouse_framer>.size),
      open: nil, close: nil,
      step: { _, _, _, _, _ in
        gatehouse_framer_step(
          answer: GATEHOUSE_FRAMER_VIOLATION.rawValue, dropped: 0, byte_count: 0)
      }, taken: nil, end: nil)
    return unsafe .success(
      PluginFramer(
        path: path, arguments: arguments, bounds: bounds, functions: functions, context: nil
      ) {})
  }

  @safe
  private struct Opened {
    var functions: gatehouse_framer
    var context: UnsafeMutableRawPointer?
  }

  private static func open(
    _ object: UnsafeMutableRawPointer, _ arguments: String
  ) -> Result<Opened, FramerSources.PluginFailure> {
    guard let symbol = unsafe dlsym(object, entryName) else {
      return failure("it exports no \(entryName)", "a plugin of include/gatehouse_framer.h")
    }
    // SAFETY: the header says that a function of this name has this type.
    let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
    guard let table = unsafe entry() else {
      return failure("its \(entryName) returns NULL", "a table of functions")
    }
    // Another version's table may be shorter: what follows its size is not looked at before that.
    // SAFETY: every version's table begins with these two.
    let head = unsafe UnsafeRawPointer(table)
    let version = unsafe head.load(as: UInt32.self)
    let byteCount = unsafe head.load(fromByteOffset: 4, as: UInt32.self)
    guard version == UInt32(GATEHOUSE_FRAMER_ABI) else {
      return failure(
        "it was built for version \(version) of the plugins' ABI",
        "version \(GATEHOUSE_FRAMER_ABI)")
    }
    let expected = MemoryLayout<gatehouse_framer>.size
    guard byteCount >= expected else {
      return failure(
        "its table has \(byteCount) bytes, too few for version \(version) of the plugins' ABI",
        "at least \(expected)")
    }
    let functions = unsafe table.pointee
    guard unsafe functions.step != nil, let start = unsafe functions.open else {
      return failure("its table has no open or no step", "both functions")
    }
    var context: UnsafeMutableRawPointer?
    var explanation = [CChar](repeating: 0, count: errorBytesMax)
    let result = unsafe start(arguments, &context, &explanation, errorBytesMax)
    guard result == 0 else {
      explanation[errorBytesMax - 1] = 0
      let bytes = explanation.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      let text = String(decoding: bytes, as: UTF8.self)
      return failure("it refuses its arguments: \(text)", "arguments that the plugin takes")
    }
    return unsafe .success(Opened(functions: functions, context: context))
  }

  private static func failure<Value>(
    _ reason: String, _ expected: String
  ) -> Result<Value, FramerSources.PluginFailure> {
    .failure(FramerSources.PluginFailure(reason: reason, expected: expected))
  }
}
