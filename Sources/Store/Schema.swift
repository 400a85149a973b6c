/// The database's tables, as steps that lead from one schema version to the next.
enum Schema {
  /// "Gtho", in the file's header: tells our files from those of other programs.
  static let applicationID: Int64 = 0x4774_686f

  /// For every connection; docs/store.md says why.
  static let settings = """
    PRAGMA foreign_keys = ON;
    PRAGMA synchronous = NORMAL;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -16384;
    PRAGMA journal_size_limit = 67108864;
    """

  /// Step n leads from version n to n + 1; what has been released is never changed.
  static let steps = [version1, version2]

  private static let version1 = """
    PRAGMA application_id = \(applicationID);

    CREATE TABLE account (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      key TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
      disabled_reason TEXT NOT NULL DEFAULT ''
    ) STRICT;

    CREATE TABLE credential (
      account INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
      scheme TEXT NOT NULL,
      parameters TEXT NOT NULL,
      hash TEXT NOT NULL,
      changed_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE token (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
      account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
      label TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      expires_at INTEGER,
      is_single_use INTEGER NOT NULL CHECK (is_single_use IN (0, 1)),
      used_at INTEGER,
      use_count INTEGER NOT NULL DEFAULT 0,
      revoked_at INTEGER
    ) STRICT;
    CREATE INDEX token_by_account ON token (account);

    CREATE TABLE ticket_nonce (
      account TEXT NOT NULL,
      nonce BLOB NOT NULL,
      expires_at INTEGER NOT NULL,
      PRIMARY KEY (account, nonce)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX ticket_nonce_by_expiry ON ticket_nonce (expires_at);

    CREATE TABLE ticket_revocation (
      account TEXT PRIMARY KEY,
      issued_before INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE ban (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      effect TEXT NOT NULL CHECK (effect IN ('ban', 'allow')),
      prefix BLOB CHECK (length(prefix) = 16),
      bits INTEGER CHECK (bits BETWEEN 0 AND 128),
      account TEXT,
      subject TEXT NOT NULL,
      listener TEXT,
      shown_reason TEXT NOT NULL,
      internal_reason TEXT NOT NULL,
      author TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      until INTEGER,
      lifted_at INTEGER,
      lifted_by TEXT,
      lift_reason TEXT,
      CHECK ((prefix IS NULL) = (bits IS NULL)),
      CHECK ((prefix IS NULL) <> (account IS NULL)),
      CHECK ((lifted_at IS NULL) = (lifted_by IS NULL)),
      CHECK ((lifted_at IS NULL) = (lift_reason IS NULL))
    ) STRICT;
    CREATE INDEX ban_by_prefix ON ban (prefix, bits) WHERE prefix IS NOT NULL;
    CREATE INDEX ban_by_account ON ban (account) WHERE account IS NOT NULL;
    CREATE INDEX ban_not_lifted ON ban (id, until) WHERE lifted_at IS NULL;

    CREATE TABLE ban_event (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      ban INTEGER NOT NULL REFERENCES ban (id),
      is_lift INTEGER NOT NULL CHECK (is_lift IN (0, 1))
    ) STRICT;
    CREATE UNIQUE INDEX ban_event_by_ban ON ban_event (ban, is_lift);

    CREATE TABLE audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      author TEXT NOT NULL,
      action TEXT NOT NULL,
      subject TEXT NOT NULL,
      detail TEXT NOT NULL
    ) STRICT;

    CREATE TABLE login (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      account TEXT,
      name TEXT,
      address BLOB NOT NULL CHECK (length(address) = 16),
      port INTEGER NOT NULL,
      listener TEXT NOT NULL,
      outcome TEXT NOT NULL,
      detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX login_by_time ON login (at);
    CREATE INDEX login_by_account ON login (account, id) WHERE account IS NOT NULL;
    CREATE INDEX login_by_address ON login (address, id);

    CREATE TABLE last_login (
      account TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX last_login_by_time ON last_login (at);
    """

  /// The history is forgotten in the order of its numbers: a login need not keep another index.
  private static let version2 = "DROP INDEX IF EXISTS login_by_time;"
}
