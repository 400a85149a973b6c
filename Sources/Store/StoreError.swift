internal import CSQLite

/// Why the store can't do what it was asked to; the text says where, and how to mend it.
public enum StoreError: Error, Equatable, Sendable, CustomStringConvertible {
  // The file.
  case cannotOpen(path: String, problem: String)
  case notADatabase(path: String)
  /// An SQLite database of another program.
  case notOurs(path: String)
  /// Written by a newer Gatehouse; the numbers are schema versions.
  case newer(path: String, found: Int32, supported: Int32)
  /// Has to be migrated, but was opened for reading alone.
  case older(path: String, found: Int32, supported: Int32)
  case exists(path: String)

  // The database, in the course of its work.
  /// Somebody else kept it locked for longer than the busy timeout.
  case busy(path: String)
  case readOnly(path: String)
  case full(path: String)
  case io(path: String, problem: String)
  case corrupt(path: String, problem: String)
  case outOfMemory
  /// Anything else that SQLite says, with its extended result code.
  case database(path: String, code: Int32, problem: String)

  // What was asked.
  case accountExists(String)
  case unknownAccount(String)
  /// A row breaks a rule of the schema.
  case constraint(path: String, problem: String)
  /// A line of an import; lines count from 1.
  case malformedLine(Int, problem: String)
  /// libsodium or another library that guards secrets can't do its work.
  case cryptography(String)

  /// Whether the same question may be answered a moment later, without anybody mending anything.
  public var isTransient: Bool {
    if case .busy = self { true } else { false }
  }

  public var description: String {
    switch self {
    case .cannotOpen(let path, let problem):
      "\(path): cannot be opened: \(problem)"
    case .notADatabase(let path):
      "\(path): is not an SQLite database; name another file, or move this one away"
    case .notOurs(let path):
      "\(path): is a database of another program; name another file"
    case .newer(let path, let found, let supported):
      "\(path): has schema version \(found), this program knows versions up to \(supported);"
        + " use the newer program, or a backup from before it"
    case .older(let path, let found, let supported):
      "\(path): has schema version \(found), this program needs \(supported) and may only read;"
        + " start the gateway or any command that writes, which brings it up to date"
    case .exists(let path):
      "\(path): exists already and is left alone; name a new file"
    case .busy(let path):
      "\(path): is locked by another program; try again, or end what holds it"
    case .readOnly(let path):
      "\(path): can't be written; give this user the right to write the file and its folder,"
        + " and see that its file system is not mounted read-only"
    case .full(let path):
      "\(path): there is no room left to write; free space on its file system"
    case .io(let path, let problem):
      "\(path): reading or writing failed: \(problem); look at the disk and the system's log"
    case .corrupt(let path, let problem):
      "\(path): is damaged: \(problem); stop the gateway and put a backup in its place"
    case .outOfMemory:
      "the store is out of memory"
    case .database(let path, let code, let problem):
      "\(path): SQLite error \(code): \(problem)"
    case .accountExists(let name):
      "there is an account \(name) already"
    case .unknownAccount(let name):
      "there is no account \(name)"
    case .constraint(let path, let problem):
      "\(path): refused by a rule of the schema: \(problem)"
    case .malformedLine(let line, let problem):
      "line \(line): \(problem)"
    case .cryptography(let problem):
      problem
    }
  }

  /// What an SQLite result code means for `path`.
  init(code: Int32, message: String, path: String) {
    self =
      switch code & 0xff {
      case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: .busy(path: path)
      case SQLITE_READONLY, SQLITE_PERM: .readOnly(path: path)
      case SQLITE_FULL: .full(path: path)
      case SQLITE_IOERR: .io(path: path, problem: "\(message) (SQLite error \(code))")
      case SQLITE_CORRUPT: .corrupt(path: path, problem: message)
      case SQLITE_NOTADB: .notADatabase(path: path)
      case SQLITE_NOMEM: .outOfMemory
      case SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG:
        .constraint(path: path, problem: message)
      case SQLITE_CANTOPEN, SQLITE_AUTH:
        .cannotOpen(
          path: path,
          problem: "\(message); this user must be able to read and write the file and its folder")
      default: .database(path: path, code: code, problem: message)
      }
  }
}
