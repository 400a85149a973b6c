import CSQLite
import Primitives
import Testing

@testable import Simulation

/// Goal: locks on a virtual disk exclude each other as SQLite's own VFS has them do.
@Suite struct DiskLockTests {
  private func handles(_ count: Int) -> [VirtualFileHandle] {
    let disk = VirtualDisk(seed: 1)
    let file = disk.makeFile("/test.db")
    return (0..<count).map { _ in
      VirtualFileHandle(
        disk: disk, file: file, path: "/test.db", owner: 0, isDeletedAtClose: false)
    }
  }

  /// Method: levels that handles should have, in an array; each request by the table of
  /// sqlite.org/lockingv3.html.
  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func levelsExcludeEachOther(seed: UInt64) {
    let handles = handles(3)
    var levels = [0, 0, 0]
    var random = SeededRandom(seed: seed)
    var busyCount = 0
    for _ in 0..<3000 {
      let index = Int(random.next() % 3)
      let own = levels[index]
      let others = levels.indices.filter { $0 != index }.map { levels[$0] }.max()!
      if random.next() % 3 == 0 {
        let level = min(own, Int(random.next() % 2))
        #expect(handles[index].unlock(Int32(level)) == SQLITE_OK)
        levels[index] = level
        continue
      }
      // From nothing one goes to shared, and from there to reserved or exclusive.
      let wanted = own == 0 ? 1 : [2, 4][Int(random.next() % 2)]
      let code = handles[index].lock(Int32(wanted))
      var expected = SQLITE_OK
      if wanted > own {
        switch wanted {
        case 1: if others >= 3 { expected = SQLITE_BUSY }
        case 2: if others >= 2 { expected = SQLITE_BUSY }
        default:
          if others >= 1 { expected = SQLITE_BUSY }
          if others == 1 { levels[index] = 3 }
        }
        if expected == SQLITE_OK { levels[index] = wanted }
      }
      #expect(code == expected)
      busyCount += code == SQLITE_BUSY ? 1 : 0
      #expect(handles[index].isReserved == levels.contains { $0 >= 2 })
    }
    #expect(busyCount > 100)
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func slotsExcludeEachOther(seed: UInt64) {
    let handles = handles(3)
    var shared: [Set<Int32>] = [[], [], []]
    var exclusive: [Set<Int32>] = [[], [], []]
    var random = SeededRandom(seed: seed)
    var busyCount = 0
    for _ in 0..<3000 {
      let index = Int(random.next() % 3)
      let others = [0, 1, 2].filter { $0 != index }
      let first = Int32(random.next() % 8)
      let slots = Set(first...min(7, first + Int32(random.next() % 3)))
      let count = Int32(slots.count)
      switch random.next() % 4 {
      case 0, 1:
        let flags = SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED
        #expect(handles[index].lockMemory(first, count, flags) == SQLITE_OK)
        shared[index].subtract(slots)
        exclusive[index].subtract(slots)
      case 2:
        let code = handles[index].lockMemory(first, 1, SQLITE_SHM_LOCK | SQLITE_SHM_SHARED)
        let isTaken = others.contains { exclusive[$0].contains(first) }
        #expect(code == (isTaken ? SQLITE_BUSY : SQLITE_OK))
        if !isTaken { shared[index].insert(first) }
        busyCount += isTaken ? 1 : 0
      default:
        let code = handles[index].lockMemory(first, count, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE)
        let isTaken = others.contains {
          !exclusive[$0].isDisjoint(with: slots) || !shared[$0].isDisjoint(with: slots)
        }
        #expect(code == (isTaken ? SQLITE_BUSY : SQLITE_OK))
        if !isTaken { exclusive[index].formUnion(slots) }
        busyCount += isTaken ? 1 : 0
      }
    }
    #expect(busyCount > 100)
  }

  @Test func locksGoWithTheirHolder() {
    let handles = handles(2)
    #expect(handles[0].lock(SQLITE_LOCK_SHARED) == SQLITE_OK)
    #expect(handles[0].lock(SQLITE_LOCK_EXCLUSIVE) == SQLITE_OK)
    #expect(handles[0].lockMemory(0, 8, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) == SQLITE_OK)
    #expect(handles[1].lock(SQLITE_LOCK_SHARED) == SQLITE_BUSY)
    handles[0].die()
    #expect(handles[1].lock(SQLITE_LOCK_SHARED) == SQLITE_OK)
    #expect(handles[1].lockMemory(3, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) == SQLITE_OK)
    #expect(handles[0].lock(SQLITE_LOCK_SHARED) != SQLITE_OK)
    #expect(handles[0].lockMemory(0, 1, SQLITE_SHM_LOCK | SQLITE_SHM_SHARED) != SQLITE_OK)
  }
}
