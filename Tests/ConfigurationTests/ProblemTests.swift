import Testing

@testable import Configuration

/// Goal: each class of error is found, at its place, under its key, with its suggestion.
@Suite struct ProblemTests {
  /// Method: one key is added to a file that is right, in the table named.
  @Test(arguments: [
    ("adress = 1", "1: error: listener[1].adress: unknown key (did you mean \"address\"?)"),
    ("colour = 1", "1: error: listener[1].colour: unknown key"),
    (
      "idel_timeout = 1",
      "1: error: listener[1].idel_timeout: unknown key"
        + " (did you mean \"idle_timeout\"?)"
    ),
    ("\"a b\\n\" = 1", "1: error: listener[1].\"a b\\u{a}\": unknown key"),
    ("[listener.limit]", "11: error: listener[1].limit: unknown table (did you mean \"limits\"?)"),
    ("pool = 5", "8: error: listener[1].pool: found an integer; expected a pool's name"),
    (
      "pool = \"defualt\"",
      "8: error: listener[1].pool: no pool is named \"defualt\"; expected "
        + "\"default\" (did you mean \"default\"?)"
    ),
    ("name = \"\"", "8: error: listener[1].name: the string is empty; expected 1 to 64 bytes"),
    ("name = \"a\\u0007\"", "8: error: listener[1].name: the string has a control character in it"),
    (
      "name = \"ä\"",
      "8: error: listener[1].name: \"ä\" is not a name; expected 1 to 64 letters, "
        + "digits, \"-\", \"_\" or \".\""
    ),
    (
      "framer = \"rwa\"",
      "10: error: listener[1].framer: no framer is named \"rwa\"; expected "
        + "\"raw\", the NAME of a [framer.NAME] table, or a ready-made framer (gatehouse framer "
        + "list shows them) (did you mean \"raw\"?)"
    ),
    (
      "framer = true",
      "10: error: listener[1].framer: found a boolean; expected a framer's name, "
        + "or { kind = … }"
    ),
    (
      "framer = {}",
      "10: error: listener[1].framer.kind: missing; expected \"raw\", "
        + "\"length-prefix\", \"delimiter\", \"fixed\", \"table\", \"switch\", \"sequence\" or "
        + "\"plugin\""
    ),
    ("framer = { kind = \"raw\", max = 1 }", "26: error: listener[1].framer.max: unknown key"),
    (
      "framer = { kind = \"length-prefix\", width = 5 }",
      "44: error: listener[1].framer.width: it does not fit the other keys; expected 1, 2, 3, 4 "
        + "or 8"
    ),
    (
      "framer = { kind = \"length-prefix\", endian = \"litle\" }",
      "45: error: listener[1].framer.endian: \"litle\" is not one of its values; expected \"big\" "
        + "or \"little\" (did you mean \"little\"?)"
    ),
    (
      "framer = { kind = \"length-prefix\", offset = 65 }",
      "45: error: listener[1].framer.offset: 65 is out of range; expected an integer from 0 to 64"
    ),
    (
      "framer = { kind = \"length-prefix\", width = 8, max = 7 }",
      "53: error: listener[1].framer.max: it does not fit the other keys; expected at least the 8 "
        + "bytes of the packet's header, and at most 64MiB"
    ),
    (
      "framer = { kind = \"length-prefix\", max = \"4MiB\" }",
      "10: error: listener[1].framer: its packets of up to 4MiB do not fit limits.message_size, "
        + "which is 4MiB; expected message_size to be at least 256 bytes more than the framer's "
        + "max"
    ),
    (
      "idle_timeout = \"5min\"",
      "16: error: listener[1].idle_timeout: \"5min\" is not a duration; "
        + "expected \"500ms\", \"10s\", \"5m\", \"1h\", \"7d\" or a whole number of seconds"
    ),
    (
      "idle_timeout = 0",
      "16: error: listener[1].idle_timeout: 0 is out of range; expected 1s to "
        + "30d"
    ),
    (
      "idle_timeout = -1",
      "16: error: listener[1].idle_timeout: -1 is out of range; expected 1s "
        + "to 30d"
    ),
    (
      "idle_timeout = 9223372036854775807",
      "16: error: listener[1].idle_timeout: "
        + "9223372036854775807 is out of range; expected 1s to 30d"
    ),
    (
      "idle_timeout = \"99999999999999999h\"",
      "16: error: listener[1].idle_timeout: "
        + "\"99999999999999999h\" is out of range; expected 1s to 30d"
    ),
    (
      "idle_timeout = 1.5",
      "16: error: listener[1].idle_timeout: found a float; expected a "
        + "duration such as \"10s\", or a whole number of seconds"
    ),
    (
      "idle_timeout = 2024-01-01",
      "16: error: listener[1].idle_timeout: found a date or time; "
        + "expected a duration such as \"10s\", or a whole number of seconds"
    ),
    (
      "keepalive = \"1500ms\"",
      "13: error: listener[1].keepalive: 1500ms is not a whole number of "
        + "seconds; expected whole seconds, or 0 to switch probes off"
    ),
  ])
  func inAListener(line: String, problem: String) {
    #expect(problems("[[listener]]\naddress = \"h:7999\"\n\(line)\n[[pool]]") == ["f:3:" + problem])
  }

