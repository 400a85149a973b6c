import Auth
import Primitives
import Simulation
import Store
import Testing

/// Goal: the store without threads does in virtual time what it does with them.
@Suite struct DiskStoreTests {
  /// Goal: each claim of a fixture ends as its description says.
  @Test(arguments: [StoreFixture.empty, .accounts(200), .expired])
  func everyCredentialIsAnsweredAsDescribed(fixture: StoreFixture) throws {
    let world = try DiskWorld(fixture)
    try world.start()
    // Those who show another's token come before its owner, who may use it up.
    for index in (0..<world.contents.credentialCount).reversed() {
      let credential = world.contents.credential(index)
      let session = world.verify(credential)
      world.run(for: .milliseconds(60))
      let verdict = try #require(world.verdict(of: session)).0
      switch credential.expected {
      case .accepted(let name), .acceptedOnce(let name), .banned(let name, _):
        #expect(verdict == .accepted(name, attributes: []), "\(index)")
      case .refused(let refusal): #expect(verdict == .refused(refusal), "\(index)")
      }
      guard case .acceptedOnce = credential.expected else { continue }
      let second = world.verify(credential)
      world.run(for: .milliseconds(60))
      #expect(world.verdict(of: second)?.0 == .refused(.alreadyUsed))
    }
  }

  @Test func bansHoldAsDescribed() throws {
    let fixture = StoreFixture.manyBans(5000)
    let world = try DiskWorld(fixture)
    let bans = try world.start()
    let at = StoreFixture.unixSeconds
    var random = SeededRandom(seed: 1)
    var bannedCount = 0
    let listed: [SocketAddress] = [
      .init(ipv4: 203, 0, 113, 1, port: 1), .init(ipv4: 203, 0, 113, 10, port: 1),
      .init(ipv4: 203, 0, 113, 64, port: 1), .init(ipv4: 203, 0, 113, 200, port: 1),
      .init(ipv4: 198, 51, 100, 77, port: 1), .init(ipv4: 198, 51, 100, 78, port: 1),
      .init(ipv6: AddressPrefix(text: "2001:db8:bad::1/128")!.bytes, port: 1),
      .init(ipv6: AddressPrefix(text: "2001:db8:2::1/128")!.bytes, port: 1),
      .init(ipv6: AddressPrefix(text: "2001:db8:9::1/128")!.bytes, port: 1),
    ]
    let drawn = (0..<2000).map { _ in
      let number = random.next()
      return SocketAddress(
        ipv4: 20, 0, UInt8(number % 45), UInt8(truncatingIfNeeded: number >> 32), port: 1)
    }
    for address in listed + drawn {
      for moment in [at, at + 61] {
        let isBanned = world.contents.isBanned(address, at: moment)
        let isListed =
          bans.ban(of: address, listener: 0, at: moment) != nil
          && !bans.allows(address, listener: 0, at: moment)
        #expect(isBanned == isListed, "\(address)")
        bannedCount += isBanned ? 1 : 0
      }
    }
    #expect((1000...3000).contains(bannedCount))
  }

  @Test func ticketsAreAnsweredAsDescribed() throws {
    let world = try DiskWorld(.accounts(20))
    try world.start()
    let kind = LoginRequest.Kind.ticket(StoreContents.ticketConfiguration)
    let name = world.contents.account(1)
    for (index, flaw) in ([nil] + TicketFlaw.allCases.map(Optional.some)).enumerated() {
      let ticket = StoreContents.ticket(
        of: name, number: UInt64(index), now: world.unixSeconds, flaw: flaw)
      let session = world.verify(kind, nil, ticket.secret)
      world.run(for: .milliseconds(10))
      let expected: LoginVerdict =
        ticket.refusal.map { .refused($0) } ?? .accepted(name, attributes: [])
      #expect(world.verdict(of: session)?.0 == expected, "\(String(describing: flaw))")
    }
    let again = StoreContents.ticket(of: name, number: 0, now: world.unixSeconds, flaw: nil)
    let session = world.verify(kind, nil, again.secret)
    world.run(for: .milliseconds(10))
    #expect(world.verdict(of: session)?.0 == .refused(.alreadyUsed))
  }

