import Primitives
import Testing

@testable import Gateway

@Suite struct SessionUUIDCodecTests {
  private func entropy(_ random: inout SeededRandom) -> [16 of UInt8] {
    .init { _ in UInt8.random(in: 0...255, using: &random) }
  }

  /// Goal: a slot that went into a UUID comes out again, and the UUID is one of version 4.
  @Test func slotsComeBackForAllShards() {
    var random = SeededRandom(seed: 1)
    for shard in UInt8.min...UInt8.max {
      for _ in 0..<40 {
        let codec = SessionUUIDCodec(
          shard: shard, mask: UInt32.random(in: 0 ... .max, using: &random))
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
  }

  /// Goal: the bits that no place is kept in are the driver's entropy, unchanged.
  @Test func theRestIsEntropy() {
    var random = SeededRandom(seed: 2)
    let codec = SessionUUIDCodec(shard: 9, mask: 0x1234_5678)
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
    let codec = SessionUUIDCodec(shard: 0, mask: 0xdead_beef)
    var seen: Set<UInt32> = []
    var random = SeededRandom(seed: 3)
    for slot in UInt32(0)..<10_000 {
      let uuid = codec.make(slot: slot, entropy: entropy(&random))
      #expect(seen.insert(uuid.leadingWord).inserted)
    }
  }

  /// Goal: what another shard gave out is not ours, with the same mask and slot even.
  @Test func otherShardsAreToldApart() {
    var random = SeededRandom(seed: 4)
    for _ in 0..<20 {
      let mask = UInt32.random(in: 0 ... .max, using: &random)
      let ours = UInt8.random(in: 0...255, using: &random)
      let codec = SessionUUIDCodec(shard: ours, mask: mask)
      for shard in UInt8.min...UInt8.max where shard != ours {
        let other = SessionUUIDCodec(shard: shard, mask: mask)
        #expect(codec.slot(of: other.make(slot: 5, entropy: entropy(&random))) == nil)
      }
    }
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
