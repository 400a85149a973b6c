/// The options, each of which means the same wherever it is taken.
extension CommandOption {
  static let config = CommandOption(
    "config", letter: "c", argument: "FILE", "the configuration file, in TOML")
  static let store = CommandOption(
    "store", argument: "FILE", "the database itself, instead of the one a configuration names")
  static let json = CommandOption("json", "for scripts: JSON (RFC 8259)")
  static let by = CommandOption(
    "by", argument: "NAME", "who does it, for the record; otherwise SUDO_USER or the login name")
  static let duration = CommandOption(
    "for", argument: "TIME", "how long it holds: 30s, 15m, 12h, 7d, 4w, 1d12h; without it, for ever"
  )
  static let reason = CommandOption(
    "reason", argument: "TEXT", "why; of a ban, the banned may be shown it")
  static let note = CommandOption("note", argument: "TEXT", "why; shown to operators only")
  static let listener = CommandOption(
    "listener", argument: "NAME", "for this listener alone; without it, for all")
  static let yes = CommandOption("yes", "yes, really: a very wide ban, or an account that goes")
  static let search = CommandOption(
    "search", argument: "TEXT", "only what has this text in its subject, reason, note or author")
  static let accountSearch = CommandOption(
    "search", argument: "TEXT", "only names that hold this text")
  static let all = CommandOption("all", "also what has ended")
  static let history = CommandOption(
    "history", argument: "SUBJECT", "all that was ever done about this subject, newest first")
  static let allowed = CommandOption("allowed", "allowances instead of bans")
  static let limit = CommandOption(
    "limit", letter: "n", argument: "NUMBER", "at most so many lines; 100 when not given")
  static let format = CommandOption(
    "format", argument: "FORMAT", "plain, csv, json, p2p or dat; the default looks at the file")
  static let hashFormat = CommandOption(
    "format", argument: "FORMAT", "how the hashes were made; see above")
  static let dryRun = CommandOption("dry-run", "only say what would be done")
  static let skipBad = CommandOption("skip-bad", "leave lines out that are not understood")
  static let noPassword = CommandOption(
    "no-password", "without a password; tokens and tickets only")
  static let passwordInput = CommandOption(
    "password-stdin", "take the first line of standard input as the password")
  static let secretInput = CommandOption(
    "stdin", "take the first line of standard input as the secret")
  static let columns = CommandOption(
    "csv", "the file has columns, named in its first line; known for a FILE that ends in .csv")
  static let replace = CommandOption("replace", "give accounts that exist the file's passwords")
  static let once = CommandOption("once", "good for one login alone")
  static let label = CommandOption("label", argument: "TEXT", "what it is for")
  static let account = CommandOption("account", argument: "NAME", "of this account")
  static let address = CommandOption(
    "address", argument: "ADDRESS", "from this address or network")
  static let listenPort = CommandOption(
    "port", letter: "p", argument: "PORT", "listen on this port of every IPv4 address")
  static let listenAddress = CommandOption(
    "address", argument: "HOST:PORT", "listen there, such as 192.0.2.7:7171 or [::]:7171")
  static let listenerName = CommandOption(
    "name", argument: "NAME", "what it is called; listener-PORT when not given")
  static let framer = CommandOption(
    "framer", argument: "NAME", "how streams are cut into packets; raw when not given")
  static let auth = CommandOption(
    "auth", argument: "KIND",
    "who is let in: none, token, password, ticket or worker; everybody when not given")
  static let pool = CommandOption(
    "pool", argument: "NAME", "where its sessions go; needed when there are several")
  static let listenerFile = CommandOption(
    "file", argument: "FILE", "a [[listener]] table in TOML; - is standard input")
  static let save = CommandOption("save", "have it there again whenever the gateway starts")
  static let closeSessions = CommandOption("close", "end its sessions now")
  static let wait = CommandOption("wait", "return when its last session is gone")
  static let key = CommandOption("key", argument: "FILE", "the file with the secret key")
  static let keyID = CommandOption("id", argument: "NAME", "the key's name in tickets")
  static let audience = CommandOption("audience", argument: "NAME", "whom the ticket is for")
}
