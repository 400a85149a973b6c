import Auth
import Primitives
import Simulation
import Store
import Testing

/// Goal: whatever happens to the disk, the store says what, keeps what holds, and comes back.
@Suite struct DiskTroubleTests {
  private let client = SocketAddress(ipv4: 203, 0, 113, 200, port: 1)

  /// The errors with which the store began to fail, and nil each time that it worked again.
  private func states(_ world: DiskWorld) -> [StoreError?] {
    world.told.compactMap { item in
      if case .stateChanged(let error) = item.output { .some(error) } else { nil }
    }
  }

  private func verdict(_ world: DiskWorld, after time: Interval = .milliseconds(500)) throws
    -> LoginVerdict
  {
    let session = world.verify(world.contents.credential(2))
    world.run(for: time)
    return try #require(world.verdict(of: session)).0
  }

  private func isUnavailable(_ verdict: LoginVerdict) -> Bool {
    if case .unavailable = verdict { true } else { false }
  }

  /// Goal: a full or failing disk is told by name, once, and a login succeeds soon after its end.
  @Test(arguments: ["full", "writes", "reads", "locked"])
  func faultsAreNamedAndPass(kind: String) throws {
    let world = try DiskWorld(.accounts(50))
    try world.start()
    world.run(for: .seconds(2))
    let good = LoginVerdict.accepted(world.contents.account(0), attributes: [])
    #expect(try verdict(world) == good)
    world.forgetWhatWasTold()
    switch kind {
    case "full": world.disk.faults.capacityBytes = world.disk.usedBytes
    case "writes": world.disk.faults.writeFailure = 1
    case "reads": world.disk.faults.readFailure = 1
    default: world.disk.faults.isLockedByOthers = true
    }
    world.store.record(.temporaryBan(ban(of: "9.9.9.9")))
    for _ in 0..<20 {
      _ = world.verify(world.contents.credential(2))
      world.run(for: .milliseconds(500))
    }
    let failed = try #require(states(world).first ?? nil)
    switch (kind, failed) {
    case ("full", .full), ("writes", .io), ("reads", .io), ("locked", .busy): break
    default: Issue.record("\(kind): \(failed)")
    }
    let last = try verdict(world, after: .seconds(6))
    // A token that is good more than once takes neither a lock nor room.
    #expect(["locked", "full"].contains(kind) ? last == good : isUnavailable(last))
    #expect(world.store.statistics.failure != nil)
    world.disk.faults = .none
    world.run(for: .seconds(10))
    #expect(try verdict(world) == good)
    #expect(states(world).last == .some(nil))
    #expect(world.store.statistics.failure == nil)
    // What could not be written was kept.
    #expect(world.store.statistics.recordsWaiting == 0)
    #expect(world.store.statistics.temporaryBansDropped == 0)
    let rows = try world.operate { database throws(StoreError) in
      try database.bans(search: "9.9.9.9", includingEnded: false, limit: 9, now: 1)
    }
    #expect(rows.count == 1)
  }

  private func ban(of address: String) -> TemporaryBan {
    TemporaryBan(
      subject: .addresses(AddressPrefix(text: address)!), listener: nil, rule: "test",
      shownReason: "", internalReason: "", until: StoreFixture.unixSeconds + 86_400)
  }

  @Test func aWriterThatWaitsForALockIsLate() throws {
    let world = try DiskWorld(.accounts(70))
    try world.start()
    world.run(for: .seconds(1))
    world.disk.faults.isLockedByOthers = true
    // A token that is good once: its use is written before anything is told.
    let once = world.contents.credential(64 * 4 + 2)
    let session = world.verify(once)
    let start = world.now
    world.run(for: .milliseconds(100))
    world.disk.faults = .none
    // The busy timeout is two seconds, and what is asked meanwhile waits for its turn.
    let second = world.verify(once)
    world.run(for: .seconds(5))
    let first = try #require(world.verdict(of: session))
    #expect(isUnavailable(first.0))
    #expect((1_900...2_000).contains(first.at.since(start).milliseconds))
    let next = try #require(world.verdict(of: second))
    #expect(next.at >= first.at)
    #expect(world.disk.counts.waits > 0)
  }

  @Test func aFileThatIsGoneIsWaitedForAndAnOlderCopyIsTold() throws {
    let world = try DiskWorld(.accounts(50))
    try world.start()
    let copy = world.disk.image()
    try world.operate { database throws(StoreError) in
      try database.addBan(
        NewBan(subject: .account(AccountName("newcomer")!), author: "test"), now: 1)
    }
    world.run(for: .seconds(1))
    world.disk.unlink(database: DiskWorld.path)
    world.run(for: .seconds(3))
    let failed = try #require(states(world).last ?? nil)
    #expect(failed.description.contains("gone"))
    #expect(isUnavailable(try verdict(world)))
    #expect(world.disk.paths.isEmpty)
    world.disk.replace(database: DiskWorld.path, with: copy)
    world.run(for: .seconds(10))
    #expect(states(world).last == .some(nil))
    let replaced = world.told.contains { item in
      if case .replaced(let before, let now) = item.output { before == now + 1 } else { false }
    }
    #expect(replaced)
    #expect(try verdict(world) == .accepted(world.contents.account(0), attributes: []))
  }

  /// Goal: after any loss of power a gateway starts again, and holds all bans of before the last
  /// checkpoint.
  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func aLossOfPowerIsSurvived(seed: UInt64) throws {
    let world = try DiskWorld(.accounts(50), seed: seed)
    try world.start()
    var random = SeededRandom(seed: seed)
    for round in 0..<30 {
      world.store.record(.temporaryBan(ban(of: "8.0.\(round).1")))
      _ = world.verify(
        world.contents.credential(
          Int(random.next() % UInt64(world.contents.credentialCount))))
      world.run(for: .milliseconds(random.next() % 60))
    }
    world.disk.losePower()
    world.store.kill()
    let bansBefore = world.contents.bans.filter { $0.until == nil }.count
    try world.restart()
    let problems = try world.operate { database throws(StoreError) in try database.check() }
    #expect(problems.isEmpty)
    let left = try world.operate { database throws(StoreError) in
      try database.bans(search: nil, includingEnded: true, limit: 1000, now: 1)
    }
    let own = left.filter { $0.author == "rule test" }.map { $0.subject }
    // What is left of the bans is the first of them, in order.
    let expected = (0..<own.count).map { round in
      Subject.addresses(AddressPrefix(text: "8.0.\(round).1")!)
    }
    #expect(own.reversed() == expected)
    #expect(left.count - own.count >= bansBefore)
    #expect(try verdict(world) == .accepted(world.contents.account(0), attributes: []))
  }
}
