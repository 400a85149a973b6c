import Auth
import Framing
import Primitives
import Testing

@testable import Simulation

@Suite struct PacketFormTests {
  private static let framed = PacketShape.allCases.filter { $0 != .raw }

  /// Every shape alone, and every one behind a login of every shape that has room for one.
  private static var forms: [PacketForm] {
    var forms = PacketShape.allCases.map { PacketForm($0) }
    for shape in PacketShape.allCases {
      for first in framed where first.takesLogins {
        forms.append(PacketForm(first, 2, .packets, then: shape))
      }
    }
    return forms
  }

  private func cutter(_ framer: Framer) throws -> CompiledFramer { try CompiledFramer(framer) }

  /// What the gateway would hand to a worker of a stream that comes in pieces.
  private func cut(
    _ stream: [UInt8], _ compiled: CompiledFramer, _ random: inout SeededRandom
  ) -> [[UInt8]]? {
    var state = FramerState()
    var packets: [[UInt8]] = []
    var waiting: [UInt8] = []
    var place = 0
    while place < stream.count {
      let end = min(stream.count, place + random.draw(1...random.pick([1, 7, 300, 9000])))
      waiting += stream[place..<end]
      place = end
      while !waiting.isEmpty {
        let step = waiting.withUnsafeBytes { compiled.cutter.step($0, &state) }
        guard case .packet(let byteCount, let dropped) = step else {
          if case .violation = step { return nil }
          break
        }
        packets.append(Array(waiting[..<(byteCount - dropped)]))
        waiting.removeFirst(byteCount)
        compiled.cutter.took(&state)
      }
    }
    return waiting.isEmpty ? packets : nil
  }

  /// Goal: workers get what clients sent, however the network cuts it.
  @Test func framersCutWhatFormsMake() throws {
    for (index, form) in Self.forms.enumerated() {
      var random = SeededRandom(seed: UInt64(index))
      let compiled = try cutter(form.framer)
      let visit = random.draw(0...100_000)
      var stream: [UInt8] = []
      let count = form.isRaw ? form.firstCount : 30
      for number in 0..<count {
        let sizes = form.shape(ofPacket: number).byteCounts
        let byteCount =
          number % 3 == 0 ? random.draw(sizes) : random.draw(1...sizes.lowerBound + 60)
        stream += form.packet(visit: visit, number: number, byteCount: byteCount)
      }
      let packets = try #require(cut(stream, compiled, &random), "\(form)")
      #expect(packets.count == count, "\(form)")
      for (number, packet) in packets.enumerated() {
        let read = try #require(form.read(packet), "\(form) \(number)")
        #expect(read.visit == visit && read.number == number)
      }
    }
  }

  @Test func sizesAreThoseAskedForWherePossible() {
    for shape in Self.framed {
      for byteCount in [1, 12, 16, 20, 21, 23, 64, 65, 127, 128, 129, 130, 200, 1199, 30_000] {
        for number in 0...1 {
          let packet = shape.packet(visit: 7, number: number, byteCount: byteCount)
          let wanted = min(max(byteCount, shape.byteCounts.lowerBound), shape.byteCounts.upperBound)
          #expect(shape.byteCounts.contains(packet.count), "\(shape)")
          #expect(abs(packet.count - wanted) <= 9, "\(shape) \(byteCount) \(packet.count)")
        }
      }
    }
  }

  /// Goal: no byte can be changed, lost or added unseen.
  @Test func everyByteCounts() {
    for shape in Self.framed {
      var packets = [12, 60, 140].map { shape.packet(visit: 5, number: 3, byteCount: $0) }
      if shape.takesLogins {
        packets.append(LoginPacket(visit: 5, number: 0, Self.credential).bytes(shape))
      }
      for sent in packets {
        let packet = Array(shape.dropsDelimiter ? sent.dropLast() : sent[...])
        #expect(shape.read(packet[...]) != nil, "\(shape)")
        for index in packet.indices {
          var other = packet
          other[index] ^= 1
          #expect(shape.read(other[...]) != Stamp(kind: .play, visit: 5, number: 3), "\(shape)")
          other.remove(at: index)
          #expect(shape.read(other[...]) == nil, "\(shape)")
        }
        #expect(shape.read((packet + [7])[...]) == nil, "\(shape)")
      }
    }
  }

  private static let credential = Credential(
    account: "player-31", kind: .password, secret: Array("a secret".utf8), expected: .undecided)

  /// Goal: listeners read out of login packets what clients put into them.
  @Test func loginsAreRead() {
    let secrets = [Array("a secret".utf8), [UInt8](repeating: 0x41, count: 384)]
    for shape in Self.framed where shape.takesLogins {
      for (secret, account) in [(secrets[0], "player-31"), (secrets[1], nil)] {
        let description = LoginDescription(
          parts: [shape.loginPart(namesAccount: account != nil)])
        var credential = Self.credential
        credential.account = account
        credential.secret = secret
        let packet = LoginPacket(visit: 9, number: 2, credential).bytes(shape)
        #expect(shape.byteCounts.contains(packet.count))
        let payload = Array(shape.dropsDelimiter ? packet.dropLast() : packet[...])
        #expect(shape.read(payload[...]) == Stamp(kind: .login, visit: 9, number: 2))
        var progress = LoginProgress()
        let step = payload.withUnsafeBytes { progress.take($0, of: description) }
        #expect(
          step.next == .complete(Credentials(account: account, secret: secret)),
          "\(shape) \(step)")
        var before = LoginProgress()
        let play = shape.packet(visit: 9, number: 1, byteCount: 80)
        #expect(
          play.withUnsafeBytes { before.take($0, of: description) }.disposition == .hold)
      }
    }
  }

  @Test func violationsAreRefused() throws {
    var random = SeededRandom(seed: 5)
    for shape in Self.framed {
      let compiled = try cutter(shape.framer)
      for _ in 0..<50 {
        let bytes = shape.violation(&random)
        var state = FramerState()
        let step = bytes.withUnsafeBytes { compiled.cutter.step($0, &state) }
        guard case .violation = step else {
          Issue.record("\(shape): \(step)")
          continue
        }
      }
    }
  }

  @Test func rawBytesFollowFromTheirPlace() {
    var random = SeededRandom(seed: 6)
    let form = PacketForm(.raw)
    let whole = form.rawBytes(visit: 3, from: 0, count: 1000)
    for _ in 0..<200 {
      let from = random.draw(0...999)
      let count = random.draw(0...1000 - from)
      #expect(
        form.rawBytes(visit: 3, from: from, count: count)[...] == whole[from..<from + count])
    }
    #expect(form.rawBytes(visit: 4, from: 0, count: 16)[...] != whole[..<16])
    #expect(form.rawBytes(visit: 3, from: 8, count: 16)[...] != whole[..<16])
  }

  @Test func noticesAreNoAnswers() throws {
    for notice in [Notice.greeting, .closed(.banned), .closed(.slowClient)] {
      let bytes = notice.bytes
      #expect(bytes.count == Notice.byteCount && Notice(bytes[...]) == notice)
      #expect(try #require(Answer.byteCount(atFrontOf: bytes[...])) < Answer.headByteCount)
      for index in bytes.indices {
        var other = bytes
        other[index] ^= 0x10
        #expect(Notice(other[...]) != notice)
      }
    }
  }
}
