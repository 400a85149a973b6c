internal import Configuration
internal import Synchronization
@unsafe @preconcurrency internal import CLinux
@unsafe @preconcurrency internal import Glibc

/// What a command line asks for.
enum Invocation {
  case help(String)
  case version
  case run(Subcommand, operands: [String], options: [String: String])
  /// Nothing that this program understands; the text says what and ends without a line break.
  case wrong(String, help: String)
}

/// Takes the arguments apart; the first is the program's own name.
func parseInvocation(_ arguments: [String], _ table: SubcommandTable) -> Invocation {
  guard arguments.count > 1 else { return .wrong("gatehouse: no command", help: generalHelpHint) }
  let words = arguments.dropFirst().prefix { !$0.hasPrefix("-") }
  guard let first = words.first else {
    return parseGeneralOptions(arguments, table)
  }
  if first == "help" { return help(on: Array(words.dropFirst()), table) }
  if let (command, used) = table.command(Array(words)) {
    return parseOptions([command.program] + arguments.dropFirst(1 + used), of: command)
  }
  if let group = table.group(Array(words)) {
    let rest = arguments.dropFirst(1 + group.count)
    if rest.first == "--help" || rest.first == "-h" { return .help(table.help(group)) }
    return unknown(Array(words), below: group, table)
  }
  return unknown(Array(words), below: [], table)
}

private let generalHelpHint = "gatehouse --help"

private func help(on words: [String], _ table: SubcommandTable) -> Invocation {
  if words.isEmpty { return .help(table.help) }
  if let (command, used) = table.command(words), used == words.count { return .help(command.help) }
  if let group = table.group(words), group.count == words.count { return .help(table.help(group)) }
  return unknown(words, below: table.group(words) ?? [], table)
}

private func unknown(
  _ words: [String], below group: [String], _ table: SubcommandTable
) -> Invocation {
  let program = (["gatehouse"] + group).joined(separator: " ")
  let candidates = table.words(after: group)
  guard words.count > group.count else {
    return .wrong(
      "\(program): which of \(candidates.joined(separator: ", "))?", help: "\(program) --help")
  }
  let word = words[group.count]
  let nearest = nearestName(to: word, among: candidates)
  return .wrong(
    "\(program): unknown command \(quoted(word))\(question(nearest))", help: "\(program) --help")
}

private func parseGeneralOptions(_ arguments: [String], _ table: SubcommandTable) -> Invocation {
  let options = [CommandOption.help, .version]
  switch readOptions(["gatehouse"] + arguments.dropFirst(), options) {
  case .wrong(let message): return .wrong("gatehouse: \(message)", help: generalHelpHint)
  case .read(let found, _):
    if found["help"] != nil { return .help(table.help) }
    if found["version"] != nil { return .version }
    return .wrong("gatehouse: no command", help: generalHelpHint)
  }
}

private func parseOptions(_ arguments: [String], of command: Subcommand) -> Invocation {
  let hint = "\(command.program) --help"
  // What stands for bytes that are not UTF-8: nobody meant it.
  guard !arguments.contains(where: { $0.unicodeScalars.contains("\u{fffd}") }) else {
    return .wrong("\(command.program): an argument is not UTF-8", help: hint)
  }
  switch readOptions(arguments, command.options + [.help]) {
  case .wrong(let message): return .wrong("\(command.program): \(message)", help: hint)
  case .read(let options, let operands):
    if options["help"] != nil { return .help(command.help) }
    if operands.count < command.operandCount.lowerBound {
      return .wrong("\(command.program): \(command.operands) is missing", help: hint)
    }
    if operands.count > command.operandCount.upperBound {
      let extra = operands[command.operandCount.upperBound]
      let problem = command.tooManyOperands ?? "unexpected argument \(quoted(extra))"
      return .wrong("\(command.program): \(problem)", help: hint)
    }
    return .run(command, operands: operands, options: options)
  }
}

private enum ReadOptions {
  case read(options: [String: String], operands: [String])
  case wrong(String)
}

