import Auth
import Testing

@testable import Configuration

/// Goal: a login reads from TOML as it is described, and what is wrong is said with its place.
@Suite struct LoginReaderTests {
  private func read(
    _ text: String
  ) throws -> (login: LoginDescription?, problems: [String]) {
    let node = try TomlNode.parse(Array(text.utf8)).get()
    guard case .table(let table) = node.value else { return (nil, []) }
    var reader = TableReader(table, path: "auth", position: node.position)
    let login = readLogin(&reader)
    return (login, reader.finish().map(\.description))
  }

  /// The problems of one field's keys; the field is named `a` and has a line to itself.
  private func fieldProblems(_ keys: String) throws -> [String] {
    try read("[[packet]]\n[[packet.field]]\nname = \"a\"\n\(keys)").problems
  }

  @Test func nothingSaidMeansTheFirstPacket() throws {
    let (login, problems) = try read("")
    #expect(login == LoginDescription() && problems == [])
  }

  @Test func aPasswordLoginReadsAsItLooks() throws {
    let (login, problems) = try read(
      """
      before = "refuse"
      packets_max = 3
      bytes_max = "1KiB"
      ordered = true
      telnet = true
      greeting = { hex = "c1 04 f1 00" }
      [[packet]]
      number = 2
      match = [{ bytes = "80 ff" }, { offset = -2, value = 0x0201, width = 2, endian = "little" }]
      optional = true
      reply = 'ok\\n'
      [[packet.field]]
      name = "account"
      kind = "fixed"
      offset = 1
      width = 30
      pad = "space"
      case = "lower"
      [[packet.field]]
      name = "password"
      kind = "length-prefixed"
      width = 2
      skip = 4
      xor = "fccfab"
      charset = "cp1252"
      max = 20
      optional = true
      [[packet]]
      match = { text = "NICK ", ignore_case = true }
      """)
    #expect(problems == [])
    let expected = LoginDescription(
      parts: [
        LoginPart(
          packet: .ordinal(2),
          match: [
            .bytes([0x80, 0xff], offset: 0),
            .integer(
              LoginInteger(width: 2, endianness: .little), offset: -2, mask: .max, value: 0x0201),
          ],
          isOptional: true,
          fields: [
            LoginField(
              .account, .fixed(width: 30, padding: .space), at: .offset(1), folding: .lower,
              bytesMax: 256),
            LoginField(
              .secret, .lengthPrefixed(LoginInteger(width: 2)), at: .afterPrevious(skip: 4),
              charset: .cp1252, xor: [0xfc, 0xcf, 0xab], bytesMax: 20, isOptional: true),
          ],
          reply: try ReplyTemplate(text: "ok\n")),
        LoginPart(match: [.text("NICK ", ignoresCase: true)]),
      ],
      isOrdered: true, isTelnet: true, greeting: try ReplyTemplate(hex: "c104f100"),
      before: .refuse,
      packetsMax: 3, bytesMax: 1024)
    #expect(login == expected)
  }

