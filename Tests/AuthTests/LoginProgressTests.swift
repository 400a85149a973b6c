import Auth
import Testing

/// Goal: an identity is complete when it should be, and nothing goes beyond its budget.
@Suite struct LoginProgressTests {
  private func lettered(_ letter: Character, isOptional: Bool = false) -> LoginPart {
    LoginPart(
      match: [.text(String(letter))], isOptional: isOptional,
      fields: [LoginField(.attribute(String(letter)), .fixed(width: 2, padding: .zero))])
  }

  private func outcome(_ packets: String..., of description: LoginDescription) -> LoginStep.Next? {
    description.outcome(of: packets.map { Array($0.utf8) })
  }

  @Test func whatIsSaidByDefaultTakesTheFirstPacket() {
    #expect(outcome("x", of: LoginDescription()) == .complete(Credentials()))
    #expect(outcome("", of: LoginDescription()) == .complete(Credentials()))
  }

  @Test func packetsAreCountedBeforeTheyAreRead() {
    let description = LoginDescription(parts: [lettered("z")], packetsMax: 2)
    #expect(outcome("a", "b", of: description) == .more)
    #expect(outcome("a", "b", "z1", of: description) == .fault(.tooManyPackets))
    #expect(
      outcome("a", "z1", of: description)
        == .complete(Credentials(attributes: [.init(name: "z", value: "z1")])))
  }

  @Test func bytesAreCountedOverAllPackets() {
    let description = LoginDescription(parts: [lettered("z")], bytesMax: 4)
    #expect(outcome("aa", "bb", of: description) == .more)
    #expect(outcome("aa", "bbb", of: description) == .fault(.tooManyBytes))
    #expect(outcome("aaaaa", of: description) == .fault(.tooManyBytes))
    #expect(
      LoginDescription(packetsMax: -1, bytesMax: .min).outcome(of: [[]]) == .fault(.tooManyPackets))
  }

  @Test func partsInOrderCanNotChangePlaces() {
    let parts = [lettered("a"), lettered("b", isOptional: true), lettered("c")]
    let ordered = LoginDescription(parts: parts, isOrdered: true, before: .refuse)
    let free = LoginDescription(parts: parts, before: .refuse)
    #expect(outcome("a1", "c1", of: ordered) == outcome("c1", "a1", of: free))
    #expect(outcome("c1", of: ordered) == .fault(.unexpectedPacket))
    #expect(outcome("b1", of: ordered) == .fault(.unexpectedPacket))
    #expect(
      outcome("a1", "b1", "c1", of: ordered)
        == outcome("c1", "b1", "a1", of: free).map { _ in
          .complete(
            Credentials(attributes: ["a", "b", "c"].map { .init(name: $0, value: $0 + "1") }))
        })
    // An optional part that was passed over does not come any more.
    #expect(outcome("a1", "a2", of: ordered) == .fault(.repeatedPacket))
  }

  @Test func attributesStandInTheDescriptionsOrder() {
    let free = LoginDescription(parts: [lettered("a"), lettered("b"), lettered("c")])
    let expected = Credentials(
      attributes: ["a", "b", "c"].map { .init(name: $0, value: $0 + "1") })
    #expect(outcome("c1", "a1", "b1", of: free) == .complete(expected))
  }

  @Test func onePartOfOptionalOnesIsEnough() {
    let either = LoginDescription(
      parts: [lettered("a", isOptional: true), lettered("b", isOptional: true)])
    #expect(outcome("x", of: either) == .more)
    #expect(
      outcome("x", "b1", of: either)
        == .complete(Credentials(attributes: [.init(name: "b", value: "b1")])))
  }

  @Test func anOrdinalPartMustComeInItsPlace() {
    var second = lettered("b")
    second.packet = .ordinal(2)
    let description = LoginDescription(parts: [second])
    #expect(outcome("b1", of: description) == .more)
    #expect(outcome("b1", "x", of: description) == .fault(.unexpectedPacket))
    #expect(
      outcome("x", "b2", of: description)
        == .complete(Credentials(attributes: [.init(name: "b", value: "b2")])))
    second.isOptional = true
    let other = LoginDescription(parts: [second, lettered("c")])
    #expect(outcome("x", "y", of: other) == .more)
  }

  @Test func aFaultyFieldEndsItAndIsNamed() {
    var progress = LoginProgress()
    #expect(
      progress.take("z", of: LoginDescription(parts: [lettered("z")]))
        == LoginStep(.consume, next: .fault(.missingField), field: "z"))
  }

  @Test func repliesComeWithTheirParts() throws {
    let reply = try ReplyTemplate(text: "more?")
    var first = lettered("a")
    first.reply = reply
    var progress = LoginProgress()
    #expect(
      progress.take("a1", of: LoginDescription(parts: [first, lettered("b")]))
        == LoginStep(.identity, reply: reply))
    progress = LoginProgress()
    #expect(progress.take("a1", of: LoginDescription(parts: [first])).reply == reply)
  }

  @Test func longestQuestionOfTheFirstBytesCounts() throws {
    let policy = LoginAnswer(
      on: .stream(Array("<policy-file-request/>\0".utf8)), reply: try ReplyTemplate(text: "<x/>"))
    let ping = LoginAnswer(on: .stream([0xfe]), reply: nil)
    let newPing = LoginAnswer(on: .stream([0xfe, 0x01]), reply: nil, then: .continue)
    let description = LoginDescription(answers: [policy, ping, newPing])
    func answer(_ bytes: [UInt8]) -> StreamAnswer {
      bytes.withUnsafeBytes { description.streamAnswer(for: $0) }
    }
    let question = Array("<policy-file-request/>\0".utf8)
    for count in 0..<question.count {
      #expect(answer(Array(question.prefix(count))) == .undecided, "\(count)")
    }
    #expect(answer(question + [1, 2]) == .matched(byteCount: 23, policy))
    #expect(answer([0xfe]) == .matched(byteCount: 1, ping))
    #expect(answer([0xfe, 0x01, 0xfa]) == .matched(byteCount: 2, newPing))
    #expect(answer(Array("<p0".utf8)) == .none)
    #expect(
      LoginDescription().streamAnswer(for: UnsafeRawBufferPointer(start: nil, count: 0)) == .none)
  }

  @Test func conditionsHoldOnlyWhereTheyAreMet() {
    let packet = Array("aBcd".utf8)
    let little = LoginInteger(width: 2, endianness: .little)
    let table: [(condition: LoginCondition, holds: Bool)] = [
      (.bytes([0x63, 0x64], offset: 2), true), (.bytes([0x63, 0x64], offset: -2), true),
      (.bytes([0x64, 0], offset: -1), false), (.bytes([], offset: 5), false),
      (.bytes([0x61], offset: -5), false),
      (.integer(little, offset: 0, value: 0x4261), true),
      (.integer(LoginInteger(width: 2), offset: -2, value: 0x6364), true),
      (.integer(little, offset: 0, mask: 0xff, value: 0x61), true),
      (.integer(little, offset: 3, value: 0x64), false),
      (.text("aB"), true), (.text("Ab"), false), (.text("Ab", ignoresCase: true), true),
      (.text("aBcde"), false), (.text("@Bcd", ignoresCase: true), false), (.text(""), true),
      (.byteCount(4...4), true), (.byteCount(5...9), false),
    ]
    for (condition, holds) in table {
      let description = LoginDescription(parts: [LoginPart(match: [condition])])
      #expect(
        (description.outcome(of: [packet]) == .complete(Credentials())) == holds, "\(condition)")
    }
  }

  @Test func aClientThatHasSentNothingIsSmall() {
    #expect(MemoryLayout<LoginProgress>.size <= 64)
  }
}
