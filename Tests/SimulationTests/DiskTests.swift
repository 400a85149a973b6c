import CSQLite
import Primitives
import Simulation
import Testing

/// Goal: SQLite works on a virtual disk as on a real one, whatever several connections do.
@Suite struct DiskTests {
  /// Goal: what is committed is what everybody reads, and only that.
  ///
  /// Method: some connections insert, delete, change, roll back and read in turns, in transactions
  /// that lie across each other; a dictionary says what the table holds.
  @Test(arguments: ["WAL", "DELETE"], 1...4 as ClosedRange<UInt64>)
  func severalConnectionsSeeOneTable(mode: String, seed: UInt64) throws {
    let disk = VirtualDisk(seed: seed)
    var random = SeededRandom(seed: seed)
    func draw(_ count: UInt64) -> Int { Int(random.next() % count) }
    var connections = try (0..<4).map { _ in try DiskSQLite(disk, mode: mode) }
    try connections[0].run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    try connections[0].run("PRAGMA wal_autocheckpoint = 20")
    var committed: [Int: Int] = [:]
    var writer: Int?
    var pending: [Int: Int] = [:]
    var busyCount = 0
    func isBusy(_ body: () throws -> Void) throws -> Bool {
      do {
        try body()
        return false
      } catch let failure as DiskSQLite.Failure where failure.code & 0xff == SQLITE_BUSY {
        busyCount += 1
        return true
      }
    }
    for _ in 0..<400 {
      let index = draw(4)
      let connection = connections[index]
      switch draw(10) {
      case 0 where writer == nil:
        if try isBusy({ try connection.run("BEGIN IMMEDIATE") }) { continue }
        (writer, pending) = (index, committed)
      case 1 where writer == index:
        if try isBusy({ try connection.run("COMMIT") }) { continue }
        (writer, committed) = (nil, pending)
      case 2 where writer == index:
        try connection.run("ROLLBACK")
        writer = nil
      case 3 where writer != index:
        connections[index] = try DiskSQLite(disk, mode: mode)
      case 4...6 where writer == index:
        let (id, value) = (draw(500), draw(1000))
        try connection.run(
          "INSERT OR REPLACE INTO t VALUES (\(id), printf('%d-%0500d', \(value), 0))")
        pending[id] = value
      case 7 where writer == index:
        let id = draw(500)
        try connection.run("DELETE FROM t WHERE id > \(id)")
        pending = pending.filter { $0.key <= id }
      case 8 where writer != nil && writer != index:
        #expect(try isBusy { try connection.run("BEGIN IMMEDIATE") })
      default:
        let expected = writer == index ? pending : committed
        let isRead = try !isBusy {
          let rows = try connection.run("SELECT id, v FROM t ORDER BY id")
          let known = expected.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)-" }
          #expect(rows.count == known.count)
          #expect(zip(rows, known).allSatisfy { $0.hasPrefix($1) })
        }
        if mode == "WAL" { #expect(isRead) }
      }
    }
    #expect(busyCount > 0)
    if let writer { try connections[writer].run("ROLLBACK") }
    #expect(try connections[0].run("PRAGMA integrity_check") == ["ok"])
    connections = []
    #expect(disk.paths == ["/test.db"])
    #expect(disk.usedBytes == disk.byteCount(of: "/test.db"))
  }

