import Auth
import Testing

/// Goal: logins that are lines of text, over one packet or several.
@Suite struct LoginLineTests {
  private let irc = LoginDescription(
    parts: [
      LoginPart(
        match: [.text("PASS ", ignoresCase: true)], isOptional: true,
        fields: [LoginField(.secret, .word(2, toEnd: true), prefixToStrip: ":")]),
      LoginPart(
        match: [.text("NICK ", ignoresCase: true)],
        fields: [LoginField(.account, .word(2, toEnd: false), prefixToStrip: ":")]),
      LoginPart(
        match: [.text("USER ", ignoresCase: true)],
        fields: [
          LoginField(.attribute("user"), .word(2, toEnd: false)),
          LoginField(
            .attribute("real-name"), .word(5, toEnd: true), at: .offset(0), prefixToStrip: ":"),
        ]),
    ],
    answers: [
      LoginAnswer(
        on: .packet([.text("CAP LS")]), reply: ReplyTemplate(bytes: Array("CAP * LS :\r\n".utf8)),
        then: .continue)
    ])

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test(arguments: [
    ["PASS :a b\r\n", "NICK anna\r\n", "USER u 0 * :Anna  Lee\r\n"],
    ["user u 0 * :Anna  Lee\n", "CAP LS 302\r\n", "PASS a b\n", "nick  :anna\n"],
  ])
  func ircLinesComeInAnyOrder(lines: [String]) {
    #expect(
      irc.credentials(from: lines.map(bytes))
        == Credentials(
          account: "anna", secret: bytes("a b"),
          attributes: [
            .init(name: "user", value: "u"), .init(name: "real-name", value: "Anna  Lee"),
          ]))
  }

  @Test func aPartThatComesTwiceIsAFault() {
    var progress = LoginProgress()
    #expect(progress.take("NICK anna\r\n", of: irc) == LoginStep(.identity))
    #expect(progress.take("NICK root\r\n", of: irc).next == .fault(.repeatedPacket))
  }

  @Test func otherLinesWaitOrGoOnOrAreRefused() {
    for (before, step) in [
      (LoginDescription.Before.hold, LoginStep(.hold)), (.forward, LoginStep(.forward)),
      (.refuse, LoginStep(.consume, next: .fault(.unexpectedPacket))),
    ] {
      let description = LoginDescription(parts: irc.parts, before: before)
      var progress = LoginProgress()
      #expect(progress.take("MODE x\r\n", of: description) == step)
    }
  }

  @Test func ficsAsksForNameThenPassword() throws {
    let prompt = try ReplyTemplate(text: "password: ")
    let fics = LoginDescription(
      parts: [
        LoginPart(fields: [LoginField(.account, .line)], reply: prompt),
        LoginPart(fields: [LoginField(.secret, .line)]),
      ], isOrdered: true, greeting: try ReplyTemplate(text: "login: "))
    var progress = LoginProgress()
    #expect(progress.take("Lena\r\n", of: fics) == LoginStep(.identity, reply: prompt))
    #expect(
      progress.take("pa ss\n", of: fics).next
        == .complete(Credentials(account: "Lena", secret: bytes("pa ss"))))
    #expect(fics.fault(of: bytes("\r\n")) == .missingField)
  }

  @Test func mudsConnectInOneLine() {
    let mud = LoginDescription(
      parts: [
        LoginPart(
          match: [.text("connect ")],
          fields: [
            LoginField(.account, .word(2, toEnd: false)),
            LoginField(.secret, .word(3, toEnd: false), at: .offset(0)),
          ])
      ])
    let expected = Credentials(account: "Max", secret: bytes("pw"))
    #expect(mud.credentials(from: [bytes("connect Max pw\r\n")]) == expected)
    #expect(mud.credentials(from: [bytes("connect \t Max   pw and more\nlook\n")]) == expected)
    #expect(mud.fault(of: bytes("connect Max\nlook\n")) == .missingField)
  }

  @Test func gameSpyAlternatesKeysAndValues() {
    func field(_ target: LoginField.Target, _ key: String) -> LoginField {
      LoginField(
        target, .pair(key: key, valueSeparator: [0x5c], pairSeparator: [0x5c]), at: .offset(0))
    }
    let login = LoginDescription.fields(
      field(.account, "uniquenick"), field(.secret, "response"))
    let text = #"\login\\challenge\response\uniquenick\Nora\response\abc\id\1\final\"#
    #expect(
      login.credentials(from: [bytes(text)])
        == Credentials(account: "Nora", secret: bytes("abc")))
    #expect(
      login.fault(of: bytes(#"\uniquenick\a\response\b\uniquenick\c\final\"#)) == .repeatedField)
    #expect(login.fault(of: bytes(#"\login\uniquenick\response\b"#)) == .missingField)
  }

  @Test func pairsHaveTheirSeparators() {
    func field(_ key: String) -> LoginField {
      LoginField(
        .attribute(key), .pair(key: key, valueSeparator: [0x3d], pairSeparator: [0x3b]),
        at: .offset(0), isOptional: true)
    }
    let description = LoginDescription.fields(field("a"), field("b"), field("c"))
    let credentials = description.credentials(from: [bytes("c;a=1=2;b=;d=c=3\r\n")])
    #expect(
      credentials?.attributes == [.init(name: "a", value: "1=2"), .init(name: "b", value: "")])
  }

  @Test func partsStandBetweenDelimiters() {
    func field(_ name: String, _ number: Int) -> LoginField {
      LoginField(
        .attribute(name), .split(number, delimiter: [1]), at: .offset(1), isOptional: true)
    }
    // ICB: 'a', then fields split by 01.
    let icb = LoginDescription.fields(field("id", 1), field("nick", 2), field("no", 4))
    #expect(
      icb.credentials(from: [bytes("auid\u{1}olga\u{1}1\0")])?.attributes == [
        .init(name: "id", value: "uid"), .init(name: "nick", value: "olga"),
      ])
  }

  /// What MUD clients put around their lines (RFC 854, RFC 855).
  @Test func telnetCommandsAreReadOver() {
    let mud = LoginDescription(
      parts: [
        LoginPart(
          match: [.text("connect ")],
          fields: [LoginField(.account, .word(2, toEnd: false), charset: .latin1)])
      ], isTelnet: true, before: .refuse)
    let commands: [UInt8] = [
      255, 251, 31, 255, 250, 31, 10, 80, 255, 255, 0, 24, 255, 240, 255, 241,
    ]
    var progress = LoginProgress()
    #expect(progress.take(commands, of: mud) == LoginStep(.hold))
    let line = commands + bytes("conn") + commands + bytes("ect M") + [255, 255] + bytes(" x\r\n")
    #expect(progress.take(line, of: mud).next == .complete(Credentials(account: "Mÿ")))
    // A command that the packet's end cuts off holds nothing of a line.
    for count in 1..<commands.count {
      #expect(
        mud.credentials(from: [bytes("connect Max") + commands.prefix(count)])?.account == "Max",
        "\(count)")
    }
    #expect(mud.fault(of: bytes("look\n")) == .unexpectedPacket)
  }
}