  @Test(arguments: [
    ("\"0.0.0.0\"", "\"0.0.0.0\" has no port"),
    ("\":7999\"", "the host is empty (0.0.0.0 means every IPv4 address)"),
    ("\"h:0\"", "\"0\" is not a port (1 to 65535)"),
    ("\"h:65536\"", "\"65536\" is not a port (1 to 65535)"),
    ("\"h:+1\"", "\"+1\" is not a port (1 to 65535)"),
    ("\"256.0.0.1:1\"", "\"256.0.0.1\" is not an IPv4 address"),
    ("\"[::g]:1\"", "\"::g\" is not an IPv6 address"),
    ("\"[::1]\"", "no \"]:\" ends the IPv6 address"),
    ("\"a b:1\"", "\"a b\" is not a host name"),
    ("\"\\u0000:1\"", "\"\\u{0}\" is not a host name"),
    ("7999", "found an integer"),
  ])
  func inAnAddress(value: String, message: String) {
    #expect(
      problems("[[listener]]\naddress = \(value)\n[[pool]]") == [
        "f:2:11: error: listener[1].address: \(message); expected \(TableReader.addressExpected)"
      ])
  }

  @Test func anAddressWithoutBracketsIsSuggestedWithThem() {
    #expect(
      problems("[[pool]]\n[[listener]]\naddress = \"::1:7999\"") == [
        "f:3:11: error: listener[1].address: \"::1:7999\" has an IPv6 address without brackets; "
          + "expected \(TableReader.addressExpected) (did you mean \"[::1]:7999\"?)"
      ])
  }

  @Test(arguments: [
    (
      "",
      [
        "f:1:1: error: listener: missing; expected at least one [[listener]]",
        "f:1:1: error: pool: missing; expected at least one [[pool]]",
      ]
    ),
    (
      "listener = []\npool = 1",
      [
        "f:1:12: error: listener: the list is empty; expected at least one [[listener]]",
        "f:2:8: error: pool: found an integer; expected tables: [[pool]]",
      ]
    ),
    (
      "listener = [1, { address = \"h:1\" }]\n[[pool]]",
      [
        "f:1:13: error: listener[1]: found an integer; expected a table: [[listener]]"
      ]
    ),
    (
      "[[listner]]\n[[pool]]", ["f:1:3: error: listner: unknown table (did you mean \"listener\"?)"]
    ),
    (
      "[listener]\n[[pool]]",
      [
        "f:1:1: error: listener: found a table; expected [[listener]], in double brackets"
      ]
    ),
    (
      "[[listener]]\n[[pool]]",
      [
        "f:1:1: error: listener[1].address: missing; expected \(TableReader.addressExpected)"
      ]
    ),
  ])
  func whatIsMissing(text: String, expected: [String]) {
    #expect(problems(text) == expected)
  }

  @Test(arguments: [
    ("a = \"x", "f:1:7: error: Error while parsing string: encountered end-of-file"),
    (
      "a = 1\na = 2",
      "f:2:5: error: Error while parsing key-value pair: cannot redefine existing integer 'a'"
    ),
    (
      "é = 1",
      "f:1:1: error: Error while parsing root table: expected keys, tables, whitespace or "
        + "comments, saw 'é'"
    ),
    (
      "a = [1, }",
      "f:1:9: error: Error while parsing value: could not determine value type"
    ),
    (
      "a = 1979-05-27T:30:00",
      "f:1:16: error: Error while parsing time: expected 2-digit hour, saw ':'"
    ),
    (
      "[=]",
      "f:1:2: error: Error while parsing key: expected bare key starting character or "
        + "string delimiter, saw '='"
    ),
    ("a = 1\n# \u{0}", "f:2:3: error: the file contains a NUL byte"),
  ])
  func inTheSyntax(text: String, problem: String) {
    #expect(problems(text) == [problem])
  }

  @Test func theTokenIsNotShown() {
    let secret = "short"
    for value in ["\"\(secret)\"", "\"\(secret) and with spaces\"", "\"\(secret)äääääääääääää\""] {
      let found = problems(minimalText + "\n[management]\ntoken = \(value)")
      #expect(found.count == 1)
      #expect(found.allSatisfy { $0.hasPrefix("f:7:9: error: management.token: ") })
      #expect(found.allSatisfy { !$0.contains(secret) })
    }
    #expect(
      problems(minimalText + "\n[management]\ntoken = \"0123456789abcdef\"\ntoken_file = \"t\"")
        == [
          "f:8:14: error: management.token_file: there is a token already; expected \"token\" or "
            + "\"token_file\""
        ])
  }
}
