internal import Auth
internal import JSON
internal import Store

/// Whatever stands too much on these commands' lines may be a password, and is not repeated.
private let noPasswordHere =
  "unexpected argument (not repeated here); a password is asked for on the terminal, or taken from "
  + "standard input with --password-stdin, but never from the command line, where `ps` shows it"

let accountCommands: [Subcommand] = [
  Subcommand(
    words: ["account", "add"], operands: "NAME", operandCount: 1...1,
    tooManyOperands: noPasswordHere,
    options: [.noPassword, .passwordInput, .by, .config, .store],
    summary: "add an account",
    explanation: """
      Adds an account and asks for its password, twice and without showing it. With --no-password it
      has none, and lets in by tokens and tickets alone.
      """,
    examples: [
      "gatehouse account add anna", "gatehouse account add anna --password-stdin < password",
      "gatehouse account add bot7 --no-password",
    ], run: { try add($0) }),
  Subcommand(
    words: ["account", "passwd"], operands: "NAME", operandCount: 1...1,
    tooManyOperands: noPasswordHere, options: [.passwordInput, .by, .config, .store],
    summary: "give an account a new password",
    explanation: """
      Asks for a new password, twice and without showing it. Open sessions stay; `gatehouse kick`
      ends them.
      """,
    examples: [
      "gatehouse account passwd anna", "gatehouse account passwd anna --password-stdin < password",
    ], run: { try changePassword($0) }),
  Subcommand(
    words: ["account", "disable"], operands: "NAME", operandCount: 1...1,
    options: [.reason, .by, .config, .store], summary: "let an account in no more",
    explanation: """
      Refuses the account's logins until `gatehouse account enable`. Open sessions stay; to end them
      too, ban the account, or kick it.
      """,
    examples: ["gatehouse account disable anna --reason \"asked for a break\""],
    run: { try setDisabled(true, $0) }),
  Subcommand(
    words: ["account", "enable"], operands: "NAME", operandCount: 1...1,
    options: [.reason, .by, .config, .store], summary: "let a disabled account in again",
    explanation: "Undoes `gatehouse account disable`.",
    examples: ["gatehouse account enable anna"], run: { try setDisabled(false, $0) }),
  Subcommand(
    words: ["account", "list"], options: [.accountSearch, .limit, .json, .config, .store],
    summary: "list accounts",
    explanation: "Lists accounts by name. Exit status 3 means that the list is empty.",
    examples: ["gatehouse account list", "gatehouse account list --search ann --json"],
    run: { try list($0) }),
  Subcommand(
    words: ["account", "remove"], operands: "NAME", operandCount: 1...1,
    options: [.yes, .by, .config, .store], summary: "remove an account",
    explanation: """
      Removes the account with its password and tokens; bans and login history of the name stay. It
      can't be undone, so --yes is asked for.
      """,
    examples: ["gatehouse account remove anna --yes"], run: { try remove($0) }),
  Subcommand(
    words: ["account", "import"], operands: "FILE", operandCount: 1...1,
    options: [.hashFormat, .columns, .replace, .skipBad, .dryRun, .by, .config, .store],
    summary: "take accounts over from another program's list of password hashes",
    explanation: accountImportHelp,
    examples: [
      "gatehouse account import users.htpasswd",
      "gatehouse account import forum.csv --format \"md5(md5(password)+salt)\" --dry-run",
    ], run: { try importAccounts($0) }),
]

private func existing(_ call: Call) throws -> (Database, Account) {
  let name = try accountName(call.operands[0])
  let database = try StoreAccess.openExisting(call)
  guard let account = try database.account(name) else {
    throw CommandFailure("there is no account \(quoted(name.text))", .nothingMatched)
  }
  return (database, account)
}

/// An account's name, as it is or with `account:` in front.
func accountName(_ text: String) throws(CommandFailure) -> AccountName {
  try SubjectText.name(text.dropping(prefix: "account:") ?? text, typed: text)
}

