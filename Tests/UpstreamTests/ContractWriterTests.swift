import Primitives
import Testing
import Upstream

@Suite struct ContractWriterTests {
  private let uuid = SessionUUID(text: anyUUID)!
  private let time = TimestampText(unixMilliseconds: anyTimeMilliseconds)

  private func packet(_ payload: [UInt8]) -> [UInt8] {
    written { queue in
      payload.withUnsafeBytes {
        ContractWriter.appendPacket($0, of: uuid, time: time, to: &queue)
      }
    }
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// Goal: the bytes of the contract, once in full.
  @Test func goldenBytesOfAPacket() {
    let golden: [String] = [
      "0000000044",
      "0a18", "323032362d30312d33315432333a35393a35392e3132335a",
      "1224", "30313233343536372d383961622d346364652d386630312d323334353637383961626364",
      "1a02dead",
    ]
    #expect(hex(packet([0xde, 0xad])) == golden.joined())
  }

  /// Goal: every length of the length.
  @Test(arguments: [
    0, 1, 2, 57, 58, 59, 126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385, 65_535, 65_536,
    2_097_151, 2_097_152,
  ])
  func packetsOfAllSizes(_ byteCount: Int) {
    let payload = Array(repeating: UInt8(0xa5), count: byteCount)
    let message = packet(payload)
    // Not by #expect on the arrays: the report of a difference would take minutes.
    let isSame = message == Wire.framed(inputMessage(payload))
    #expect(isSame)
    #expect(message.count <= payload.count + ContractWriter.packetOverheadBytesMax)
    message.withUnsafeBytes {
      #expect(ContractWriter.messageByteCount(at: $0) == message.count)
      #expect(ContractWriter.isPacket($0))
      #expect(ContractWriter.uuid(of: $0) == uuid)
    }
  }

  /// Goal: messages follow each other without a gap, wherever the queue's memory ends.
  @Test func manyMessagesInOneQueue() {
    var random = SeededRandom(seed: 5)
    var queue = ByteQueue()
    var expected: [UInt8] = []
    for number: UInt64 in 0..<500 {
      let payload = randomBytes(.random(in: 0...300, using: &random), using: &random)
      let text = UpstreamTests.uuid(number)
      payload.withUnsafeBytes {
        ContractWriter.appendPacket($0, of: SessionUUID(text: text)!, time: time, to: &queue)
      }
      expected += Wire.framed(inputMessage(payload, uuid: text))
    }
    let isSame = queue.readable.elementsEqual(expected)
    #expect(isSame)
  }

  private func opened(_ change: (inout SessionOpened) -> Void) -> [UInt8] {
    var opened = SessionOpened(
      clientAddress: "192.0.2.7:50112", listener: "game", framer: "u16", resumed: false,
      nextSequence: 1)
    change(&opened)
    return written { ContractWriter.appendOpened(opened, of: uuid, time: time, to: &$0) }
  }

  private func openedBytes(_ body: [UInt8]) -> [UInt8] {
    Wire.framed(Wire.text(1, anyTime) + Wire.text(2, anyUUID) + Wire.bytes(16, body))
  }

  @Test func goldenBytesOfOpened() {
    let golden: [String] = [
      "8201", "1e", "120f3139322e302e322e373a3530313132", "1a0467616d65", "2203753136", "3801",
    ]
    #expect(hex(opened { _ in }).hasSuffix(golden.joined()))
  }

  @Test func openedHasAllFieldsInOrder() {
    let bytes = opened {
      $0.account = "Åsa"
      $0.attributes = [("level", "7"), ("", "")]
      $0.resumed = true
      $0.nextSequence = .max
      $0.unauthenticated = true
    }
    let attributes =
      Wire.bytes(5, Wire.text(1, "level") + Wire.text(2, "7"))
      + Wire.bytes(5, Wire.text(1, "") + Wire.text(2, ""))
    let body =
      Wire.text(1, "Åsa") + Wire.text(2, "192.0.2.7:50112") + Wire.text(3, "game")
      + Wire.text(4, "u16") + attributes + Wire.integer(6, 1) + Wire.integer(7, .max)
      + Wire.integer(8, 1)
    #expect(bytes == openedBytes(body))
    bytes.withUnsafeBytes {
      #expect(!ContractWriter.isPacket($0))
      #expect(ContractWriter.uuid(of: $0) == uuid)
      #expect(ContractWriter.messageByteCount(at: $0) == bytes.count)
    }
  }

  /// Goal: proto3 leaves out what has its default value.
  @Test func openedLeavesOutDefaults() {
    let bytes = opened {
      $0.clientAddress = ""
      $0.listener = ""
      $0.framer = ""
      $0.nextSequence = 0
    }
    #expect(bytes == openedBytes([]))
  }

  @Test(arguments: [100, 127, 128, 200, 16_384])
  func openedWithLongNames(_ byteCount: Int) {
    let name = String(repeating: "n", count: byteCount)
    let bytes = opened { $0.listener = name }
    let body =
      Wire.text(2, "192.0.2.7:50112") + Wire.text(3, name) + Wire.text(4, "u16")
      + Wire.integer(7, 1)
    #expect(bytes == openedBytes(body))
  }

  @Test(arguments: [0, 1, 64, 127, 128, 129, 255] as [UInt8])
  func closedCarriesItsReason(_ reason: UInt8) {
    let bytes = written {
      ContractWriter.appendClosed(reason: reason, of: uuid, time: time, to: &$0)
    }
    let body = reason == 0 ? [] : Wire.integer(1, UInt64(reason))
    #expect(
      bytes
        == Wire.framed(Wire.text(1, anyTime) + Wire.text(2, anyUUID) + Wire.bytes(17, body)))
    bytes.withUnsafeBytes {
      #expect(!ContractWriter.isPacket($0))
      #expect(ContractWriter.uuid(of: $0) == uuid)
    }
  }

