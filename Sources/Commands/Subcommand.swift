/// One thing that the program can be told to do, with all that its help says.
struct Subcommand: Sendable {
  /// `["ban", "import"]` for `gatehouse ban import`.
  var words: [String]
  /// Other words for the same.
  var aliases: [[String]] = []
  /// How operands are written in the help: `SUBJECT`.
  var operands = ""
  var operandCount: ClosedRange<Int> = 0...0
  /// Said to whoever gives too many operands, which are never shown back: one may be a password.
  var tooManyOperands: String?
  /// Beside `--help`, which each has.
  var options: [CommandOption] = []
  /// One line, beginning in lower case.
  var summary: String
  /// Paragraphs.
  var explanation: String
  /// Whole command lines.
  var examples: [String] = []
  var run: @Sendable (Call) throws -> ExitStatus

  var name: String { words.joined(separator: " ") }
  var program: String { "gatehouse \(name)" }
}

/// An option that a command takes.
struct CommandOption: Sendable, Equatable {
  var name: String
  var letter: Character?
  /// What its argument is called in the help; nil for a switch.
  var argument: String?
  var help: String

  init(_ name: String, letter: Character? = nil, argument: String? = nil, _ help: String) {
    self.name = name
    self.letter = letter
    self.argument = argument
    self.help = help
  }

  static let help = CommandOption("help", letter: "h", "show this help")
  static let version = CommandOption("version", letter: "V", "show the version")
}

/// What a command was asked, taken apart.
struct Call {
  let command: Subcommand
  let operands: [String]
  /// The last one of each; a switch has an empty text.
  let options: [String: String]
  let console: Console

  var now: Int64 { console.now }

  func has(_ option: CommandOption) -> Bool { options[option.name] != nil }
  func value(_ option: CommandOption) -> String? { options[option.name] }

  /// A whole number of an option.
  func number(
    _ option: CommandOption, in range: ClosedRange<Int>, default standard: Int
  ) throws(CommandFailure) -> Int {
    guard let text = value(option) else { return standard }
    guard let number = Int(text), range.contains(number) else {
      throw CommandFailure(
        "--\(option.name) \(quoted(text)): expected a whole number from \(range.lowerBound) to "
          + "\(range.upperBound)", .wrongCommandLine)
    }
    return number
  }

  /// When a length of time in an option ends; nil without the option.
  func end(_ option: CommandOption) throws(CommandFailure) -> Int64? {
    guard let text = value(option) else { return nil }
    guard let seconds = DurationText.parse(text) else {
      throw CommandFailure(
        "--\(option.name) \(quoted(text)): expected a length of time such as 30s, 15m, 12h, 7d, 4w "
          + "or 1d12h", .wrongCommandLine)
    }
    return now + seconds
  }

  /// A text of an option, empty without it.
  ///
  /// - Throws: ``CommandFailure`` when it has control characters or is longer than 500 bytes.
  func text(_ option: CommandOption, byteCountMax: Int = 500) throws(CommandFailure) -> String {
    guard let text = value(option) else { return "" }
    guard text.utf8.count <= byteCountMax else {
      throw CommandFailure(
        "--\(option.name): longer than \(byteCountMax) bytes", .wrongCommandLine)
    }
    guard visible(text) == text else {
      throw CommandFailure(
        "--\(option.name) \(quoted(text)): control characters are not taken", .wrongCommandLine)
    }
    return text
  }

  /// Whose name goes into the record of what is changed.
  func author() throws(CommandFailure) -> String {
    if has(.by) {
      let name = try text(.by, byteCountMax: 64)
      guard !name.isEmpty else { throw CommandFailure("--by: empty", .wrongCommandLine) }
      return name
    }
    if let name = console.surroundings.variable("SUDO_USER"), !name.isEmpty {
      return String(visible(name).prefix(64))
    }
    return console.surroundings.loginName()
  }
}
