import Auth
import Primitives
import SampleWorker
import Testing

@testable import Simulation

/// Goal: each account takes a right history, and finds what is wrong in each kind of wrong one.
@Suite struct OracleAccountTests {
  // MARK: Packets

  private func packets(
    _ form: PacketForm = PacketForm(.short), sent: Int = 4,
    rules: (inout PacketAccount.Rules) -> Void = { _ in }
  ) -> PacketAccount {
    var all = PacketAccount.Rules()
    rules(&all)
    var account = PacketAccount(visit: 7, form: form, rules: all)
    for number in 0..<sent { #expect(account.willSend(number) == nil) }
    return account
  }

  private func packet(_ number: Int, visit: Int = 7) -> [UInt8] {
    PacketForm(.short).packet(visit: visit, number: number, byteCount: 60)
  }

  @Test func packetsInOrderAreRight() {
    var account = packets()
    for number in 0..<4 { #expect(account.took(packet(number), isLost: false) == nil) }
    #expect(account.missingCount == 0)
    #expect(account.handledCount == 4)
  }

  @Test func packetsLostWithAWorkerAreRight() {
    var account = packets()
    #expect(account.took(packet(0), isLost: false) == nil)
    #expect(account.took(packet(1), isLost: true) == nil)
    #expect(account.took(packet(2), isLost: false) == nil)
    #expect(account.lostCount == 1)
    #expect(account.missingCount == 1)
  }

  @Test func aMissingPacketIsFoundByTheNext() {
    var account = packets()
    _ = account.took(packet(0), isLost: false)
    #expect(account.took(packet(2), isLost: false)?.property == .packets)
  }

  @Test func aMissingPacketIsFoundAtTheEnd() {
    var account = packets()
    for number in 0..<3 { _ = account.took(packet(number), isLost: false) }
    #expect(account.missingCount == 1)
  }

  @Test(arguments: [true, false]) func aPacketTwiceIsFound(isOrdered: Bool) {
    var account = packets { $0.isOrdered = isOrdered }
    _ = account.took(packet(0), isLost: false)
    #expect(account.took(packet(0), isLost: false)?.property == .packets)
    var lost = packets { $0.isOrdered = isOrdered }
    _ = lost.took(packet(0), isLost: true)
    #expect(lost.took(packet(0), isLost: false)?.property == .packets)
  }

  @Test func swappedPacketsAreFoundWhereOrderCounts() {
    var account = packets { $0.mayDrop = true }
    _ = account.took(packet(1), isLost: false)
    #expect(account.took(packet(0), isLost: false)?.property == .packets)
    var unordered = packets { $0.isOrdered = false }
    _ = unordered.took(packet(1), isLost: false)
    #expect(unordered.took(packet(0), isLost: false) == nil)
  }

  @Test func aDroppedPacketIsRightWhereALimitDrops() {
    var account = packets { $0.mayDrop = true }
    _ = account.took(packet(0), isLost: false)
    #expect(account.took(packet(2), isLost: false) == nil)
  }

  @Test func aGapIsRightWhereTheSessionEndsForIt() {
    var account = packets()
    #expect(account.took(packet(2), isLost: false, forgivesGaps: true) == nil)
  }

  @Test func anothersPacketIsFound() {
    var account = packets()
    #expect(account.took(packet(0, visit: 8), isLost: false)?.property == .crossing)
  }

  @Test func wrongBytesAreFound() {
    var account = packets()
    for place in [2, 3, 10, 30, 59] {
      var wrong = packet(0)
      wrong[place] ^= 1
      #expect(account.took(wrong, isLost: false) != nil, "byte \(place)")
    }
    #expect(account.took(Array(packet(0).dropLast()), isLost: false)?.property == .packets)
    #expect(account.took(packet(0) + packet(1), isLost: false)?.property == .packets)
  }

  @Test func whatWasNeverSentIsFound() {
    var account = packets(sent: 1)
    _ = account.took(packet(0), isLost: false)
    #expect(account.took(packet(1), isLost: false)?.property == .packets)
  }

  @Test func whatCameBehindAViolationIsFound() {
    var account = packets(sent: 1)
    account.willViolate()
    _ = account.willSend(1)
    #expect(account.took(packet(0), isLost: false) == nil)
    #expect(account.took(packet(1), isLost: false)?.property == .packets)
  }

  @Test func aLoginPacketThatIsNotForwardedIsFound() {
    var account = packets { $0.withheld = 0 }
    #expect(account.took(packet(1), isLost: false) == nil)
    #expect(account.took(packet(0), isLost: false)?.property == .authentication)
    var right = packets { $0.withheld = 1 }
    #expect(right.took(packet(0), isLost: false) == nil)
    #expect(right.took(packet(2), isLost: false) == nil)
    #expect(right.took(packet(3), isLost: false) == nil)
    #expect(right.missingCount == 0)
    var gap = packets { $0.withheld = 1 }
    #expect(gap.took(packet(2), isLost: false)?.property == .packets)
  }

  @Test func aRawStreamIsFollowedByteByByte() {
    let form = PacketForm(.short, 1, .packets, then: .raw)
    var account = packets(form, sent: 1)
    account.willSendRaw(1000)
    _ = account.took(packet(0), isLost: false)
    var place = 0
    for count in [1, 99, 400] {
      let bytes = form.rawBytes(visit: 7, from: place, count: count)
      #expect(account.took(bytes, isLost: count == 99) == nil)
      place += count
    }
    #expect(account.missingCount == 500)
    let skipped = form.rawBytes(visit: 7, from: place + 1, count: 20)
    #expect(account.took(skipped, isLost: false)?.property == .packets)
    let more = form.rawBytes(visit: 7, from: place, count: 501)
    #expect(account.took(more, isLost: false)?.property == .packets)
  }

  // MARK: Answers

  private func answer(_ serial: UInt32, stream: UInt32 = 1, visit: UInt32 = 7) -> Answer {
    Answer(visit: visit, stream: stream, serial: serial, byteCount: 20)
  }

  private func broadcast(_ serial: UInt32) -> Answer { answer(serial, visit: Answer.everybody) }

  @Test func answersInOrderAreRight() {
    var account = AnswerAccount()
    for serial in [1, 4] as [UInt32] { account.willAnswer(answer(serial), on: 1) }
    account.willBroadcast(broadcast(5), on: 1)
    account.willAnswer(answer(6), on: 1)
    for next in [answer(1), answer(4), broadcast(5), answer(6), broadcast(9)] {
      #expect(account.received(next, isOrdered: true) == nil)
    }
    #expect(account.missingCount { _ in false } == 0)
  }

  @Test func wrongAnswersAreFound() {
    for wrong in [[4], [1, 1], [1, 6], [1, 4, 1], [2]] as [[UInt32]] {
      var account = AnswerAccount()
      for serial in [1, 4, 6] as [UInt32] { account.willAnswer(answer(serial), on: 1) }
      let findings = wrong.compactMap { account.received(answer($0), isOrdered: true) }
      #expect(findings.first?.property == .answers, "\(wrong)")
    }
  }

  @Test func aBroadcastThatMustComeIsMissed() {
    var account = AnswerAccount()
    account.willBroadcast(broadcast(1), on: 1)
    account.willAnswer(answer(2), on: 1)
    #expect(account.received(answer(2), isOrdered: true)?.property == .answers)
  }

  @Test func aBroadcastTwiceIsFound() {
    var account = AnswerAccount()
    #expect(account.received(broadcast(3), isOrdered: true) == nil)
    #expect(account.received(broadcast(3), isOrdered: true)?.property == .answers)
  }

  @Test func anAnswerOfAnotherSizeIsFound() {
    var account = AnswerAccount()
    account.willAnswer(answer(1), on: 1)
    let longer = Answer(visit: 7, stream: 1, serial: 1, byteCount: 21)
    #expect(account.received(longer, isOrdered: true)?.property == .answers)
  }

  @Test func anEarlierStreamMayNotFollowALaterOne() {
    for isOrdered in [true, false] {
      var account = AnswerAccount()
      account.isWith(1)
      account.isWith(2)
      account.willAnswer(answer(1), on: 1)
      account.willAnswer(answer(1, stream: 2), on: 2)
      #expect(account.received(answer(1, stream: 2), isOrdered: isOrdered) == nil)
      let finding = account.received(answer(1), isOrdered: isOrdered)
      #expect((finding?.property == .answers) == isOrdered)
    }
  }

  @Test func answersOfALostStreamNeedNotCome() {
    var account = AnswerAccount()
    account.willAnswer(answer(1), on: 1)
    account.willAnswer(answer(1, stream: 2), on: 2)
    #expect(account.missingCount { _ in false } == 2)
    #expect(account.missingCount { $0 == 1 } == 1)
  }

  // MARK: Bans and limits

  @Test func aBanCountsOnceItsBoundIsOver() throws {
    var bans = BanAccount(gateways: 2)
    let now = Instant(nanoseconds: 1_000_000_000)
    let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 1000)
    let prefix = AddressPrefix.of(client, ipv4: 24, ipv6: 64)
    bans.banned(.addresses(prefix), listener: nil, until: .distantFuture)
    func isDue(_ gateway: Int) -> Bool {
      bans.ban(of: client, nil, listener: "game", gateway: gateway) != nil
    }
    for _ in 0..<20 {
      for gateway in 0..<2 {
        bans.timePassed(
          .milliseconds(100), gateway: gateway, isUndisturbed: gateway == 0, now: now)
      }
    }
    #expect(!isDue(0) && !isDue(1))
    bans.timePassed(.milliseconds(100), gateway: 0, isUndisturbed: true, now: now)
    #expect(isDue(0) && !isDue(1))
    let stranger = SocketAddress(ipv4: 192, 0, 3, 7, port: 1000)
    #expect(bans.ban(of: stranger, nil, listener: "game", gateway: 0) == nil)
    bans.unbanned(.addresses(prefix), listener: nil)
    #expect(!isDue(0))
  }

  /// Goal: a gateway applies its own rule's ban at once, and to its last second but one.
  @Test func aRulesBanIsCertainWhereItWasMade() {
    let (client, subject) = banned
    var bans = BanAccount(gateways: 2)
    bans.banned(subject, by: 1, rule: "floods", until: at(10_000))
    #expect(certainRule(bans, client, 1) == "floods")
    #expect(certainRule(bans, client, 0) == nil)
    let stranger = SocketAddress(ipv4: 192, 0, 3, 7, port: 1000)
    #expect(certainRule(bans, stranger, 1) == nil)
    bans.timePassed(.milliseconds(100), gateway: 1, isUndisturbed: false, now: at(8_900))
    #expect(certainRule(bans, client, 1, milliseconds: 8_999) == "floods")
    #expect(certainRule(bans, client, 1, milliseconds: 9_000) == nil)
    bans.timePassed(.milliseconds(100), gateway: 1, isUndisturbed: true, now: at(10_000))
    #expect(bans.isEmpty)
  }

  /// Goal: what somebody else may have replaced is not counted on.
  @Test func aRulesBanIsUncertainOnceSomebodyElseDecides() {
    let (client, subject) = banned
    var first = BanAccount(gateways: 2)
    first.banned(subject, by: 0, rule: "floods", until: at(10_000))
    var bans = first
    bans.banned(subject, by: 1, rule: "floods", until: at(10_000))
    #expect(certainRule(bans, client, 0) == nil && certainRule(bans, client, 1) == nil)
    bans = first
    bans.banned(subject, by: 0, rule: "scans", until: at(20_000))
    #expect(certainRule(bans, client, 0) == "scans")
    bans = first
    bans.banned(subject, listener: nil, until: at(5_000))
    #expect(certainRule(bans, client, 0) == nil)
    bans = first
    bans.unbanned(subject, listener: "game")
    #expect(certainRule(bans, client, 0) == nil)
    bans.forgetRules(of: 0)
    bans.banned(subject, by: 1, rule: "scans", until: at(20_000))
    #expect(certainRule(bans, client, 1) == "scans")
  }

  private var banned: (SocketAddress, Subject) {
    let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 1000)
    return (client, .addresses(AddressPrefix.of(client, ipv4: 24, ipv6: 64)))
  }

