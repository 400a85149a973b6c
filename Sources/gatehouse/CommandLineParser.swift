internal import Configuration
@unsafe @preconcurrency internal import CLinux
@unsafe @preconcurrency internal import Glibc

/// What a command line asks for.
enum Invocation: Equatable {
  case generalHelp
  case help(Command)
  case version
  /// The path is there for a command that takes a configuration.
  case run(Command, configurationPath: String?)
  /// Nothing that this program understands; the text says what and ends without a line break.
  case wrong(String)
}

/// Takes the arguments apart; the first is the program's own name.
func parseInvocation(_ arguments: [String]) -> Invocation {
  guard arguments.count > 1 else { return .wrong("gatehouse: no command") }
  let first = arguments[1]
  guard !first.hasPrefix("-") else {
    return parseOptions(arguments, of: nil, allowed: [.help, .version])
  }
  guard let command = Command(rawValue: first) else {
    let nearest = nearestName(to: first, among: Command.allCases.map(\.rawValue))
    return .wrong("gatehouse: unknown command \"\(first)\"\(question(nearest))")
  }
  let allowed: [Option] = command.takesConfiguration ? [.config, .help] : [.help]
  return parseOptions(Array(arguments.dropFirst()), of: command, allowed: allowed)
}

/// The raw value is what `getopt_long` reports for the long form; above all characters, so that it
/// can be told from a short one.
private enum Option: Int32, CaseIterable {
  case config = 256
  case help
  case version

  /// The letter of its short form.
  var letter: Character {
    switch self {
    case .config: "c"
    case .help: "h"
    case .version: "V"
    }
  }

  /// Static, because `getopt_long` keeps pointers to it.
  var longName: StaticString {
    switch self {
    case .config: "config"
    case .help: "help"
    case .version: "version"
    }
  }

  var takesArgument: Bool {
    switch self {
    case .config: true
    case .help, .version: false
    }
  }

  init?(reported: Int32) {
    if let option = Option(rawValue: reported) {
      self = option
      return
    }
    guard let byte = UInt8(exactly: reported) else { return nil }
    let letter = Character(Unicode.Scalar(byte))
    guard let option = Option.allCases.first(where: { $0.letter == letter }) else { return nil }
    self = option
  }

  /// For the table of `getopt_long`.
  var entry: option {
    unsafe option(
      name: UnsafeRawPointer(longName.utf8Start).assumingMemoryBound(to: CChar.self),
      has_arg: takesArgument ? 1 : 0, flag: nil, val: rawValue)
  }
}

/// Reads the options after `arguments[0]`.
private func parseOptions(
  _ arguments: [String], of command: Command?, allowed: [Option]
) -> Invocation {
  let program = command.map { "gatehouse \($0.rawValue)" } ?? "gatehouse"
  var vector: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
  unsafe vector.append(nil)
  defer { unsafe vector.forEach { unsafe free($0) } }
  var table = unsafe allowed.map { unsafe $0.entry }
  unsafe table.append(option())
  // The colon in front asks for ':' where an argument is missing.
  let letters =
    ":" + allowed.map { "\($0.letter)\($0.takesArgument ? ":" : "")" }.joined()

  var path: String?
  optind = 0
  opterr = 0
  while true {
    let reported = unsafe getopt_long(Int32(arguments.count), &vector, letters, &table, nil)
    switch reported {
    case -1:
      if Int(optind) < arguments.count, let extra = unsafe vector[Int(optind)] {
        return .wrong("\(program): unexpected argument \"\(unsafe String(cString: extra))\"")
      }
      return finished(command, program, path)
    case Int32(UInt8(ascii: ":")):
      let name = Option(reported: optopt).map { "--\($0.longName)" } ?? "an option"
      return .wrong("\(program): \(name) needs an argument")
    case Int32(UInt8(ascii: "?")):
      let text = unsafe vector[max(0, Int(optind) - 1)].map { unsafe String(cString: $0) } ?? ""
      return unknownOption(text, code: optopt, program, allowed)
    default: break
    }
    switch Option(reported: reported) {
    case .config: path = unsafe optarg.map { unsafe String(cString: $0) }
    case .help: return command.map { .help($0) } ?? .generalHelp
    case .version: return .version
    case nil: return .wrong("\(program): getopt_long reported \(reported)")
    }
  }
}

private func finished(_ command: Command?, _ program: String, _ path: String?) -> Invocation {
  guard let command else { return .wrong("\(program): no command") }
  if command.takesConfiguration && path == nil {
    return .wrong("\(program): --config FILE is missing")
  }
  return .run(command, configurationPath: path)
}

/// - Parameters:
///   - text: the argument that `getopt_long` stopped after.
///   - code: what it left in `optopt`: 0 for an unknown long option.
private func unknownOption(
  _ text: String, code: Int32, _ program: String, _ allowed: [Option]
) -> Invocation {
  if code == 0 {
    let name = String(text.drop { $0 == "-" }.prefix { $0 != "=" })
    let nearest = nearestName(to: name, among: allowed.map { "\($0.longName)" })
    return .wrong("\(program): unknown option \"--\(name)\"\(question(nearest.map { "--" + $0 }))")
  }
  if let option = Option(rawValue: code) {
    return .wrong("\(program): --\(option.longName) takes no argument")
  }
  let letter = UInt8(exactly: code).map { String(Character(Unicode.Scalar($0))) } ?? "?"
  return .wrong("\(program): unknown option \"-\(letter)\"")
}

private func question(_ nearest: String?) -> String {
  nearest.map { " (did you mean \"\($0)\"?)" } ?? ""
}
