internal import Auth
internal import Configuration
internal import Framing
internal import JSON

func listFramers(_ call: Call) throws -> ExitStatus {
  let library = call.console.surroundings.framers.ready()
  guard !library.files.isEmpty else {
    call.console.note("no ready-made framers are installed beside the program")
    return .nothingMatched
  }
  var list = call.has(.json) ? try JSONList(call.console) : nil
  var table = TextTable(["NAME", "TITLE", "PORTS", "TO SERVER", "TO CLIENT", "LOGIN"])
  var status = ExitStatus.done
  for file in library.files {
    let definition: FramerDefinition
    do throws(CommandFailure) {
      definition = try FoundFramer.find(file.name, call.console).definition
    } catch {
      call.console.note("\(visible(file.path)): \(error.message)")
      status = .failed
      continue
    }
    try list?.add { $0.definition(definition) }
    table.add([
      definition.name, definition.title, definition.ports.map(String.init).joined(separator: ", "),
      definition.clientToServer.kind, definition.serverToClient?.kind ?? "raw",
      definition.login.map { $0.fieldNames.joined(separator: ", ") } ?? "",
    ])
  }
  if let list { try list.finish() } else { try call.console.write(table.text) }
  return status
}

func showFramer(_ call: Call) throws -> ExitStatus {
  let found = try FoundFramer.find(call.operands[0], call.console)
  let definition = found.definition
  let style = TerminalStyle(call.console.surroundings)
  var lines: [(String, String)] = [("name", definition.name)]
  if !definition.title.isEmpty { lines.append(("title", definition.title)) }
  if !definition.ports.isEmpty {
    lines.append(("usual ports", definition.ports.map(String.init).joined(separator: ", ")))
  }
  lines.append(("to server", "\(definition.clientToServer)"))
  lines.append(("to client", definition.serverToClient.map { "\($0)" } ?? "raw"))
  if let opcode = definition.opcode(in: definition.clientToServer) {
    let order = opcode.width == 1 ? "" : ", \(opcode.endianness.rawValue)-endian"
    let width = opcode.width == 1 ? "1 byte" : "\(opcode.width) bytes"
    lines.append(("opcode", "\(width) at \(opcode.offset)\(order)"))
  }
  let login = definition.login.map { "\($0.fieldNames.joined(separator: ", ")) can be read" }
  lines.append(("login", login ?? "can't be read"))
  for source in definition.sources { lines.append(("source", source)) }
  lines.append(("vectors", "\(definition.vectors.count)"))
  lines.append(("file", found.file.path))
  var text = ""
  for (name, value) in lines {
    let padding = String(repeating: " ", count: 12 - name.utf8.count)
    text += style.bold(name) + padding + visible(value) + "\n"
  }
  try call.console.write(text + "\n")
  var file = found.file.text
  if file.last != UInt8(ascii: "\n") { file.append(UInt8(ascii: "\n")) }
  guard call.console.surroundings.isTerminal() else {
    try call.console.write(file)
    return .done
  }
  // Somebody else's file may hold what a terminal obeys.
  for line in String(decoding: file, as: UTF8.self).split(
    separator: "\n", omittingEmptySubsequences: false
  ).dropLast() {
    try call.console.write(visible(String(line)) + "\n")
  }
  return .done
}

extension LoginDescription {
  /// What it takes from packets, each once, in the order in which it does.
  var fieldNames: [String] {
    var names: [String] = []
    for field in parts.flatMap(\.fields) where !names.contains(field.target.name) {
      names.append(field.target.name)
    }
    return names
  }
}

extension JSONWriter {
  fileprivate mutating func definition(_ definition: FramerDefinition) {
    object { json in
      json.member("name", definition.name)
      json.member("title", definition.title)
      json.key("ports")
      json.array { for port in definition.ports { $0.number(port) } }
      json.member("client_to_server", definition.clientToServer.kind)
      json.member("server_to_client", definition.serverToClient?.kind ?? "raw")
      json.member("login", definition.login?.fieldNames ?? [])
      json.member("sources", definition.sources)
    }
  }
}