  /// Goal: after a loss of power there is a prefix of what was committed, with all that was synced.
  @Test(arguments: 1...30 as ClosedRange<UInt64>)
  func aLossOfPowerTakesAtMostWhatWasNotSynced(seed: UInt64) throws {
    let disk = VirtualDisk(seed: seed)
    var random = SeededRandom(seed: seed)
    var last = 0
    for _ in 0..<3 {
      let connection = try DiskSQLite(disk)
      try connection.run("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)")
      let found = try connection.run("SELECT count(*), coalesce(max(id), 0) FROM t")[0]
      // Without gaps.
      #expect(found == "\(last) \(last)")
      var synced = last
      for _ in 0..<(5 + random.next() % 40) {
        last += 1
        try connection.run("INSERT INTO t VALUES (\(last), printf('%0900d', 0))")
        if random.next() % 8 == 0 {
          try connection.run("PRAGMA wal_checkpoint(TRUNCATE)")
          synced = last
        }
      }
      if random.next() % 2 == 0 {
        // The table's making and all before it may go with it, when nothing was synced.
        try connection.run("PRAGMA wal_checkpoint(PASSIVE)")
        synced = last
      }
      disk.losePower()
      #expect(throws: DiskSQLite.Failure.self) { try connection.run("SELECT count(*) FROM t") }
      let after = try DiskSQLite(disk)
      #expect(try after.run("PRAGMA integrity_check") == ["ok"])
      try after.run("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)")
      let left = try after.run("SELECT count(*), coalesce(max(id), 0) FROM t")[0]
      let count = try #require(Int(left.split(separator: " ")[0]))
      #expect(left == "\(count) \(count)")
      #expect((synced...last).contains(count))
      last = count
    }
    #expect(disk.counts.powerLosses == 3)
  }

  /// Goal: losses of power do take something, or the test above shows nothing.
  @Test func whatWasNotSyncedMayGo() throws {
    var counts: Set<String> = []
    for seed in 1...20 as ClosedRange<UInt64> {
      let disk = VirtualDisk(seed: seed)
      let connection = try DiskSQLite(disk)
      try connection.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
      try connection.run("PRAGMA wal_checkpoint(TRUNCATE)")
      for _ in 0..<10 { try connection.run("INSERT INTO t (v) VALUES (printf('%0900d', 0))") }
      disk.losePower()
      counts.formUnion(try DiskSQLite(disk).run("SELECT count(*) FROM t"))
    }
    #expect(counts.contains("0") && counts.contains("10") && counts.count > 3)
  }

  @Test func anEndedProcessLosesNothingThatItCommitted() throws {
    let disk = VirtualDisk(seed: 1)
    let other = try DiskSQLite(disk)
    try other.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    disk.owner = disk.makeOwner()
    let process = disk.owner
    let connection = try DiskSQLite(disk)
    disk.owner = 0
    try connection.run("INSERT INTO t VALUES (1)")
    try connection.run("BEGIN IMMEDIATE")
    try connection.run("INSERT INTO t VALUES (2)")
    #expect(throws: DiskSQLite.Failure.self) { try other.run("INSERT INTO t VALUES (3)") }
    disk.end(process)
    #expect(throws: DiskSQLite.Failure.self) { try connection.run("COMMIT") }
    try other.run("INSERT INTO t VALUES (4)")
    #expect(try other.run("SELECT id FROM t") == ["1", "4"])
    #expect(disk.counts.endedOwners == 1)
  }

  @Test func faultsAreToldByTheirCodesAndCounted() throws {
    let disk = VirtualDisk(seed: 1)
    let connection = try DiskSQLite(disk)
    try connection.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    func code(_ sql: String) -> Int32? {
      do {
        try connection.run(sql)
        return nil
      } catch {
        return (error as? DiskSQLite.Failure)?.code
      }
    }
    disk.faults.capacityBytes = disk.usedBytes + 100
    #expect(code("INSERT INTO t VALUES (1, printf('%09000d', 0))") == SQLITE_FULL)
    #expect(disk.counts.writesRefused > 0)
    disk.faults = .none
    disk.faults.writeFailure = 1
    #expect(code("INSERT INTO t VALUES (1, 'a')") == SQLITE_IOERR | 3 << 8)
    #expect(disk.counts.writesFailed > 0)
    disk.faults = .none
    try connection.run("INSERT INTO t VALUES (1, 'a')")
    disk.faults.syncFailure = 1
    #expect(code("PRAGMA wal_checkpoint") == SQLITE_IOERR | 4 << 8)
    #expect(disk.counts.syncsFailed == 1)
    disk.faults = .none
    disk.faults.readFailure = 1
    #expect(throws: DiskSQLite.Failure.self) { try DiskSQLite(disk).run("SELECT * FROM t") }
    #expect(disk.counts.readsFailed > 0)
    disk.faults = .none
    disk.faults.isLockedByOthers = true
    #expect(code("INSERT INTO t VALUES (2, 'b')").map { $0 & 0xff } == SQLITE_BUSY)
    #expect(try connection.run("SELECT * FROM t") == ["1 a"])
    disk.faults = .none
    #expect(disk.takeBusyTime() == .zero)
    disk.faults.writeTime = .milliseconds(3)
    try connection.run("INSERT INTO t VALUES (2, 'b')")
    #expect(disk.takeBusyTime() >= .milliseconds(3))
    #expect(disk.takeBusyTime() == .zero)
  }

