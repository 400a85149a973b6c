import Primitives
import Testing

@testable import Upstream

@Suite struct ContractReaderTests {
  /// An `Output` whose bytes were copied.
  private struct Copied: Equatable {
    var target: ContractReader.Output.Target
    var uuid = ""
    var broadcast: UInt64 = 0
    var payload: [UInt8] = []
  }

  private func output(_ bytes: [UInt8]) -> Copied? {
    bytes.withUnsafeBytes { message in
      ContractReader.output(message).map {
        Copied(
          target: $0.target, uuid: String(decoding: $0.uuid, as: UTF8.self),
          broadcast: $0.broadcast, payload: Array($0.payload))
      }
    }
  }

  private func ready(_ bytes: [UInt8]) -> ContractReader.Ready? {
    bytes.withUnsafeBytes { ContractReader.ready($0) }
  }

  private func live(_ bytes: [UInt8]) -> Bool? { bytes.withUnsafeBytes { ContractReader.live($0) } }

  private func ready(_ isReady: Bool, events: Bool) -> ContractReader.Ready {
    var ready = ContractReader.Ready()
    ready.isReady = isReady
    ready.sessionEvents = events
    return ready
  }

  private func permutations<Element>(_ list: [Element]) -> [[Element]] {
    guard list.count > 1 else { return [list] }
    return list.indices.flatMap { index in
      var rest = list
      let first = rest.remove(at: index)
      return permutations(rest).map { [first] + $0 }
    }
  }

  /// Unknown fields of every wire type, and known numbers with other wire types than theirs.
  private static let ignored: [[UInt8]] = [
    Wire.integer(5, 7), Wire.bytes(5, [1, 2]), Wire.fixed64(6), Wire.fixed32(7),
    Wire.group(8, []), Wire.group(9, Wire.text(2, anyUUID) + Wire.group(9, Wire.integer(3, 1))),
    Wire.integer(536_870_911, .max), Wire.bytes(100_000, []),
    Wire.integer(4, 1), Wire.fixed64(4), Wire.fixed32(3), Wire.group(3, Wire.integer(3, 1)),
    Wire.fixed32(2), Wire.bytes(3, [1]), Wire.integer(1, 3), Wire.fixed64(1),
  ]

  // MARK: Output

  @Test func anEmptyMessageHasNoTarget() {
    #expect(output([]) == Copied(target: .none))
  }