  @Test func everyKindHasItsKeys() throws {
    let table: [(keys: String, form: LoginField.Form, start: LoginField.Start)] = [
      (#"kind = "fixed", width = 8"#, .fixed(width: 8, padding: .zero), .afterPrevious(skip: 0)),
      (#"kind = "zero-terminated", offset = 3"#, .zeroTerminated, .offset(3)),
      (
        #"kind = "length-prefixed", width = 1"#, .lengthPrefixed(LoginInteger(width: 1)),
        .afterPrevious(skip: 0)
      ),
      (#"kind = "varint-prefixed""#, .varintPrefixed, .afterPrevious(skip: 0)),
      (
        #"kind = "integer", width = 4, endian = "little", as = "hex""#,
        .integer(LoginInteger(width: 4, endianness: .little), .hex), .afterPrevious(skip: 0)
      ),
      (#"kind = "bytes", width = 16, offset = -16"#, .bytes(16), .offset(-16)),
      (#"kind = "word", number = 2"#, .word(2, toEnd: false), .offset(0)),
      (#"kind = "word", number = 5, to_end = true"#, .word(5, toEnd: true), .offset(0)),
      (#"kind = "line""#, .line, .afterPrevious(skip: 0)),
      (
        #"kind = "key-value", key = "k", value_separator = "=", pair_separator = { hex = "01" }"#,
        .pair(key: "k", valueSeparator: [0x3d], pairSeparator: [1]), .offset(0)
      ),
      (
        #"kind = "split", number = 2, delimiter = "\t", skip = 1"#,
        .split(2, delimiter: [9]), .afterPrevious(skip: 1)
      ),
      (#"kind = "rest""#, .rest, .afterPrevious(skip: 0)),
    ]
    for (keys, form, start) in table {
      let (login, problems) = try read("packet = [{ field = [{ name = \"a\", \(keys) }] }]")
      #expect(problems == [], "\(keys)")
      #expect(login?.parts[0].fields[0].form == form, "\(keys)")
      #expect(login?.parts[0].fields[0].start == start, "\(keys)")
    }
  }

  @Test func namesSayWhatAFieldBecomes() throws {
    for (name, target) in [
      ("account", LoginField.Target.account), ("password", .secret), ("token", .secret),
      ("ticket", .secret), ("secret", .secret), ("client.os", .attribute("client.os")),
    ] {
      let text = "packet = [{ field = [{ name = \"\(name)\", kind = \"rest\" }] }]"
      #expect(try read(text).login?.parts[0].fields[0].target == target)
    }
  }

  @Test func answersAreToFirstBytesOrToAPacket() throws {
    let (login, problems) = try read(
      """
      [[answer]]
      first_bytes = "<policy-file-request/>\\u0000"
      reply = '<cross-domain-policy/>\\0'
      [[answer]]
      first_bytes = { hex = "fe" }
      then = "continue"
      [[answer]]
      match = { length = 2 }
      reply = { text = "{now:u32le}" }
      [[answer]]
      match = { length = { min = 1, max = 9 } }
      """)
    #expect(problems == [])
    #expect(
      login?.answers == [
        LoginAnswer(
          on: .stream(Array("<policy-file-request/>\0".utf8)),
          reply: try ReplyTemplate(text: "<cross-domain-policy/>\\0")),
        LoginAnswer(on: .stream([0xfe]), reply: nil, then: .continue),
        LoginAnswer(
          on: .packet([.byteCount(2...2)]), reply: try ReplyTemplate(text: "{now:u32le}")),
        LoginAnswer(on: .packet([.byteCount(1...9)]), reply: nil),
      ])
  }

  @Test func wrongFieldsAreExplained() throws {
    #expect(
      try fieldProblems("kind = \"fixed\"\nwidht = 3")
        == [
          ":4:1: error: auth.packet[1].field[1].widht: unknown key (did you mean \"width\"?)"
        ].map { $0.replacing(":4:", with: ":5:") })
    #expect(
      try fieldProblems("kind = \"bytes\"") == [
        ":2:1: error: auth.packet[1].field[1].width: missing; expected a number of bytes"
      ])
    #expect(
      try fieldProblems("kind = \"lines\"").first?.hasSuffix("(did you mean \"line\"?)") == true)
    #expect(try fieldProblems("").count == 1)
    #expect(try fieldProblems("kind = \"rest\"\npad = \"zero\"").count == 1)
    #expect(try fieldProblems("kind = \"rest\"\noffset = 1\nskip = 1").count == 1)
    #expect(
      try fieldProblems("kind = \"rest\"\nxor = \"f\"") == [
        ":5:7: error: auth.packet[1].field[1].xor: \"f\" is not bytes in hex; "
          + "expected pairs of hex digits, spaces allowed between them"
      ])
    #expect(try fieldProblems("kind = \"rest\"\nxor = \"\"").count == 1)
    #expect(try fieldProblems("kind = \"rest\"\nmax = 257").count == 1)
    #expect(try fieldProblems("kind = \"integer\"\nwidth = 5").count == 1)
    #expect(try fieldProblems("kind = \"integer\"\nwidth = 4\ncase = \"lower\"").count == 1)
    #expect(
      try fieldProblems("kind = \"rest\"\n[[packet.field]]\nname = \"a\"\nkind = \"rest\"") == [
        ":2:1: error: auth.packet[1].field: two fields are named \"a\"; "
          + "expected one of a name in a packet"
      ])
  }

  @Test func wrongConditionsAreExplained() throws {
    let table: [(match: String, problem: String)] = [
      ("{}", "missing; expected one of bytes, value, text and length"),
      ("{ bytes = \"00\", text = \"a\" }", "a condition has one kind alone; expected one of"),
      ("{ value = 256 }", "256 is out of range; expected an integer from 0 to 255"),
      ("{ value = 3, mask = 2 }", "3 has bits that mask = 2 takes away"),
      ("{ text = \"\" }", "the string is empty"),
      ("{ length = { min = 3, max = 2 } }", "2 is less than min"),
      ("{ text = \"a\", mask = 1 }", "unknown key"),
      ("[]", "the list has 0 conditions"),
      ("\"ff\"", "found a string; expected a table such as"),
    ]
    for (match, problem) in table {
      let (login, problems) = try read("packet = [{ match = \(match) }]")
      #expect(login == nil && problems.count == 1, "\(match) \(problems)")
      #expect(problems.first?.contains(problem) == true, "\(match) \(problems)")
    }
  }

  @Test func wrongRepliesAndAnswersAreExplained() throws {
    let table: [(text: String, problem: String)] = [
      (
        "greeting = \"x{reson}\"",
        ":1:12: error: auth.greeting: character 3: no field is named \"reson\"; expected reason,"
      ),
      ("greeting = { hex = \"c\" }", ":1:20: error: auth.greeting.hex: character 2: the end"),
      ("greeting = { hexes = \"c\" }", "auth.greeting: the table is not a reply or bytes"),
      ("greeting = 1", "auth.greeting: found an integer; expected a text,"),
      ("answer = [{}]", "auth.answer[1].first_bytes: one of first_bytes and match"),
      (
        "answer = [{ first_bytes = \"a\", match = { length = 1 } }]",
        "auth.answer[1].first_bytes: one of"
      ),
      (
        "answer = [{ first_bytes = \"\" }]",
        "auth.answer[1].first_bytes: 0 bytes; expected 1 to 256"
      ),
      ("packets_max = 0", "auth.packets_max: 0 is out of range"),
      ("before = \"holds\"", "(did you mean \"hold\"?)"),
      ("packet = [{ number = 0 }]", "auth.packet[1].number: 0 is out of range"),
    ]
    for (text, problem) in table {
      let (login, problems) = try read(text)
      #expect(login == nil && problems.count == 1, "\(text) \(problems)")
      #expect(problems.first?.contains(problem) == true, "\(text) \(problems)")
    }
    let many = String(repeating: "[[packet]]\n", count: 33)
    #expect(try read(many).problems == [":1:1: error: auth.packet: more than 32 of them"])
  }

  /// Goal: whatever stands in a line, the login is read or something is said to be wrong with it.
  ///
  /// Method: each line of the reference's examples is left out, and gets values of every type.
  @Test func everyLineCanBeWrong() throws {
    let values = [
      "-1", "0", "9223372036854775807", "-9223372036854775808", "\"\"", "\"{\"", "true", "{}", "[]",
      "[{}]", "[[]]", "{ hex = \"\" }", "{ hex = \"0\" }", "{ text = 1 }", "1979-05-27", "0.5",
    ]
    let text = try contents(of: "docs/authentication.md")
    var counts = (read: 0, refused: 0)
    for block in text.split(separator: "```toml\n").dropFirst() {
      let example = block.prefix(upTo: block.firstRange(of: "```")?.lowerBound ?? block.endIndex)
      let lines = example.split(separator: "\n").drop { $0 != "[listener.auth]" }.dropFirst()
        .map { String($0).replacing("[listener.", with: "[").replacing("[auth.", with: "[") }
        .prefix { !$0.hasPrefix("[refusal") }
      for index in lines.indices where lines[index].contains(" = ") {
        let key = lines[index].prefix { $0 != "=" }
        for changed in [""] + values.map({ key + "= " + $0 }) {
          var lines = lines
          lines[index] = changed
          guard case .success(let node) = TomlNode.parse(Array(lines.joined(separator: "\n").utf8)),
            case .table(let table) = node.value
          else { continue }
          var reader = TableReader(table, path: "auth", position: node.position)
          let login = readLogin(&reader)
          let problems = reader.finish(ignoresUnknown: true)
          #expect((login == nil) == !problems.isEmpty, "\(lines) \(problems)")
          counts.read += login == nil ? 0 : 1
          counts.refused += login == nil ? 1 : 0
        }
      }
    }
    #expect(counts.read > 30 && counts.refused > 200)
  }
}
