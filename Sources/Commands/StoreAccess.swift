internal import Gateway
internal import Glibc
internal import Store

/// Where a command finds the configuration and the database.
enum StoreAccess {
  /// Where a configuration is looked for when no option and no variable names one.
  private static let usualConfigurations = ["gatehouse.toml", "/etc/gatehouse/gatehouse.toml"]

  /// The configuration file that a command means.
  static func configurationPath(_ call: Call) throws(CommandFailure) -> String {
    if let path = call.value(.config) { return path }
    if let path = call.console.surroundings.variable("GATEHOUSE_CONFIG"), !path.isEmpty {
      return path
    }
    for path in usualConfigurations where unsafe access(path, F_OK) == 0 { return path }
    throw CommandFailure(
      "no configuration: give --config FILE, or set GATEHOUSE_CONFIG; "
        + usualConfigurations.joined(separator: " and ") + " do not exist", .wrongCommandLine)
  }

  /// The configuration; what is wrong with it goes to standard error.
  static func configuration(_ call: Call) throws(CommandFailure) -> GatewayConfiguration {
    let path = try configurationPath(call)
    guard let configuration = readConfiguration(path: path) else {
      throw CommandFailure(
        "the configuration \(path) can't be used; commands on the database also take its file "
          + "alone, with --store FILE")
    }
    return configuration
  }

  /// The database's file.
  static func path(_ call: Call) throws(CommandFailure) -> String {
    if let path = call.value(.store) {
      guard !call.has(.config) else {
        throw CommandFailure("give --config or --store, not both", .wrongCommandLine)
      }
      return path
    }
    guard let store = try configuration(call).store else {
      throw CommandFailure(
        "the configuration \(try configurationPath(call)) has no store: give it a [store], or "
          + "name the database with --store FILE")
    }
    return store.path
  }

  /// Opens the database, and makes it when there is none.
  static func open(_ call: Call) throws -> Database {
    let path = try path(call)
    let isNew = unsafe access(path, F_OK) != 0 && errno == ENOENT
    let database = try Database(path: path)
    if isNew { call.console.note("made a new database: \(quoted(path))") }
    return database
  }

  /// Opens the database for a question; there has to be one.
  static func openExisting(_ call: Call) throws -> Database {
    let path = try path(call)
    guard unsafe access(path, F_OK) == 0 else {
      throw CommandFailure(
        "there is no database at \(path) (\(errorText(errno))); the gateway makes it when it "
          + "starts, and so does the first command that adds something")
    }
    return try Database(path: path)
  }
}
