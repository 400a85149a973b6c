import Auth
import Testing

/// Goal: the logins of real games can be described.
///
/// Method: packets are put together here from the layouts that the games' sources document.
@Suite struct LoginLayoutTests {
  private func typed(_ value: UInt64, at offset: Int, width: Int = 1) -> [LoginCondition] {
    [.integer(LoginInteger(width: width, endianness: .little), offset: offset, value: value)]
  }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// u16 LE length of all, u8 type, z-strings (OpenTTD 13, network/core/packet.cpp).
  @Test func openTTDClientsNameThemselvesBehindARevision() throws {
    let join = LoginDescription(parts: [
      LoginPart(
        match: typed(2, at: 2),
        fields: [
          LoginField(.attribute("revision"), .zeroTerminated, at: .offset(3)),
          LoginField(.account, .zeroTerminated, at: .afterPrevious(skip: 4)),
          LoginField(
            .attribute("company"), .integer(LoginInteger(width: 1), .decimal)),
        ])
    ])
    let body: [UInt8] = [2] + zeroed("13.0") + little(0xd00d, 4) + zeroed("Anna") + [255, 0]
    let credentials = try #require(
      join.credentials(from: [little(UInt64(body.count + 2), 2) + body]))
    #expect(credentials.account == "Anna")
    #expect(
      credentials.attributes == [
        .init(name: "revision", value: "13.0"), .init(name: "company", value: "255"),
      ])
  }

  @Test func openTTDAdminsGiveAPassword() throws {
    let admin = LoginDescription(parts: [
      LoginPart(
        packet: .ordinal(1), match: typed(0, at: 2),
        fields: [
          LoginField(.secret, .zeroTerminated, at: .offset(3)),
          LoginField(.account, .zeroTerminated),
          LoginField(.attribute("version"), .zeroTerminated),
        ])
    ])
    let body: [UInt8] = [0] + zeroed("secret") + zeroed("bot") + zeroed("1.2")
    let packet = little(UInt64(body.count + 2), 2) + body
    #expect(
      admin.credentials(from: [packet])
        == Credentials(
          account: "bot", secret: bytes("secret"),
          attributes: [.init(name: "version", value: "1.2")]))
    for count in 0..<packet.count {
      #expect(admin.credentials(from: [Array(packet.prefix(count))]) == nil, "\(count)")
    }
  }

  /// FF 3A, u16 LE length, two u32 tokens, 20 bytes of digest, z-string.
  @Test func battleNetNamesTheAccountBehindADigest() throws {
    let logon = LoginDescription(
      parts: [
        LoginPart(
          match: [.bytes([0xff, 0x3a], offset: 0)],
          fields: [
            LoginField(.attribute("digest"), .bytes(20), at: .offset(12)),
            LoginField(.account, .zeroTerminated),
          ])
      ])
    let body = little(7, 4) + little(9, 4) + Array(0..<20) + zeroed("Ben")
    let info: [UInt8] = [0xff, 0x50, 8, 0, 1, 2, 3, 4]
    let credentials = try #require(
      logon.credentials(from: [info, [0xff, 0x3a] + little(UInt64(body.count + 4), 2) + body]))
    #expect(credentials.account == "Ben")
    #expect(credentials.attributes[0].value == "000102030405060708090a0b0c0d0e0f10111213")
  }

  /// u16 BE length of the rest, a word, u8-prefixed texts (crossfire, doc/Developers/protocol.txt).
  @Test func crossfireLogsInAfterAFewWords() {
    let login = LoginDescription(parts: [
      LoginPart(
        match: [.bytes(bytes("accountlogin "), offset: 2)],
        fields: [
          LoginField(.account, .lengthPrefixed(LoginInteger(width: 1)), at: .offset(15)),
          LoginField(.secret, .lengthPrefixed(LoginInteger(width: 1))),
        ])
    ])
    func framed(_ data: [UInt8]) -> [UInt8] { big(UInt64(data.count), 2) + data }
    let packets = [
      framed(bytes("version 1023 1029 client")), framed(bytes("setup map2cmd 1")),
      framed(bytes("accountlogin ") + [4] + bytes("Cleo") + [6] + bytes("secret")),
    ]
    #expect(
      login.credentials(from: packets) == Credentials(account: "Cleo", secret: bytes("secret")))
  }

  /// i32 LE size, id, type 3, password, two zeros (Source RCON).
  @Test func remoteConsolesSendAPasswordAlone() {
    let rcon = LoginDescription(
      parts: [
        LoginPart(
          packet: .ordinal(1), match: typed(3, at: 8, width: 4),
          fields: [LoginField(.secret, .zeroTerminated, at: .offset(12))])
      ], before: .refuse)
    let body = little(17, 4) + little(3, 4) + zeroed("hunter2") + [0]
    #expect(
      rcon.credentials(from: [little(UInt64(body.count), 4) + body])
        == Credentials(secret: bytes("hunter2")))
    let command = little(17, 4) + little(2, 4) + zeroed("stop") + [0]
    #expect(rcon.fault(of: little(UInt64(command.count), 4) + command) == .unexpectedPacket)
  }

  /// Varint lengths; the handshake ends in the next state (wiki.vg, Protocol).
  @Test func minecraftSpreadsItsLoginOverTwoPackets() throws {
    let minecraft = LoginDescription(
      parts: [
        LoginPart(
          packet: .ordinal(1), match: [.bytes([0x00], offset: 1), .bytes([0x02], offset: -1)],
          fields: [
            LoginField(.attribute("host"), .varintPrefixed, at: .offset(4))
          ]),
        LoginPart(
          packet: .ordinal(2), match: [.bytes([0x00], offset: 1)],
          fields: [LoginField(.account, .varintPrefixed, at: .offset(2), bytesMax: 16)]),
      ],
      answers: [
        LoginAnswer(on: .stream([0xfe]), reply: ReplyTemplate(bytes: [0xff])),
        LoginAnswer(
          on: .packet([.bytes([0x00], offset: 1), .bytes([0x01], offset: -1), .byteCount(8...300)]),
          reply: nil, then: .continue),
        LoginAnswer(
          on: .packet([.bytes([1, 0], offset: 0)]), reply: ReplyTemplate(bytes: [2, 0])),
      ])
    func framed(_ data: [UInt8]) -> [UInt8] { [UInt8(data.count)] + data }
    func handshake(_ next: UInt8) -> [UInt8] {
      framed([0, 0xff, 0x05, 12] + bytes("mc.example.z") + big(25_565, 2) + [next])
    }
    let start = framed([0, 4] + bytes("Dora") + Array(repeating: 7, count: 16))
    let credentials = try #require(minecraft.credentials(from: [handshake(2), start]))
    #expect(credentials.account == "Dora")
    #expect(credentials.attributes == [.init(name: "host", value: "mc.example.z")])
    let long = framed([0, 17] + bytes("abcdefghijklmnopq"))
    #expect(minecraft.outcome(of: [handshake(2), long]) == .fault(.fieldTooLong))

    var progress = LoginProgress()
    #expect(progress.take(handshake(1), of: minecraft) == LoginStep(.consume))
    #expect(
      progress.take([1, 0], of: minecraft)
        == LoginStep(.consume, reply: ReplyTemplate(bytes: [2, 0]), next: .close))
    // Who asked for the status has not shaken hands for a login.
    #expect(minecraft.outcome(of: [handshake(1), start]) == .fault(.unexpectedPacket))
  }

  /// i32 BE length of the rest, u16 BE header, u16 BE-prefixed ticket.
  @Test func habboBringsATicket() {
    let sso = LoginDescription(parts: [
      LoginPart(
        match: [.integer(LoginInteger(width: 2), offset: 4, value: 2419)],
        fields: [LoginField(.secret, .lengthPrefixed(LoginInteger(width: 2)), at: .offset(6))])
    ])
    let version = big(4, 4) + big(4000, 2) + big(1, 2)
    let ticket = big(2419, 2) + big(8, 2) + bytes("ST-01-ab")
    #expect(
      sso.credentials(from: [version, big(UInt64(ticket.count), 4) + ticket])
        == Credentials(secret: bytes("ST-01-ab")))
  }

  /// AA 55, u16 LE size of the body, F3, two u16 LE-prefixed texts, 55 AA.
  @Test func knightOnlineMarksBothEnds() {
    let prefix = LoginField.Form.lengthPrefixed(LoginInteger(width: 2, endianness: .little))
    let login = LoginDescription(parts: [
      LoginPart(
        match: [.bytes([0xaa, 0x55], offset: 0), .bytes([0x55, 0xaa], offset: -2)]
          + typed(0xf3, at: 4),
        fields: [
          LoginField(.account, prefix, at: .offset(5), folding: .lower),
          LoginField(.secret, prefix),
        ])
    ])
    let body: [UInt8] = [0xf3] + little(4, 2) + bytes("EMIL") + little(3, 2) + bytes("pWd")
    let packet: [UInt8] = [0xaa, 0x55] + little(UInt64(body.count), 2) + body + [0x55, 0xaa]
    #expect(
      login.credentials(from: [packet]) == Credentials(account: "emil", secret: bytes("pWd")))
    #expect(login.credentials(from: [Array(packet.dropLast())]) == nil)
  }

  /// u16 BE length of all, type 4, z-strings (freeciv 3.0, common/networking/packets.c).
  @Test func freecivSendsThreeStrings() {
    let join = LoginDescription(parts: [
      LoginPart(
        match: [.integer(LoginInteger(width: 1), offset: 2, value: 4)],
        fields: [
          LoginField(.account, .zeroTerminated, at: .offset(3)),
          LoginField(.attribute("capability"), .zeroTerminated),
        ])
    ])
    let body = [4] + zeroed("Fay") + zeroed("+Freeciv-3.0-network") + zeroed("") + big(3, 4)
    #expect(
      join.credentials(from: [big(UInt64(body.count + 2), 2) + body])
        == Credentials(
          account: "Fay", attributes: [.init(name: "capability", value: "+Freeciv-3.0-network")]))
  }

  /// 80, account[30], password[30], one byte: 62 (UO packet guide).
  @Test func ultimaOnlinePadsToThirty() {
    let login = LoginDescription(parts: [
      LoginPart(
        match: [.bytes([0x80], offset: 0), .byteCount(62...62)],
        fields: [
          LoginField(.account, .fixed(width: 30, padding: .zero), at: .offset(1)),
          LoginField(.secret, .fixed(width: 30, padding: .zero)),
        ])
    ])
    // Old clients leave what was in the buffer before behind the first zero.
    let account = padded("Gus", 4) + Array(repeating: 0xcd, count: 26)
    let packet = [0x80] + account + padded("sesame", 30) + [0xff]
    #expect(
      login.credentials(from: [packet]) == Credentials(account: "Gus", secret: bytes("sesame")))
  }

  /// 0064, u32 version, account[24], password[24], type: 55; or 0825 with a token at its end.
  @Test func ragnarokHasSeveralLogins() {
    let login = LoginDescription(parts: [
      LoginPart(
        match: typed(0x0064, at: 0, width: 2), isOptional: true,
        fields: [
          LoginField(.account, .fixed(width: 24, padding: .zero), at: .offset(6)),
          LoginField(.secret, .fixed(width: 24, padding: .zero), at: .offset(30)),
        ]),
      LoginPart(
        match: typed(0x0825, at: 0, width: 2), isOptional: true,
        fields: [
          LoginField(.account, .fixed(width: 24, padding: .zero), at: .offset(9)),
          LoginField(.secret, .rest, at: .offset(0x5c)),
        ]),
    ])
    let old =
      little(0x64, 2) + little(20, 4) + padded("Hedda", 24) + padded("pw", 24) + [1]
    #expect(old.count == 55)
    let hash = little(0x0204, 2) + Array(repeating: 1, count: 16)
    let expected = Credentials(account: "Hedda", secret: bytes("pw"))
    #expect(login.credentials(from: [hash, old]) == expected)
    var new = little(0x0825, 2) + little(0x5c + 2, 2) + Array(repeating: 0, count: 5)
    new += padded("Hedda", 0x5c - 9) + bytes("pw")
    #expect(login.credentials(from: [new]) == expected)
  }

  /// C1, u8 length, F1 01, account[10] and password[10], each XORed with FC CF AB.
  @Test func muHidesItsTextsBehindAShortKey() {
    let key: [UInt8] = [0xfc, 0xcf, 0xab]
    func hidden(_ bytes: [UInt8]) -> [UInt8] {
      bytes.enumerated().map { $1 ^ key[$0 % 3] }
    }
    let login = LoginDescription(parts: [
      LoginPart(
        match: [.bytes([0xf1, 0x01], offset: 2)],
        fields: [
          LoginField(.account, .fixed(width: 10, padding: .zero), at: .offset(4), xor: key),
          LoginField(.secret, .fixed(width: 10, padding: .zero), xor: key),
        ])
    ])
    let body = [0xf1, 0x01] + hidden(padded("Ida", 10)) + hidden(padded("abcdefghij", 10))
    let packet = [0xc1, UInt8(body.count + 2)] + body
    #expect(
      login.credentials(from: [packet])
        == Credentials(account: "Ida", secret: bytes("abcdefghij")))
  }

  /// u16 LE length, opcode, UTF-16LE name with its zero, four u32 from the login server.
  @Test func lineageNamesAreWide() {
    let login = LoginDescription(parts: [
      LoginPart(
        packet: .ordinal(2), match: typed(0x08, at: 2),
        fields: [
          LoginField(.account, .zeroTerminated, at: .offset(3), charset: .utf16le),
          LoginField(.secret, .bytes(16)),
        ])
    ])
    let units = Array("Jörg€".utf16) + [0]
    let name: [UInt8] = units.flatMap { little(UInt64($0), 2) }
    let keys: [UInt8] = [1, 2, 3, 4].flatMap { little(UInt64($0) << 24, 4) }
    let packet = little(UInt64(3 + name.count + 16), 2) + [0x08] + name + keys
    let version = little(6, 2) + [0, 1, 2, 3]
    #expect(
      login.credentials(from: [version, packet]) == Credentials(account: "Jörg€", secret: keys))
  }

  /// Version, encoding << 6 | type, u16 BE length of the body; type 2 brings 16 bytes.
  @Test func vimArcadeSendsRawBytes() {
    let mask = LoginCondition.integer(LoginInteger(width: 1), offset: 1, mask: 0x3f, value: 2)
    let login = LoginDescription(parts: [
      LoginPart(
        packet: .ordinal(1), match: [.bytes([1], offset: 0), mask, .byteCount(20...20)],
        fields: [LoginField(.secret, .bytes(16), at: .offset(4))])
    ])
    let id = Array(UInt8(0)..<16)
    #expect(login.credentials(from: [[1, 0x82, 0, 16] + id]) == Credentials(secret: id))
    #expect(login.fault(of: [2, 0x82, 0, 16] + id) == .unexpectedPacket)
  }

  @Test func dofusEndsMessagesInLineFeedAndZero() {
    let login = LoginDescription(
      parts: [
        LoginPart(fields: [LoginField(.attribute("version"), .line)]),
        LoginPart(fields: [LoginField(.account, .line), LoginField(.secret, .line)]),
      ], isOrdered: true)
    #expect(
      login.credentials(from: [bytes("1.29.1\n\0"), bytes("Karl\n#1abcdef\n\0")])
        == Credentials(
          account: "Karl", secret: bytes("#1abcdef"),
          attributes: [.init(name: "version", value: "1.29.1")]))
  }
}
