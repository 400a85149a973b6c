internal import Auth
internal import Gateway
internal import Store

/// A password that somebody chooses, from the terminal or from standard input.
enum NewPassword {
  /// Not shorter, in bytes: what is shorter is guessed in a moment.
  static let byteCountMin = 4

  /// - Throws: ``CommandFailure`` when it can't be one, or was typed differently the second time.
  static func read(_ call: Call, for name: AccountName) throws -> [UInt8] {
    if call.has(.passwordInput) {
      return try checked(
        InputFile.firstLine(call.console, byteCountMax: PasswordHash.passwordByteCountMax))
    }
    let ask = call.console.surroundings.askSecret
    let password = try checked(ask("New password for \(visible(name.text)): "))
    var again = try ask("The same again: ")
    defer { wipe(&again) }
    guard again == password else {
      throw CommandFailure("the two passwords are not the same; nothing was changed")
    }
    return password
  }

  private static func checked(_ password: [UInt8]) throws(CommandFailure) -> [UInt8] {
    guard password.count >= byteCountMin else {
      throw CommandFailure("the password is shorter than \(byteCountMin) bytes", .wrongCommandLine)
    }
    guard password.count <= PasswordHash.passwordByteCountMax else {
      throw CommandFailure(
        "the password is longer than \(PasswordHash.passwordByteCountMax) bytes",
        .wrongCommandLine)
    }
    return password
  }
}

/// What hashing a password costs, by the configuration.
enum PasswordSettings {
  /// Those of the configuration; the usual ones with `--store`.
  static func parameters(_ call: Call) throws(CommandFailure) -> PasswordParameters {
    guard !call.has(.store), let store = try StoreAccess.configuration(call).store else {
      return PasswordParameters()
    }
    let (passes, memory) = (PasswordParameters.opsLimits, PasswordParameters.memoryLimits)
    return PasswordParameters(
      opsLimit: min(max(store.passwordPasses, passes.lowerBound), passes.upperBound),
      memoryBytes: min(max(store.passwordMemoryBytes, memory.lowerBound), memory.upperBound))
  }
}
