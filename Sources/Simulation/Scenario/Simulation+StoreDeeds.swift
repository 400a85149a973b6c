internal import Auth
internal import Primitives
internal import Store

/// What operators do to the database, as commands of their own, and what goes wrong with the disk.
extension Simulation {
  /// Lets the plan's entries reach the store, if there is one.
  func connectStoreDeeds() {
    guard disk != nil else { return }
    deeds.ban = { [unowned self] random, lasting in
      changeStore(lasting, &random)
    }
    deeds.diskFault = { [unowned self] random, lasting in
      disturbDisk(lasting, &random)
    }
    deeds.calmDisk = { [unowned self] in disk?.faults = ordinaryDisk }
  }

  /// A disk at its best takes some time, too.
  var ordinaryDisk: DiskFaults {
    var faults = DiskFaults.none
    let each = Interval(nanoseconds: UInt64(scenario.diskMicroseconds) * 1000)
    faults.writeTime = each
    faults.syncTime = each
    return faults
  }

  private var unixSeconds: Int64 { Int64(unixMilliseconds / 1000) }

  // MARK: Operators

  private func changeStore(_ lasting: Interval, _ random: inout SeededRandom) -> Bool {
    switch random.draw(0...9) {
    case 0...3: ban(someAccount(&random).map { .account($0) }, lasting, &random)
    case 4...6: ban(someAddresses(&random).map { .addresses($0) }, lasting, &random)
    case 7: disable(someAccount(&random), lasting)
    case 8:
      change(someAccount(&random)) { [unixSeconds] account, database throws(StoreError) in
        try database.revokeTokens(of: account, by: "operator", now: unixSeconds)
      }
    default:
      change(someAccount(&random)) { [unixSeconds] account, database throws(StoreError) in
        try database.revokeTickets(
          of: account, issuedBefore: unixSeconds, by: "operator", now: unixSeconds)
      }
    }
  }

  /// A command's work on the database.
  ///
  /// - Returns: false when the database did not let it.
  func operate(_ work: (Database) throws(StoreError) -> Void) -> Bool {
    guard let disk else { return false }
    do throws(StoreError) {
      _ = try disk.operate(
        on: StoreFixture.path, unixMilliseconds: Int64(unixMilliseconds), work)
      return true
    } catch {
      trace.note("command failed")
      return false
    }
  }

  private func change(
    _ account: AccountName?, _ work: (AccountName, Database) throws(StoreError) -> Void
  ) -> Bool {
    guard let account else { return false }
    return operate { database throws(StoreError) in try work(account, database) }
  }

  private func ban(
    _ subject: Subject?, _ lasting: Interval, _ random: inout SeededRandom
  ) -> Bool {
    guard let subject else { return false }
    let listener = random.chance(200) ? random.pick(games).name : nil
    // Some end by themselves, the others are lifted.
    let seconds = Int64(lasting.milliseconds / 1000) + 3
    let endsItself = random.chance(300)
    let until = endsItself ? unixSeconds + seconds : nil
    let new = NewBan(
      subject: subject, listener: listener, shownReason: "for a test", author: "operator",
      until: until)
    let now = unixSeconds
    guard operate({ database throws(StoreError) in _ = try database.addBan(new, now: now) })
    else { return false }
    oracle.banned(
      subject, listener: listener, for: endsItself ? .seconds(UInt64(seconds) - 1) : nil)
    deeds.bans.append(CommittedBan(subject: subject, listener: listener, until: until))
    if !endsItself { add(.liftBan(subject, listener: listener), after: lasting) }
    return true
  }

  private func disable(_ account: AccountName?, _ lasting: Interval) -> Bool {
    // The fixture's stay so.
    guard let account, !fixture.contents.disables(account) else { return false }
    let isDisabled = operate { [unixSeconds] database throws(StoreError) in
      try database.setDisabled(account, true, reason: "a test", by: "operator", now: unixSeconds)
    }
    if isDisabled { add(.enable(account), after: lasting) }
    return isDisabled
  }

  /// Lets an account log in again; tried again when the database does not let it.
  func enable(_ account: AccountName) {
    let isEnabled = operate { [unixSeconds] database throws(StoreError) in
      try database.setDisabled(account, false, reason: "", by: "operator", now: unixSeconds)
    }
    guard isEnabled else { return add(.enable(account), after: .seconds(1)) }
    deeds.noteStoreRepair(.enable(account))
  }

  /// Ends a ban; tried again when the database does not let it.
  func liftBan(of subject: Subject, listener: String?) {
    let now = unixSeconds
    let isLifted = operate { database throws(StoreError) in
      try database.liftBans(
        effect: .ban, of: subject, listener: .some(listener), by: "operator", reason: "enough",
        now: now)
    }
    let repair = Repair.liftBan(subject, listener: listener)
    guard isLifted else { return add(repair, after: .seconds(1)) }
    oracle.unbanned(subject, listener: listener)
    deeds.bans.removeAll { $0.subject == subject && $0.listener == listener }
    deeds.noteStoreRepair(repair)
  }

  /// What the prepared database says of accounts and of networks holds until an operator lifts it.
  func noteFixture() {
    guard disk != nil else { return }
    let contents = fixture.contents
    var bans = contents.bans
    // Of the many, those that clients come from.
    if contents.manyBansCount > 1 { bans.append(contents.manyBan(1)) }
    for ban in bans where ban.holds(at: unixSeconds) {
      guard !ban.allows else {
        oracle.allowed()
        continue
      }
      let left = ban.until.map { Interval.seconds(UInt64($0 - unixSeconds - 1)) }
      oracle.banned(ban.subject, for: left)
    }
  }

  // MARK: Whom

  /// Mostly an account that somebody plays with.
  private func someAccount(_ random: inout SeededRandom) -> AccountName? {
    let count = fixture.contents.accountCount
    guard count > 0 else { return nil }
    return fixture.contents.account(random.draw(0...min(count, 2 * clients.count) - 1))
  }

  /// The address of a client, or the network around it.
  private func someAddresses(_ random: inout SeededRandom) -> AddressPrefix? {
    guard !clients.isEmpty else { return nil }
    let address = random.pick(clients.map(\.host))
    return AddressPrefix(address.bytes, bitCount: random.chance(700) ? 128 : 120)
  }

  // MARK: The disk

  /// A store that fails is tried again after up to five seconds.
  func noteHinderedStores() {
    guard let disk else { return }
    for gateway in gateways where gateway.storeFailure != nil || disk.faults != ordinaryDisk {
      oracle.storeIsHindered(gateway.number, until: now + .seconds(6))
    }
  }

  private func disturbDisk(_ lasting: Interval, _ random: inout SeededRandom) -> Bool {
    guard let disk else { return false }
    var faults = ordinaryDisk
    switch random.draw(0...6) {
    case 0:
      faults.writeTime = .milliseconds(UInt64(random.draw(1...50)))
      faults.syncTime = .milliseconds(UInt64(random.draw(1...300)))
      faults.readTime = .milliseconds(UInt64(random.draw(0...10)))
    case 1: faults.capacityBytes = disk.usedBytes + random.draw(0...20_000)
    case 2: faults.readFailure = Double(random.draw(1...100)) / 100
    case 3: faults.writeFailure = Double(random.draw(1...100)) / 100
    case 4: faults.syncFailure = Double(random.draw(1...100)) / 100
    case 5: faults.isLockedByOthers = true
    default:
      faults.writeFailure = 0.3
      faults.readFailure = 0.3
      faults.syncFailure = 0.3
    }
    disk.faults = faults
    add(.calmDisk, after: lasting)
    return true
  }
}