  @Test func fieldsComeInAnyOrder() {
    let fields = [
      Wire.text(1, anyTime), Wire.text(2, anyUUID), Wire.bytes(4, [9, 8]), Wire.fixed32(90),
    ]
    for order in permutations(fields) {
      #expect(
        output(order.flatMap { $0 }) == Copied(target: .session, uuid: anyUUID, payload: [9, 8]))
    }
    for order in permutations([Wire.integer(3, 2), Wire.bytes(4, [9]), Wire.text(1, "")]) {
      let expected = Copied(target: .broadcast, broadcast: 2, payload: [9])
      #expect(output(order.flatMap { $0 }) == expected)
    }
  }

  /// Goal: the short way through a message of the usual layout finds what the long one does, and
  /// takes nothing that the long one refuses.
  @Test func bothWaysThroughAMessageAgree() {
    var random = SeededRandom(seed: 21)
    func isSame(_ bytes: [UInt8]) -> Bool {
      bytes.withUnsafeBytes { message in
        let short = ContractReader.output(message)
        let long = ContractReader.anyOutput(message)
        guard let short, let long else { return short == nil && long == nil }
        return short.target == long.target && short.broadcast == long.broadcast
          && short.uuid.elementsEqual(long.uuid) && short.payload.elementsEqual(long.payload)
      }
    }
    for size in [0, 1, 2, 126, 127, 128, 129, 300, 16_383, 16_384, 20_000] {
      let payload = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let usual = Wire.text(1, anyTime) + Wire.text(2, anyUUID) + Wire.bytes(4, payload)
      #expect(output(usual) == Copied(target: .session, uuid: anyUUID, payload: payload))
      for _ in 0..<300 {
        var message = usual
        switch random.next() % 3 {
        case 0: message.removeLast(Int(random.next() % UInt64(message.count)))
        case 1: message.append(contentsOf: Self.ignored[Int(random.next() % 16)])
        default: break
        }
        let place = Int(random.next() % UInt64(max(1, min(message.count, 72))))
        if !message.isEmpty { message[place] = UInt8(truncatingIfNeeded: random.next()) }
        #expect(isSame(message), "\(message.prefix(80))")
      }
    }
  }

  @Test func theLastValueCounts() {
    let message =
      Wire.text(2, "one") + Wire.bytes(4, [1]) + Wire.text(2, "two") + Wire.bytes(4, [2, 2])
    #expect(output(message) == Copied(target: .session, uuid: "two", payload: [2, 2]))
    #expect(output(message + Wire.bytes(4, []))?.payload == [])
    #expect(output(message + Wire.integer(3, 1))?.target == .broadcast)
    #expect(output(Wire.integer(3, 1) + message)?.target == .session)
    #expect(output(Wire.integer(3, 1) + Wire.integer(3, 2))?.broadcast == 2)
  }

  /// Goal: BROADCAST_ALL is 0, and a oneof member is there even with its default value.
  @Test func aBroadcastOfZeroIsABroadcast() {
    #expect(output(Wire.integer(3, 0)) == Copied(target: .broadcast, broadcast: 0))
    #expect(output(Wire.text(2, "")) == Copied(target: .session))
  }

  @Test func unknownFieldsAreSkipped() {
    let known = [Wire.text(2, anyUUID), Wire.bytes(4, [1, 2, 3])]
    let expected = Copied(target: .session, uuid: anyUUID, payload: [1, 2, 3])
    for unknown in Self.ignored {
      #expect(output(unknown + known[0] + known[1]) == expected)
      #expect(output(known[0] + unknown + known[1]) == expected)
      #expect(output(known[0] + known[1] + unknown) == expected)
    }
    #expect(output(known[0] + Self.ignored.flatMap { $0 } + known[1]) == expected)
  }

  @Test func overlongVarintsAreRead() {
    for byteCount in 1...10 {
      #expect(output(Wire.tag(3, 0) + Wire.varint(2, byteCount: byteCount))?.broadcast == 2)
      #expect(output(Wire.tag(4, 2) + Wire.varint(1, byteCount: byteCount) + [7])?.payload == [7])
      #expect(output(Wire.varint(4 * 8 + 2, byteCount: byteCount) + [1, 7])?.payload == [7])
    }
    #expect(output(Wire.tag(3, 0) + Wire.varint(2, byteCount: 11)) == nil)
    #expect(output(Wire.tag(3, 0) + Array(repeating: 0xff, count: 9) + [1])?.broadcast == .max)
  }

  private static let malformed: [(what: String, bytes: [UInt8])] = [
    ("field number 0", [0x00, 0x00]),
    ("field number 0 with bytes", [0x02, 0x00]),
    ("a tag beyond 32 bits", Wire.varint(1 << 35) + [0]),
    ("wire type 6", Wire.tag(5, 6)),
    ("wire type 7", Wire.tag(5, 7)),
    ("an end without a group", Wire.tag(5, 4)),
    ("a group without an end", Wire.tag(5, 3) + Wire.integer(1, 1)),
    ("a group with another's end", Wire.tag(5, 3) + Wire.tag(6, 4)),
    ("a group with field number 0", Wire.tag(5, 3) + [0, 0] + Wire.tag(5, 4)),
    ("a length beyond the end", Wire.tag(4, 2) + [5, 1, 2, 3, 4]),
    ("a length beyond all memory", Wire.tag(4, 2) + Wire.varint(.max)),
    ("a length beyond a signed integer", Wire.tag(4, 2) + Wire.varint(1 << 63)),
    ("a tag alone", Wire.tag(4, 2)),
    ("half a fixed64", Wire.fixed64(5).dropLast()),
    ("half a fixed32", Wire.fixed32(5).dropLast()),
    ("a varint without an end", Wire.tag(3, 0) + [0x80]),
  ]

  @Test func malformedMessagesAreRefused() {
    for (what, bytes) in Self.malformed {
      #expect(output(bytes) == nil, "\(what)")
      #expect(output(Wire.text(2, anyUUID) + bytes) == nil, "\(what)")
      #expect(ready(bytes) == nil, "\(what)")
      #expect(live(bytes) == nil, "\(what)")
    }
  }

  @Test func groupsNestTheirDepthAndNoMore() {
    func nested(_ depth: Int) -> [UInt8] {
      Array(repeating: Wire.tag(5, 3), count: depth).flatMap { $0 }
        + Array(repeating: Wire.tag(5, 4), count: depth).flatMap { $0 }
    }
    #expect(output(nested(100)) != nil)
    #expect(output(nested(101)) == nil)
    #expect(output(nested(1_000_000)) == nil)
  }

  /// Goal: a message that was cut is refused, or read as far as whole fields go.
  @Test func messagesCutAnywhere() {
    let fields =
      [Wire.text(1, anyTime), Wire.text(2, anyUUID), Wire.bytes(4, [1, 2, 3])] + Self.ignored
    let message = fields.flatMap { $0 }
    var ends: Set<Int> = [0]
    for field in fields { ends.insert(ends.max()! + field.count) }
    for end in 0..<message.count {
      #expect((output(Array(message[..<end])) != nil) == ends.contains(end), "cut at \(end)")
    }
  }

  // MARK: Ready and live

  @Test func readyIsReadInAnyOrder() {
    let fields = [Wire.text(1, anyTime), Wire.integer(2, 1), Wire.integer(16, 1), Wire.fixed64(3)]
    for order in permutations(fields) {
      #expect(ready(order.flatMap { $0 }) == ready(true, events: true))
    }
    #expect(ready([]) == ready(false, events: false))
    #expect(ready(Wire.integer(2, 1) + Wire.integer(2, 0)) == ready(false, events: false))
    #expect(ready(Wire.integer(2, .max))?.isReady == true)
    #expect(ready(Wire.bytes(2, [1])) == ready(false, events: false))
  }

  @Test func featuresArePackedOrNot() {
    for list: [UInt64] in [[1], [0, 1], [1, 2], [2, 3, 1], [99, 1], [.max, 1], [1 << 32 | 1]] {
      let packed = Wire.bytes(16, list.flatMap { Wire.varint($0) })
      let unpacked = list.flatMap { Wire.integer(16, $0) }
      #expect(ready(packed) == ready(false, events: true), "\(list)")
      #expect(ready(unpacked) == ready(false, events: true), "\(list)")
      #expect(ready(packed + Wire.integer(2, 1) + unpacked) == ready(true, events: true))
    }
    for list: [UInt64] in [[], [0], [2], [3, 2], [.max], [257], [1 << 31]] {
      #expect(ready(Wire.bytes(16, list.flatMap { Wire.varint($0) }))?.sessionEvents == false)
      #expect(ready(list.flatMap { Wire.integer(16, $0) })?.sessionEvents == false)
    }
    #expect(ready(Wire.bytes(16, [1, 0x80])) == nil)
    #expect(ready(Wire.fixed32(16)) == ready(false, events: false))
  }

  @Test func liveIsRead() {
    #expect(live([]) == false)
    #expect(live(Wire.integer(2, 1)) == true)
    #expect(live(Wire.text(1, anyTime) + Wire.integer(2, 1)) == true)
    #expect(live(Wire.integer(2, 1) + Wire.integer(2, 0)) == false)
    #expect(live(Wire.integer(2, 1) + Wire.bytes(2, [])) == true)
    #expect(live(Wire.integer(2, 2) + Wire.group(2, Wire.integer(2, 0))) == true)
    #expect(live(Wire.integer(2, 1) + [0x80]) == nil)
  }

  /// Goal: a long reason is cut to its bound without breaking a character.
  @Test(arguments: ["é", "€", "😀"])
  func aReasonIsCutBetweenCharacters(character: String) {
    for padding in 0..<5 {
      let text = String(repeating: "a", count: padding) + String(repeating: character, count: 120)
      let outcome = Wire.text(3, text).withUnsafeBytes { ContractReader.authenticated($0) }
      guard case .refused(let reason) = outcome else {
        Issue.record("\(String(describing: outcome))")
        continue
      }
      #expect(text.hasPrefix(reason))
      #expect((200 - character.utf8.count + 1...200).contains(reason.utf8.count))
    }
  }

  // MARK: Fuzz

  /// Goal: no bytes make a reader trap, or return what does not lie in the message.
  ///
  /// Method: well-formed messages with bytes changed, inserted, removed and repeated.
  @Test func mutatedMessages() {
    var read = 0
    var refused = 0
    for seed: UInt64 in 0..<6_000 {
      var random = SeededRandom(seed: seed)
      let bytes = mutated(using: &random)
      _ = ready(bytes)
      _ = live(bytes)
      bytes.withUnsafeBytes { message in
        guard let output = ContractReader.output(message) else {
          refused += 1
          return
        }
        read += 1
        for part in [output.uuid, output.payload] where !part.isEmpty {
          let lies =
            part.baseAddress! >= message.baseAddress!
            && part.baseAddress! + part.count <= message.baseAddress! + message.count
          if !lies { Issue.record("seed \(seed)") }
        }
      }
    }
    #expect(read > 500 && refused > 500, "\(read) read, \(refused) refused")
  }

  private func mutated(using random: inout SeededRandom) -> [UInt8] {
    let known = [
      Wire.text(1, anyTime), Wire.text(2, anyUUID), Wire.integer(3, 1), Wire.bytes(4, [1, 2, 3]),
      Wire.integer(16, 1), Wire.bytes(16, [1, 2]),
    ]
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...5, using: &random) {
      bytes += (known + Self.ignored).randomElement(using: &random)!
    }
    for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
      let at = Int.random(in: 0..<bytes.count, using: &random)
      let byte = UInt8(truncatingIfNeeded: random.next())
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[at] = byte
      case 1: bytes[at] ^= 1 << (byte & 7)
      case 2: bytes.insert(byte, at: at)
      case 3: bytes.removeSubrange(at...)
      default: bytes.insert(contentsOf: bytes[at...].prefix(8), at: at)
      }
    }
    return bytes
  }
}
