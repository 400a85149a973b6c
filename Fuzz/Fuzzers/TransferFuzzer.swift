import Glibc

@testable import Store

/// Goal: an import is taken whole or leaves nothing behind; what it took comes out of an export
/// such that another store takes it and gives the same export.
enum TransferFuzzer {
  static func run(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: 0x0a).map { Array($0) }
    guard let store = shared else { fatalError("no database can be made in \(folder)") }
    let before = exported(store)
    guard imported(lines, into: store) else {
      check(exported(store) == before, "a refused import has left something behind")
      return
    }
    defer { shared = make("a") }
    let first = exported(store)
    guard let other = make("b") else { fatalError("no second database") }
    check(imported(first, into: other), "an export is refused")
    check(kept(exported(other)) == kept(first), "the second store differs")
  }

  private static let folder = "/tmp/gatehouse-fuzz-\(getpid())"
  nonisolated(unsafe) private static var shared: Database? = {
    mkdir(folder, 0o700)
    atexit { TransferFuzzer.remove() }
    return make("a")
  }()

  private static func make(_ name: String) -> Database? {
    let path = "\(folder)/\(name).db"
    for end in ["", "-wal", "-shm"] { unlink(path + end) }
    return try? Database(path: path)
  }

  private static func remove() {
    for name in ["a", "b"] {
      for end in ["", "-wal", "-shm"] { unlink("\(folder)/\(name).db\(end)") }
    }
    rmdir(folder)
  }

  private static func imported(_ lines: [[UInt8]], into store: Database) -> Bool {
    var rest = lines[...]
    do throws(StoreError) {
      _ = try store.importJSON({ () throws(StoreError) in rest.popFirst() }, by: "fuzz", now: 1)
      return true
    } catch {
      guard case .malformedLine = error else { fatalError("\(error) instead of a line's fault") }
      return false
    }
  }

  private static func exported(_ store: Database) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    do throws(StoreError) {
      try store.exportJSON { line throws(StoreError) in lines.append(line.dropLast()) }
    } catch {
      fatalError("no export: \(error)")
    }
    return lines
  }

  /// Without the import's own entry in the audit log, and the count at the end.
  private static func kept(_ lines: [[UInt8]]) -> [String] {
    lines.map { String(decoding: $0, as: UTF8.self) }
      .filter { !$0.contains("\"store import\"") && !$0.contains("\"kind\":\"end\"") }
  }
}