  /// Goal: passwords queue for the threads that hash, and each takes its virtual time.
  @Test func hashingTakesVirtualTime() throws {
    let world = try DiskWorld(.accounts(20), hashThreads: 2, hashTime: .milliseconds(50))
    try world.start()
    let sessions = (0..<5).map { _ in world.verify(world.contents.credential(0)) }
    world.run(for: .seconds(1))
    let times = try sessions.map { try #require(world.verdict(of: $0)).at.nanoseconds }
    #expect(times == [50, 50, 100, 100, 150].map { $0 * 1_000_000 })
    #expect(world.store.statistics.hashes == 5)
  }

  @Test func outdatedRecordsAreRenewed() throws {
    let world = try DiskWorld(.accounts(20))
    try world.start()
    let name = world.contents.account(11)
    let before = try world.operate { database throws(StoreError) in
      try database.passwordRecord(of: name)?.record
    }
    let session = world.verify(world.contents.credential(11 * 4))
    world.run(for: .seconds(1))
    #expect(world.verdict(of: session)?.0 == .accepted(name, attributes: []))
    #expect(world.store.statistics.upgrades == 1)
    let after = try world.operate { database throws(StoreError) in
      try database.passwordRecord(of: name)?.record
    }
    #expect(before != after)
    let again = world.verify(world.contents.credential(11 * 4))
    world.run(for: .seconds(1))
    #expect(world.verdict(of: again)?.0 == .accepted(name, attributes: []))
    #expect(world.store.statistics.upgrades == 1)
  }

  @Test func aSlowDiskDelaysWhatIsTold() throws {
    let world = try DiskWorld(.accounts(70))
    try world.start()
    world.disk.faults.writeTime = .milliseconds(7)
    // A token that is good once: its use is written before anything is told.
    let session = world.verify(world.contents.credential(64 * 4 + 2))
    let start = world.now
    world.run(for: .seconds(1))
    let verdict = try #require(world.verdict(of: session))
    #expect(verdict.0 == .accepted(world.contents.account(64), attributes: []))
    #expect(verdict.at.since(start) >= .milliseconds(7))
    #expect(verdict.at.since(start).nanoseconds % 7_000_000 == 0)
  }

  @Test func operatorsAreSeenWithinTwoLooks() throws {
    let world = try DiskWorld(.accounts(20))
    let bans = try world.start()
    world.run(for: .seconds(1))
    let client = SocketAddress(ipv4: 9, 9, 9, 9, port: 1)
    #expect(bans.ban(of: client, listener: 0, at: world.unixSeconds) == nil)
    try world.operate { database throws(StoreError) in
      try database.addBan(
        NewBan(subject: .addresses(AddressPrefix(client)), author: "operator"),
        now: world.unixSeconds)
    }
    let count = world.told.count
    world.run(for: .milliseconds(100))
    let told = world.told[count...].compactMap { item in
      if case .bans(let table, _) = item.output { table } else { nil }
    }
    #expect(told.count == 1)
    #expect(told.first?.ban(of: client, listener: 0, at: world.unixSeconds) != nil)
  }

  @Test func recordsAreWrittenBeforeTheEndAndLostWithTheProcess() throws {
    let record = StoreRecord.login(
      LoginRecord(
        account: "player-1", client: SocketAddress(ipv4: 192, 0, 2, 7, port: 1),
        listener: "game", outcome: "accepted", detail: ""))
    func written(_ end: (VirtualStore) -> Void) throws -> Int {
      let world = try DiskWorld(.accounts(20))
      try world.start()
      for _ in 0..<300 { world.store.record(record) }
      end(world.store)
      return try world.operate { database throws(StoreError) in
        try database.logins(of: .account(AccountName("player-1")!), limit: 1000).count
      }
    }
    #expect(try written { $0.stop() } == 300)
    #expect(try written { $0.kill() } == 0)
  }

  @Test func oldLoginsAreForgotten() throws {
    let world = try DiskWorld(.expired)
    let count = { () throws -> Int in
      try world.operate { database throws(StoreError) in
        try database.logins(of: nil, limit: 1000).count
      }
    }
    #expect(try count() == 100)
    try world.start()
    world.run(for: .seconds(1))
    #expect(try count() == 0)
  }

  @Test func gatewaysShareADatabase() throws {
    let world = try DiskWorld(.accounts(20))
    try world.start()
    let other = DiskWorld.makeStore(world.disk, 9)
    _ = try other.start(now: world.now, unixMilliseconds: world.unixMilliseconds)
    let client = SocketAddress(ipv4: 9, 9, 9, 9, port: 1)
    world.store.record(
      .temporaryBan(
        TemporaryBan(
          subject: .addresses(AddressPrefix(client)), listener: nil, rule: "test",
          shownReason: "", internalReason: "", until: world.unixSeconds + 60)))
    world.run(for: .milliseconds(1))
    #expect(world.story.contains { $0.contains("recorded test") })
    let end = world.now + .milliseconds(100)
    while let due = other.nextDeadline, due <= end {
      other.turn(now: due, unixMilliseconds: world.unixMilliseconds)
    }
    let tables = other.takeOutputs().compactMap { item in
      if case .bans(let table, _) = item.output { table } else { nil }
    }
    #expect(tables.last?.ban(of: client, listener: 0, at: world.unixSeconds) != nil)
    other.stop()
    #expect(other.nextDeadline == nil)
    let session = world.verify(world.contents.credential(2))
    world.run(for: .milliseconds(1))
    #expect(world.verdict(of: session)?.0 == .accepted(world.contents.account(0), attributes: []))
  }

  @Test func nothingIsLeftInMemory() throws {
    weak var disk: VirtualDisk?
    for ends in ["stop", "kill", "power", "nothing"] {
      do {
        let world = try DiskWorld(.accounts(20))
        disk = world.disk
        try world.start()
        _ = world.verify(world.contents.credential(0))
        world.run(for: .milliseconds(20))
        world.disk.unlink(database: DiskWorld.path)
        if ends == "power" { world.disk.losePower() }
        if ends == "kill" { world.store.kill() }
        if ends == "stop" { world.store.stop() }
        if ends == "kill" || ends == "stop" { #expect(world.disk.usedBytes == 0) }
      }
      #expect(disk == nil, "\(ends)")
    }
  }

  @Test func operatorsMakeAndPutBackBackups() throws {
    let world = try DiskWorld(.accounts(20))
    try world.start()
    try world.operate { database throws(StoreError) in try database.backup(to: "/copy.db") }
    #expect(world.disk.paths.contains("/copy.db"))
    #expect(throws: StoreError.exists(path: "/copy.db")) {
      try world.operate { database throws(StoreError) in try database.backup(to: "/copy.db") }
    }
    let copy = VirtualDisk(seed: 1, image: world.disk.image())
    let count = try copy.operate(on: "/copy.db", unixMilliseconds: 0) {
      database throws(StoreError) in try database.accounts(limit: 100).count
    }.result
    #expect(count == 20)
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func theSameSeedTellsTheSame(seed: UInt64) throws {
    func story() throws -> [String] {
      let world = try DiskWorld(.accounts(100), seed: seed)
      try world.start()
      var random = SeededRandom(seed: seed)
      for round in 0..<60 {
        for _ in 0..<(random.next() % 8) {
          let index = Int(random.next() % UInt64(world.contents.credentialCount))
          _ = world.verify(world.contents.credential(index))
        }
        if round % 20 == 5 { world.disk.faults.writeFailure = 0.05 }
        if round % 20 == 10 { world.disk.faults.readTime = .milliseconds(random.next() % 5) }
        if round % 20 == 15 { world.disk.faults = .none }
        world.run(for: .milliseconds(random.next() % 200))
      }
      return world.story + ["\(world.disk.counts)"]
    }
    let first = try story()
    #expect(first.count > 100)
    #expect(try story() == first)
  }
}
