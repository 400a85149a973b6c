import Primitives
import Testing

@testable import Auth

/// Goal: claims go through in order, no faster and no more at a time than allowed, regulars first.
@Suite struct LoginGateTests {
  private func id(_ number: UInt32) -> SessionID { SessionID(index: number, generation: 0) }

  private func gate(rate: Rate? = nil, verifications: Int = 4, reserved: Int = 50) -> LoginGate {
    var limits = LoginLimits()
    limits.rate = rate
    limits.verificationsMax = verifications
    limits.reservedPercent = reserved
    return LoginGate(limits)
  }

  private func takeAll(_ gate: inout LoginGate, at now: Instant) -> [UInt32] {
    var taken: [UInt32] = []
    while let next = gate.candidate, gate.take(now: now) { taken.append(next.index) }
    return taken
  }

  @Test func strangersLeaveRoomForRegulars() {
    var gate = gate()
    for number in 0..<5 as Range<UInt32> { gate.append(id(number), isKnown: false) }
    let now = Instant(nanoseconds: 0)
    #expect(takeAll(&gate, at: now) == [0, 1])
    gate.append(id(10), isKnown: true)
    gate.append(id(11), isKnown: true)
    gate.append(id(12), isKnown: true)
    #expect(takeAll(&gate, at: now) == [10, 11])
    #expect(gate.verifying == 4)
    gate.finished()
    #expect(takeAll(&gate, at: now) == [12])
    for _ in 0..<4 { gate.finished() }
    #expect(takeAll(&gate, at: now) == [2, 3])
  }

  @Test func theRateHoldsAndItsDeadlineIsKnown() throws {
    var gate = gate(rate: Rate(perSecond: 10, burst: 4), verifications: 100)
    for number in 0..<6 as Range<UInt32> { gate.append(id(number), isKnown: false) }
    let start = Instant(nanoseconds: 1_000_000_000)
    #expect(takeAll(&gate, at: start) == [0, 1])
    let deadline = try #require(gate.nextDeadline)
    #expect((90...110).contains(deadline.since(start).milliseconds))
    #expect(takeAll(&gate, at: deadline) == [2])
    gate.append(id(20), isKnown: true)
    #expect(takeAll(&gate, at: deadline) == [20])
  }

  @Test func aCandidateThatIsGoneIsPassedOver() {
    var gate = gate()
    for number in 0..<300 as Range<UInt32> { gate.append(id(number), isKnown: false) }
    for number in 0..<299 as Range<UInt32> {
      #expect(gate.candidate == id(number))
      gate.skip()
    }
    #expect(takeAll(&gate, at: Instant(nanoseconds: 0)) == [299])
    #expect(gate.candidate == nil)
    let isTaken = gate.take(now: Instant(nanoseconds: 0))
    #expect(!isTaken)
  }
}

/// Goal: a rule's ban holds at once and until the store has it, and no longer than it should.
@Suite struct UnrecordedBansTests {
  private func ban(_ subject: Subject, until: Int64) -> TemporaryBan {
    TemporaryBan(
      subject: subject, listener: nil, rule: "r", shownReason: "why", internalReason: "",
      until: until)
  }

  @Test func bansHoldUntilTheirEndOrTheirRecord() throws {
    let prefix = try #require(AddressPrefix(text: "192.0.2.7"))
    let name = try #require(AccountName("Anna"))
    var bans = UnrecordedBans()
    bans.add(ban(.addresses(prefix), until: 100), at: 0)
    bans.add(ban(.account(name), until: 200), at: 0)
    #expect(bans.ban(of: prefix, at: 99)?.shownReason == "why")
    #expect(bans.ban(of: prefix, at: 100) == nil)
    #expect(try #require(bans.ban(of: name, at: 100)).id < 0)
    bans.record(ban(.account(name), until: 200), event: 7)
    bans.show(eventsTo: 6)
    #expect(bans.ban(of: name, at: 100) != nil)
    bans.show(eventsTo: 7)
    #expect(bans.ban(of: name, at: 100) == nil)
    // In the other order, and for a ban that was made anew meanwhile.
    bans.add(ban(.addresses(prefix), until: 300), at: 0)
    bans.record(ban(.addresses(prefix), until: 100), event: 5)
    #expect(bans.ban(of: prefix, at: 100) != nil)
    bans.record(ban(.addresses(prefix), until: 300), event: 6)
    #expect(bans.isEmpty)
  }

  @Test func memoryIsBounded() throws {
    var bans = UnrecordedBans()
    func prefix(_ number: Int) -> AddressPrefix {
      AddressPrefix(
        SocketAddress(
          ipv4: 10, UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255), port: 0))
    }
    for number in 0..<UnrecordedBans.countMax {
      bans.add(ban(.addresses(prefix(number)), until: 10), at: 0)
    }
    #expect(bans.count == UnrecordedBans.countMax)
    let another = ban(.addresses(prefix(1 << 20)), until: 20)
    let isAddedEarly = bans.add(another, at: 5)
    #expect(!isAddedEarly)
    let isAddedLater = bans.add(another, at: 10)
    #expect(isAddedLater)
    #expect(bans.count == 1)
  }
}
