internal import Configuration

/// What a command has around it: all that is not its arguments.
///
/// Tests put their own in its place; ``Surroundings/process()`` is the real one.
struct Surroundings {
  /// Unix seconds.
  var now: () -> Int64
  /// A variable of the environment; nil when it is not set.
  var variable: (String) -> String?
  /// Who runs the command, as the system knows them.
  var loginName: () -> String
  /// Writes to standard output; false, with the reason, when it can't be written.
  var write: ([UInt8]) -> WriteOutcome
  /// Writes to standard error; what can't be written is lost.
  var writeError: (String) -> Void
  /// At most so many bytes of standard input; empty at its end.
  var read: (Int) throws -> [UInt8]
  /// Asks on the terminal, without an echo.
  var askSecret: (String) throws -> [UInt8]
  /// Standard output is a terminal.
  var isTerminal: () -> Bool = { false }
  /// Where ready-made framers and plugins come from.
  var framers = FramerSources.system

  enum WriteOutcome: Equatable {
    case written
    /// In the system's words.
    case failed(String)
  }
}

/// Where a command's results and messages go.
///
/// Results are gathered and written in large pieces. What can't be written makes the command end
/// with a failure, at the end or at the next large piece.
final class Console {
  let surroundings: Surroundings
  private var gathered: [UInt8] = []
  private var failure: String?

  /// Results are written once so many bytes are there.
  private static let gatheredBytesMax = 65_536

  init(_ surroundings: Surroundings) { self.surroundings = surroundings }

  var now: Int64 { surroundings.now() }

  /// Adds to the results.
  ///
  /// - Throws: ``CommandFailure`` once they can't be written, so that a long list ends early.
  func write(_ bytes: [UInt8]) throws(CommandFailure) {
    gathered += bytes
    if gathered.count >= Self.gatheredBytesMax { try flush() }
  }

  /// Adds `text` to the results, as it is.
  func write(_ text: String) throws(CommandFailure) { try write(Array(text.utf8)) }

  /// Tells the person at the terminal something that is no result.
  func note(_ text: String) { surroundings.writeError(text + "\n") }

  /// Writes what was gathered.
  func flush() throws(CommandFailure) {
    if let failure { throw CommandFailure(failure) }
    guard !gathered.isEmpty else { return }
    defer { gathered.removeAll(keepingCapacity: true) }
    guard case .failed(let reason) = surroundings.write(gathered) else { return }
    let message = "cannot write to standard output: \(reason)"
    failure = message
    throw CommandFailure(message)
  }
}
