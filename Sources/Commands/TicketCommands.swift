internal import Auth
internal import Store

let ticketCommands: [Subcommand] = [
  Subcommand(
    words: ["ticket", "keygen"], operands: "FILE", operandCount: 1...1,
    summary: "make a pair of keys for tickets",
    explanation: """
      Writes a new secret key (Ed25519) to FILE, which must not exist and which only its owner may
      read, and shows the public key for the configuration. The secret key belongs to whoever signs
      tickets, such as a community's web site; the gateway needs the public key alone.
      """,
    examples: ["gatehouse ticket keygen ticket.key"], run: { try makeKey($0) }),
  Subcommand(
    words: ["ticket", "sign"], operands: "ACCOUNT", operandCount: 1...1,
    options: [.key, .keyID, .audience, .duration],
    summary: "sign a ticket, for a test",
    explanation: """
      Signs a ticket for ACCOUNT with the secret key in a file, and shows it. It is good for five
      minutes unless --for says otherwise. --id is the key's name in the gateway's configuration.
      """,
    examples: ["gatehouse ticket sign anna --key ticket.key --id web --audience game"],
    run: { try sign($0) }),
  Subcommand(
    words: ["ticket", "revoke"], operands: "ACCOUNT", operandCount: 1...1,
    options: [.by, .config, .store],
    summary: "make all tickets worthless that an account has had so far",
    explanation: """
      Refuses every ticket of ACCOUNT that was issued up to this second. Tickets need no account in
      the database, so any name is taken.
      """,
    examples: ["gatehouse ticket revoke anna"], run: { try revoke($0) }),
]

private func makeKey(_ call: Call) throws -> ExitStatus {
  let file = try OutputFile(creating: call.operands[0], mode: 0o600)
  let key = TicketKey.make()
  do {
    try file.write(Array((key.secretText + "\n").utf8))
    try file.finish()
    // Without its other half, which nobody would have seen, it is of no use.
    try call.console.write("\(key.publicText)\n")
    try call.console.flush()
  } catch {
    file.remove()
    throw error
  }
  call.console.note(
    "the secret key is in \(quoted(file.path)); above is the public key, for the configuration")
  return .done
}

private func sign(_ call: Call) throws -> ExitStatus {
  guard let path = call.value(.key), let keyID = call.value(.keyID),
    let audience = call.value(.audience)
  else {
    throw CommandFailure("--key, --id and --audience are needed", .wrongCommandLine)
  }
  let account = try accountName(call.operands[0])
  let end = try call.end(.duration) ?? call.now + 300
  var bytes = try InputFile.read(path, call.console)
  defer { wipe(&bytes) }
  while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
    bytes.removeLast()
  }
  let text = String(decoding: bytes, as: UTF8.self)
  guard TicketKeyText.secretSeed(text) != nil else {
    throw CommandFailure("\(quoted(path)) does not hold a secret key of `gatehouse ticket keygen`")
  }
  guard let signer = TicketSigner(keyID: keyID, secretText: text) else {
    throw CommandFailure(
      "--id \(quoted(keyID)): expected 1 to 32 letters, digits, \"-\" and \"_\"",
      .wrongCommandLine)
  }
  guard
    let ticket = signer.sign(
      account: account, audience: audience, issuedAt: call.now, expiresAt: end)
  else {
    throw CommandFailure(
      "--audience \(quoted(audience)), or the time, is beyond what a ticket can say",
      .wrongCommandLine)
  }
  try call.console.write("\(ticket)\n")
  return .done
}

private func revoke(_ call: Call) throws -> ExitStatus {
  let name = try accountName(call.operands[0])
  let author = try call.author()
  let database = try StoreAccess.open(call)
  try database.revokeTickets(of: name, issuedBefore: call.now, by: author, now: call.now)
  try call.console.write(
    "revoked the tickets of \(visible(name.text)) up to \(TimeText.describe(call.now))\n")
  return .done
}