/// What `getopt_long` reports for the long form of the first option; above all characters, so that
/// it can be told from a short form.
private let firstCode: Int32 = 256

/// `getopt_long` keeps its place, and what it found, in variables of the whole process.
private let getoptVariables = Mutex(())

/// Has `getopt_long` read what comes after `arguments[0]`; options and operands may come in any
/// order.
private func readOptions(_ arguments: [String], _ allowed: [CommandOption]) -> ReadOptions {
  getoptVariables.withLock { _ in readOptionsAlone(arguments, allowed) }
}

private func readOptionsAlone(_ arguments: [String], _ allowed: [CommandOption]) -> ReadOptions {
  var vector: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
  // It reorders the vector, so what is freed is kept apart.
  let copies = unsafe vector
  unsafe vector.append(nil)
  defer { unsafe copies.forEach { unsafe free($0) } }
  let names = unsafe allowed.map { unsafe strdup($0.name) }
  defer { unsafe names.forEach { unsafe free($0) } }
  var table: [option] = unsafe []
  for (index, entry) in allowed.enumerated() {
    let name = unsafe UnsafePointer(names[index])
    unsafe table.append(
      option(
        name: name, has_arg: entry.argument == nil ? 0 : 1, flag: nil,
        val: firstCode + Int32(index)))
  }
  unsafe table.append(option())
  // The colon in front asks for ':' where an argument is missing.
  let letters =
    ":"
    + allowed.map { entry in
      entry.letter.map { "\($0)\(entry.argument == nil ? "" : ":")" } ?? ""
    }.joined()

  var found: [String: String] = [:]
  optind = 0
  opterr = 0
  while true {
    let reported = unsafe getopt_long(Int32(arguments.count), &vector, letters, &table, nil)
    switch reported {
    case -1:
      let operands = unsafe vector[Int(optind)..<arguments.count].map {
        unsafe String(cString: $0!)
      }
      return .read(options: found, operands: operands)
    case Int32(UInt8(ascii: ":")):
      let name = entry(optopt, allowed).map { "--\($0.name)" } ?? "an option"
      return .wrong("\(name) needs an argument")
    case Int32(UInt8(ascii: "?")):
      let text = unsafe vector[max(0, Int(optind) - 1)].map { unsafe String(cString: $0) } ?? ""
      return .wrong(unknownOption(text, code: optopt, allowed))
    default: break
    }
    guard let entry = entry(reported, allowed) else {
      return .wrong("getopt_long reported \(reported)")
    }
    found[entry.name] = unsafe optarg.map { unsafe String(cString: $0) } ?? ""
  }
}

private func entry(_ reported: Int32, _ allowed: [CommandOption]) -> CommandOption? {
  if reported >= firstCode {
    let index = Int(reported - firstCode)
    return index < allowed.count ? allowed[index] : nil
  }
  guard let byte = UInt8(exactly: reported) else { return nil }
  let letter = Character(Unicode.Scalar(byte))
  return allowed.first { $0.letter == letter }
}

/// - Parameters:
///   - text: the argument that `getopt_long` stopped after.
///   - code: what it left in `optopt`: 0 for an unknown long option.
private func unknownOption(_ text: String, code: Int32, _ allowed: [CommandOption]) -> String {
  if code == 0 {
    // What comes after "=" may be a secret.
    let name = String(text.drop { $0 == "-" }.prefix { $0 != "=" })
    let nearest = nearestName(to: name, among: allowed.map(\.name))
    let kind = allowed.count { $0.name.hasPrefix(name) } > 1 ? "ambiguous" : "unknown"
    return "\(kind) option \(quoted("--" + name))\(question(nearest.map { "--" + $0 }))"
  }
  if code >= firstCode, let option = entry(code, allowed) {
    return "--\(option.name) takes no argument"
  }
  let letter = UInt8(exactly: code).map { String(Character(Unicode.Scalar($0))) } ?? "?"
  return "unknown option \(quoted("-" + letter))"
}

func question(_ nearest: String?) -> String {
  nearest.map { " (did you mean \"\($0)\"?)" } ?? ""
}
