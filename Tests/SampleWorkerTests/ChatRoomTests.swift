import Testing

@testable import SampleWorker

@Suite struct ChatRoomTests {
  /// Three sessions: aaaa-1, bbbb-2 and cccc-3.
  static func room() -> ChatRoom {
    var room = ChatRoom()
    for uuid in ["aaaa-1", "bbbb-2", "cccc-3"] { _ = room.opened(uuid, resumed: false) }
    return room
  }

  func hear(_ room: inout ChatRoom, _ text: String, from uuid: String) -> [String] {
    room.received(Array(text.utf8), from: uuid).map(\.text)
  }

  @Test func aNewcomerIsGreetedAndTheOthersAreTold() {
    var room = ChatRoom()
    let alone = room.opened("aaaa-1", resumed: false)
    #expect(alone.count == 1)
    #expect(alone[0].text.hasPrefix("aaaa-1 Welcome, guest-aaaa. 1 here."))
    let second = room.opened("bbbb-2", resumed: false).map(\.text)
    #expect(second[0] == "aaaa-1 * guest-bbbb came in\n")
    #expect(second[1].contains("2 here. Type a line and press Enter."))
    #expect(room.opened("bbbb-2", resumed: false).isEmpty)
  }

  @Test func aResumedSessionIsTakenInSilently() {
    var room = Self.room()
    #expect(room.opened("dddd-4", resumed: true).isEmpty)
    #expect(hear(&room, "hi\n", from: "dddd-4").count == 3)
  }

  @Test func othersHearALineAndTheSpeakerDoesNot() {
    var room = Self.room()
    #expect(
      hear(&room, "hello\r\n", from: "aaaa-1")
        == ["bbbb-2 guest-aaaa: hello\n", "cccc-3 guest-aaaa: hello\n"])
  }

  @Test func leavingIsTold() {
    var room = Self.room()
    #expect(room.closed("bbbb-2").map(\.text)[0] == "aaaa-1 * guest-bbbb left\n")
    #expect(room.closed("bbbb-2").isEmpty)
    #expect(room.count == 2)
    room.forget("aaaa-1")
    #expect(room.count == 1)
  }

  @Test func aGatewayWithoutEventsIsServedToo() {
    var room = Self.room()
    let heard = hear(&room, "hi\n", from: "dddd-4")
    #expect(heard.contains { $0.hasPrefix("dddd-4 Welcome") })
    #expect(heard.contains("aaaa-1 guest-dddd: hi\n"))
  }

  /// Goal: it does not matter where TCP cut the bytes.
  @Test func linesAreGatheredFromAnyPieces() {
    let text = "eins\nzw\u{f6}lf \u{1f600}\r\n/name ann\ndrei\n"
    let bytes = Array(text.utf8)
    for cut in 0...bytes.count {
      var room = Self.room()
      let pieces = [Array(bytes[..<cut]), Array(bytes[cut...])]
      let heard = pieces.flatMap { room.received($0, from: "aaaa-1") }
        .filter { $0.recipient == "bbbb-2" }.map { String(decoding: $0.bytes, as: UTF8.self) }
      let all =
        "guest-aaaa: eins\nguest-aaaa: zw\u{f6}lf \u{1f600}\n* guest-aaaa is ann now\nann: drei\n"
      #expect(heard.joined() == all, "cut at \(cut)")
    }
  }

  @Test func textIsCleaned() {
    let cases: [([UInt8], String)] = [
      (Array("a\u{1b}[31mb\u{7f}\u{202e}\u{85}c".utf8), "a[31mbc"), (Array("  a\tb  ".utf8), "a b"),
      ([0x61, 0xff, 0x62], "a\u{fffd}b"), ([0x20, 0x0d], ""), ([], ""),
    ]
    for (bytes, shown) in cases { #expect(LineGatherer.clean(bytes) == shown) }
  }

  @Test func aLongLineIsCut() {
    var lines = LineGatherer()
    #expect(lines.append([UInt8](repeating: 0x78, count: 100_000)).isEmpty)
    #expect(lines.append([0x0a, 0x79, 0x0a]) == [String(repeating: "x", count: 1024), "y"])
  }

  /// Goal: a packet of tiny lines, which grow by the name, becomes deliveries of bounded size.
  @Test func deliveriesHaveAnEnd() {
    var room = Self.room()
    let heard = room.received(Array(String(repeating: "a\n", count: 30_000).utf8), from: "aaaa-1")
      .filter { $0.recipient == "bbbb-2" }
    #expect(heard.allSatisfy { $0.bytes.count <= ChatRoom.deliveryBytesMax && $0.bytes.last == 10 })
    #expect(heard.reduce(0) { $0 + $1.bytes.count } == 30_000 * 14)
    #expect(heard.count == 26)
  }

  @Test func namesHaveRules() {
    var room = Self.room()
    #expect(hear(&room, "/name bob\n", from: "aaaa-1").last == "aaaa-1 * You are bob now.\n")
    #expect(hear(&room, "/name bob\n", from: "bbbb-2") == ["bbbb-2 * bob is taken.\n"])
    for bad in ["/name", "/name two words", "/name " + String(repeating: "x", count: 21)] {
      #expect(hear(&room, bad + "\n", from: "bbbb-2").map { $0.contains("one word") } == [true])
    }
    #expect(
      hear(&room, "/who\n", from: "cccc-3") == ["cccc-3 * 3 here: bob, guest-bbbb, guest-cccc\n"])
    #expect(hear(&room, "/quit\n", from: "cccc-3") == ["cccc-3 * There is /name NEW and /who.\n"])
    #expect(hear(&room, "\n \r\n", from: "cccc-3").isEmpty)
  }

  @Test func theRoomHasAnEnd() {
    var room = ChatRoom()
    for index in 0..<ChatRoom.sessionsMax { _ = room.opened("\(index)", resumed: true) }
    #expect(
      hear(&room, "hi\n", from: "late").map { $0.hasPrefix("late * The room is full") } == [true])
    #expect(room.count == ChatRoom.sessionsMax)
    let shown = hear(&room, "/who\n", from: "0")[0]
    #expect(shown.hasSuffix("and \(ChatRoom.sessionsMax - ChatRoom.namesShownMax) more\n"))
  }
}
