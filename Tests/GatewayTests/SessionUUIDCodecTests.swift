import Primitives
import Testing

@testable import Gateway

@Suite struct SessionUUIDCodecTests {
  private func entropy(_ random: inout SeededRandom) -> [16 of UInt8] {
    .init { _ in UInt8.random(in: 0...255, using: &random) }
  }

  /// Goal: a slot that went into a UUID comes out again, and the UUID is one of version 4.
  @Test func slotsComeBack() {
    var random = SeededRandom(seed: 1)
    for _ in 0..<10_240 {
      let codec = SessionUUIDCodec(mask: UInt32.random(in: 0 ... .max, using: &random))
      let slots = [0, 1, 0x00ff_ffff, UInt32.random(in: 0..<1 << 24, using: &random)]
      for slot in slots {
        let uuid = codec.make(slot: slot, entropy: entropy(&random))
        let text = Array(uuid.description.utf8)
        #expect(codec.slot(of: uuid) == slot)
        #expect(text[14] == UInt8(ascii: "4"), "version")
        #expect("89ab".utf8.contains(text[19]), "variant")
      }
    }
  }

  /// Goal: the bits that no place is kept in are the driver's entropy, unchanged.
  @Test func theRestIsEntropy() {
    var random = SeededRandom(seed: 2)
    let codec = SessionUUIDCodec(mask: 0x1234_5678)
    for _ in 0..<100 {
      let entropy = entropy(&random)
      let text = codec.make(slot: 77, entropy: entropy).description
      let expected = SessionUUID(bytes: entropy).description
      #expect(text.dropFirst(15).prefix(3) == expected.dropFirst(15).prefix(3))
      #expect(text.dropFirst(20) == expected.dropFirst(20))
    }
  }

  /// Goal: neighbours in the slab don't look like neighbours, and none share their first digits.
  @Test func slotsAreDisguised() {
    let codec = SessionUUIDCodec(mask: 0xdead_beef)
    var seen: Set<UInt32> = []
    var random = SeededRandom(seed: 3)
    for slot in UInt32(0)..<10_000 {
      let uuid = codec.make(slot: slot, entropy: entropy(&random))
      #expect(seen.insert(uuid.leadingWord).inserted)
    }
  }

  /// Goal: what another gateway gave out is not ours, but for one in 256 that only looks so.
  ///
  /// Method: codecs with different masks, and numbers that are just no slots.
  @Test func otherGatewaysAreToldApart() {
    var random = SeededRandom(seed: 4)
    var lookAlikes = 0
    for _ in 0..<5_120 {
      let codec = SessionUUIDCodec(mask: UInt32.random(in: 0 ... .max, using: &random))
      let other = SessionUUIDCodec(mask: UInt32.random(in: 0 ... .max, using: &random))
      let uuid = other.make(slot: 5, entropy: entropy(&random))
      #expect(other.slot(of: uuid) == 5)
      if codec.slot(of: uuid) != nil { lookAlikes += 1 }
      for beyond in [1 << 24, UInt32.random(in: 1 << 24 ... .max, using: &random), .max] {
        #expect(codec.slot(of: codec.make(slot: beyond, entropy: entropy(&random))) == nil)
      }
    }
    #expect((1...40).contains(lookAlikes), "20 are to be expected")
  }

  /// Goal: a worker that gets one character wrong reaches nobody, least of all somebody else.
  ///
  /// Method: every character of a session's UUID, replaced by every digit and some other bytes.
  @Test func oneWrongCharacterFindsNobody() {
    let world = VirtualWorld()
    let clients = (0..<300).map { _ in world.connect() }
    let right = Array(world.clients[clients[150]].uuid.utf8)
    var wrong = 0
    for place in right.indices {
      for byte in Array("0123456789abcdefABCDEF-g ".utf8) + [0, 0xff] where byte != right[place] {
        var uuid = right
        uuid[place] = byte
        world.workers[0].answerRaw(uuid, Array("x".utf8))
        wrong += 1
      }
    }
    for uuid in [Array(right.dropLast()), right + right.prefix(1), []] {
      world.workers[0].answerRaw(uuid, Array("x".utf8))
      wrong += 1
    }
    world.settle()
    #expect(clients.allSatisfy { world.clients[$0].received.isEmpty })
    #expect(world.metrics().messagesToUnknownSession == UInt64(wrong))
    world.workers[0].answerRaw(right, Array("y".utf8))
    world.settle()
    #expect(world.text(clients[150]) == "y")
  }

  /// Goal: a UUID dies with its session, even when the slot is used again.
  @Test func theUUIDOfAClosedSessionFindsNobody() {
    let world = VirtualWorld()
    let old = world.connect()
    world.reset(old)
    world.settle()
    let new = world.connect()
    #expect(world.clientOfSlot.count == 1, "the slot is used again")
    world.workers[0].answer(world.clients[old].uuid, Array("x".utf8))
    world.settle()
    #expect(world.clients[new].received.isEmpty)
    #expect(world.metrics().messagesToUnknownSession == 1)
  }
}