  @Test func anImageIsNotTouchedByWhatComesLater() throws {
    let disk = VirtualDisk(seed: 1)
    let connection = try DiskSQLite(disk)
    try connection.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    try connection.run("INSERT INTO t VALUES (1)")
    let image = disk.image()
    try connection.run("INSERT INTO t VALUES (2)")
    let copy = VirtualDisk(seed: 2, image: image)
    let other = try DiskSQLite(copy)
    #expect(try other.run("SELECT id FROM t") == ["1"])
    try other.run("INSERT INTO t VALUES (3)")
    disk.replace(database: "/test.db", with: image)
    #expect(try DiskSQLite(disk).run("SELECT id FROM t") == ["1"])
    #expect(try connection.run("SELECT id FROM t") == ["1", "2"])
  }

  /// Goal: a snapshot stays as it is, whatever is written and checkpointed meanwhile.
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func readersKeepTheirSnapshots(seed: UInt64) throws {
    let disk = VirtualDisk(seed: seed)
    var random = SeededRandom(seed: seed)
    let writer = try DiskSQLite(disk)
    try writer.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    let readers = try (0..<3).map { _ in try DiskSQLite(disk) }
    var seen: [Int?] = [nil, nil, nil]
    for count in 1...150 {
      try writer.run("UPDATE t SET v = printf('%0700d', \(count))")
      try writer.run("INSERT INTO t VALUES (\(count), printf('%0700d', \(count)))")
      if random.next() % 4 == 0 {
        let kind = ["PASSIVE", "FULL", "RESTART", "TRUNCATE"][Int(random.next() % 4)]
        _ = try writer.run("PRAGMA wal_checkpoint(\(kind))")
      }
      let index = Int(random.next() % 3)
      if seen[index] != nil, random.next() % 3 == 0 {
        try readers[index].run("COMMIT")
        seen[index] = nil
      }
      if seen[index] == nil {
        try readers[index].run("BEGIN")
        seen[index] = count
      }
      let state = seen[index]!
      let rows = try readers[index].run("SELECT count(*), min(v + 0), max(v + 0) FROM t")
      #expect(rows == ["\(state) \(state) \(state)"])
    }
  }

  /// Goal: who has a file open that was taken away does not touch the one in its place.
  @Test func theLastUserOfAReplacedFileLeavesTheNewOneAlone() throws {
    let disk = VirtualDisk(seed: 1)
    var old: DiskSQLite? = try DiskSQLite(disk)
    try old?.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    try old?.run("PRAGMA wal_checkpoint(TRUNCATE)")
    let image = disk.image()
    try old?.run("INSERT INTO t VALUES (1)")
    disk.replace(database: "/test.db", with: image)
    let new = try DiskSQLite(disk)
    try new.run("INSERT INTO t VALUES (2)")
    #expect(try old?.run("SELECT id FROM t") == ["1"])
    old = nil
    #expect(disk.paths == ["/test.db", "/test.db-wal"])
    #expect(try DiskSQLite(disk).run("SELECT id FROM t") == ["2"])
    #expect(disk.usedBytes == disk.paths.reduce(0) { $0 + disk.byteCount(of: $1)! })
  }

  @Test func timeIsVirtual() throws {
    let disk = VirtualDisk(seed: 1)
    disk.unixMilliseconds = 1_800_000_000_000
    let connection = try DiskSQLite(disk)
    #expect(try connection.run("SELECT datetime('now')") == ["2027-01-15 08:00:00"])
  }
}