  @Test func authenticatedCarriesAccountAndAttributes() {
    let bytes = written {
      ContractWriter.appendAuthenticated(
        account: "anna", attributes: [("level", "7")], of: uuid, time: time, to: &$0)
    }
    let body = Wire.text(1, "anna") + Wire.bytes(2, Wire.text(1, "level") + Wire.text(2, "7"))
    #expect(
      bytes
        == Wire.framed(Wire.text(1, anyTime) + Wire.text(2, anyUUID) + Wire.bytes(18, body)))
    #expect(hex(bytes).hasSuffix("9201120a04616e6e61120a0a056c6576656c120137"))
    bytes.withUnsafeBytes {
      #expect(!ContractWriter.isPacket($0))
      #expect(ContractWriter.uuid(of: $0) == uuid)
    }
  }

  private func question() -> AuthenticateRequest {
    AuthenticateRequest(
      time: time, uuid: uuid, clientAddress: "[2001:db8::7]:50112", listener: "game")
  }

  @Test func goldenBytesOfAQuestion() {
    var question = question()
    question.clientAddress = "a"
    question.listener = "b"
    question.secret = [0, 0xff]
    let golden: [String] = [
      "000000004a",
      "0a18", "323032362d30312d33315432333a35393a35392e3132335a",
      "1224", "30313233343536372d383961622d346364652d386630312d323334353637383961626364",
      "1a0161", "220162", "320200ff",
    ]
    #expect(hex(ContractWriter.authenticate(question)) == golden.joined())
  }

  @Test(arguments: [0, 1, 127, 128, 70_000])
  func questionsHaveAllFieldsInOrder(_ byteCount: Int) {
    var question = question()
    question.account = "Åsa"
    question.secret = Array(repeating: 5, count: byteCount)
    question.attributes = [("version", "1.2"), ("", "")]
    question.packets = [[1, 2], [], Array(repeating: 3, count: byteCount)]
    let who =
      Wire.text(1, anyTime) + Wire.text(2, anyUUID) + Wire.text(3, "[2001:db8::7]:50112")
      + Wire.text(4, "game") + Wire.text(5, "Åsa")
    let secret = byteCount == 0 ? [] : Wire.bytes(6, question.secret)
    let attributes =
      Wire.bytes(7, Wire.text(1, "version") + Wire.text(2, "1.2"))
      + Wire.bytes(7, Wire.text(1, "") + Wire.text(2, ""))
    let packets =
      Wire.bytes(8, [1, 2]) + Wire.bytes(8, []) + Wire.bytes(8, question.packets[2])
    let isSame =
      ContractWriter.authenticate(question)
      == Wire.framed(who + secret + attributes + packets)
    #expect(isSame)
  }

  @Test func goldenBytesOfClosed() {
    let bytes = written { ContractWriter.appendClosed(reason: 130, of: uuid, time: time, to: &$0) }
    #expect(hex(bytes).hasSuffix("8a0103088201"))
  }
}