  private func at(_ milliseconds: UInt64) -> Instant {
    Instant(nanoseconds: milliseconds * 1_000_000)
  }

  private func certainRule(
    _ bans: BanAccount, _ client: SocketAddress, _ gateway: Int, milliseconds: UInt64 = 0
  ) -> String? {
    bans.certainBan(of: client, nil, gateway: gateway, now: at(milliseconds))?.rule
  }

  @Test func aRateIsKeptOrNot() {
    var now = Instant(nanoseconds: 0)
    var account = RateAccount(Rate(perSecond: 10, burst: 5), at: now)
    var passes = [account.passed(5, slack: 0, at: now)]
    for _ in 0..<50 {
      now = now + .milliseconds(100)
      passes.append(account.passed(1, slack: 0, at: now))
    }
    #expect(passes.allSatisfy { $0 })
    let oneMore = account.passed(1, slack: 0, at: now)
    #expect(!oneMore)
    now = now + .seconds(10)
    let moreThanABurst = account.passed(6, slack: 0, at: now)
    #expect(!moreThanABurst)
  }

  // MARK: Numbers

  /// Goal: the set is what a plain one is.
  ///
  /// Method: random insertions by seed, against Set.
  @Test(arguments: UInt64(0)..<10) func numberSetsAreSets(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var numbers = NumberSet()
    var model: Set<Int> = []
    for _ in 0..<300 {
      let number = Int.random(in: 0..<120, using: &random)
      let isNew = numbers.insert(number)
      let wasMissing = model.insert(number).inserted
      #expect(isNew == wasMissing)
      let firstMissing = (0...).first { !model.contains($0) }
      #expect(numbers.firstMissing == firstMissing)
      #expect(numbers.count == model.count)
      let asked = Int.random(in: 0..<120, using: &random)
      #expect(numbers.contains(asked) == model.contains(asked))
      let isSparse = zip(numbers.ranges, numbers.ranges.dropFirst())
        .allSatisfy { $0.upperBound < $1.lowerBound }
      #expect(isSparse)
    }
  }
}