private func add(_ call: Call) throws -> ExitStatus {
  let name = try accountName(call.operands[0])
  guard !(call.has(.noPassword) && call.has(.passwordInput)) else {
    throw CommandFailure("give --no-password or --password-stdin, not both", .wrongCommandLine)
  }
  let author = try call.author()
  let parameters = try PasswordSettings.parameters(call)
  let database = try StoreAccess.open(call)
  // Asked before the password is typed twice for nothing.
  guard try database.account(name) == nil else {
    throw CommandFailure("there is an account \(quoted(name.text)) already")
  }
  var record: PasswordRecord?
  if !call.has(.noPassword) {
    var password = try NewPassword.read(call, for: name)
    defer { wipe(&password) }
    record = try PasswordHash.make(password, parameters)
  }
  _ = try database.addAccount(name, credential: record, by: author, now: call.now)
  try call.console.write("added account \(visible(name.text))\n")
  return .done
}

private func changePassword(_ call: Call) throws -> ExitStatus {
  let parameters = try PasswordSettings.parameters(call)
  let author = try call.author()
  let (database, account) = try existing(call)
  var password = try NewPassword.read(call, for: account.name)
  defer { wipe(&password) }
  let record = try PasswordHash.make(password, parameters)
  try database.setPassword(of: account.name, record, by: author, now: call.now)
  try call.console.write("changed the password of \(visible(account.name.text))\n")
  return .done
}

private func setDisabled(_ isDisabled: Bool, _ call: Call) throws -> ExitStatus {
  let (database, account) = try existing(call)
  let word = isDisabled ? "disabled" : "enabled"
  if account.isDisabled == isDisabled && !isDisabled {
    call.console.note("account \(visible(account.name.text)) was \(word) already")
    return .done
  }
  try database.setDisabled(
    account.name, isDisabled, reason: call.text(.reason), by: call.author(), now: call.now)
  try call.console.write("\(word) account \(visible(account.name.text))\n")
  return .done
}

private func remove(_ call: Call) throws -> ExitStatus {
  let (database, account) = try existing(call)
  guard call.has(.yes) else {
    throw CommandFailure(
      "removing \(quoted(account.name.text)) can't be undone; say --yes if you mean it, or disable "
        + "the account instead", .wrongCommandLine)
  }
  try database.removeAccount(account.name, by: call.author(), now: call.now)
  try call.console.write("removed account \(visible(account.name.text))\n")
  return .done
}

private func list(_ call: Call) throws -> ExitStatus {
  let limit = try call.number(.limit, in: 1...TextTable.rowsMax, default: 100)
  let database = try StoreAccess.openExisting(call)
  let accounts = try database.accounts(
    matching: call.value(.accountSearch), after: nil, limit: limit + 1)
  if call.has(.json) {
    var list = try JSONList(call.console)
    for account in accounts.prefix(limit) { try list.add { write(account, to: &$0) } }
    try list.finish()
  } else if !accounts.isEmpty {
    var table = TextTable(["NAME", "STATE", "PASSWORD", "ADDED", "LAST LOGIN", "REASON"])
    for account in accounts.prefix(limit) {
      table.add([
        account.name.text, account.isDisabled ? "disabled" : "enabled",
        account.credential ?? "none", TimeText.describe(account.createdAt),
        TimeText.describe(account.lastLoginAt, orNone: "never"), account.disabledReason,
      ])
    }
    try call.console.write(table.text)
  }
  if accounts.count > limit { call.console.note("there are more; --limit shows more of them") }
  return accounts.isEmpty ? .nothingMatched : .done
}

func write(_ account: Account, to json: inout JSONWriter) {
  json.object { json in
    json.member("name", account.name.text)
    json.member("disabled", account.isDisabled)
    json.member("disabled_reason", account.disabledReason)
    json.optional("password", account.credential)
    json.member("created", TimeText.describe(account.createdAt))
    json.optional("last_login", account.lastLoginAt.map { TimeText.describe($0) })
  }
}
