import Testing

@testable import Configuration

@Suite struct ProblemListTests {
  @Test func everythingWrongIsListedAtOnceInTheOrderOfTheFile() {
    let text = """
      shutdown_grace = "2 hours"
      [[pool]]
      name = "game"
      [[pool.worker]]
      address = "w:1"
      alive_timeout = "1ms"
      [[pool]]
      name = "game"
      balance = "sesion"
      [[pool.worker]]
      address = "W:1"
      [[listener]]
      name = "one"
      address = "127.0.0.1:7999"
      [[listener]]
      name = "one"
      address = "0.0.0.0:7999"
      pool = "gaem"
      [framer.raw]
      kind = "raw"
      [framer."a b"]
      kind = "lenght-prefix"
      max = 1
      [limits]
      client_queue = "2MiB"
      client_queue_total = "1MiB"
      """
    #expect(
      problems(text).map { String($0.prefix { $0 != ";" && $0 != "(" }) } == [
        "f:1:18: error: shutdown_grace: \"2 hours\" is not a duration",
        "f:6:17: error: pool[1].worker[1].alive_timeout: \"1ms\" is out of range",
        "f:8:8: error: pool[2].name: another pool is named \"game\"",
        "f:9:11: error: pool[2].balance: \"sesion\" is not one of its values",
        "f:11:11: error: pool[2].worker[1].address: pool \"game\" has a worker at W:1 already",
        "f:12:1: error: listener[1].pool: missing, and there is more than one pool",
        "f:16:8: error: listener[2].name: another listener is named \"one\"",
        "f:17:11: error: listener[2].address: 0.0.0.0:7999 is taken by listener[1].address ",
        "f:18:8: error: listener[2].pool: no pool is named \"gaem\"",
        "f:19:9: error: framer.raw: \"raw\" is built in",
        "f:21:9: error: framer.\"a b\": not a name",
        "f:22:8: error: framer.\"a b\".kind: \"lenght-prefix\" is not one of its values",
        "f:26:22: error: limits.client_queue_total: it is less than client_queue",
      ])
  }

  @Test func oneAddressCannotBeListenedOnTwice() {
    let text = minimalText + "\n[[listener]]\naddress = \"127.0.0.1:7999\"\n"
    #expect(
      problems(text) == [
        "f:7:11: error: listener[2].address: 127.0.0.1:7999 is taken by listener[1].address "
          + "(0.0.0.0:7999, line 2); expected an address or a port of its own"
      ])
    #expect(
      problems(minimalText + "\n[management]\naddress = \"127.0.0.1:7999\"\n") == [
        "f:7:11: error: management.address: 127.0.0.1:7999 is taken by listener[1].address "
          + "(0.0.0.0:7999, line 2); expected an address or a port of its own"
      ])
  }

  @Test func aListOfProblemsEnds() {
    let keys = (0..<5_000).map { "k\($0) = 1\n" }.joined()
    let found = problems(keys + minimalText)
    #expect(found.count == ConfigurationLoader.problemsMax)
    let listeners = (0..<300).map { "[[listener]]\naddress = \"h:0\"\nx\($0) = 1\n" }.joined()
    let more = problems(listeners + "[[pool]]")
    #expect(more.count == ConfigurationLoader.problemsMax + 1)
    #expect(more.last == "f:152:11: error: more problems follow; these 100 are listed")
  }

  @Test func aProblemIsOneLineWhateverTheFileHolds() {
    let found = problems("[[pool]]\n[[listener]]\naddress = \"\\n\\u001b[31m\\u202e:x\"")
    #expect(
      found == [
        "f:3:11: error: listener[1].address: \"\\u{a}\\u{1b}[31m\\u{202e}\" is not a host name; "
          + "expected \(TableReader.addressExpected)"
      ])
  }
}
