import Testing

@testable import Commands

@Suite struct TextTests {
  @Test(arguments: [
    ("30s", 30), ("15m", 900), ("12h", 43_200), ("7d", 604_800), ("4w", 2_419_200),
    ("1d12h", 129_600), ("1w1d1h1m1s", 694_861), ("0d5s", 5), ("5000w", 3_024_000_000),
  ])
  func durationsAreRead(text: String, seconds: Int64) {
    #expect(DurationText.parse(text) == seconds)
  }

  @Test(arguments: [
    "", "7", "d", "0s", "-1d", "1.5h", "1h1d", "1d1d", "1 d", "1y", "1D", "9999999999999d",
    "999999999999w", "36601d", "１d",
  ])
  func otherDurationsAreRefused(text: String) { #expect(DurationText.parse(text) == nil) }

  @Test(arguments: [
    (0, "0s"), (59, "59s"), (60, "1m"), (3_661, "1h 1m"), (90_000, "1d 1h"), (86_401, "1d"),
    (-5, "0s"), (31_536_000, "365d"),
  ])
  func durationsAreShown(seconds: Int64, text: String) {
    #expect(DurationText.describe(seconds) == text)
  }

  @Test func momentsAreShown() {
    #expect(TimeText.describe(0) == "1970-01-01T00:00:00Z")
    #expect(TimeText.describe(1_800_000_000) == "2027-01-15T08:00:00Z")
    #expect(TimeText.describe(.min) == "1970-01-01T00:00:00Z")
    #expect(TimeText.describe(.max) == "9999-12-31T23:59:59Z")
    #expect(TimeText.end(nil, now: 0) == "for ever")
    #expect(TimeText.end(90, now: 0) == "until 1970-01-01T00:01:30Z, 1m 30s from now")
    #expect(TimeText.end(90, now: 90) == "until 1970-01-01T00:01:30Z, over")
  }

  @Test func tablesAreAligned() {
    var table = TextTable(["A", "LONGER", "C"])
    table.add(["wide cell", "x", ""])
    table.add(["é\u{1b}", "", "end"])
    #expect(
      table.text == """
        A          LONGER  C
        wide cell  x       -
        é\\u001b    -       end

        """)
  }

  /// Goal: what is shown can be copied into a shell and means the same.
  @Test(arguments: [
    ("192.0.2.0/24", "192.0.2.0/24"), ("account:anna", "account:anna"), ("", "''"),
    ("a b", "'a b'"), ("it's", #"'it'\''s'"#), ("$(x)", "'$(x)'"), ("*", "'*'"), ("é", "'é'"),
  ])
  func shellWords(text: String, word: String) { #expect(shellWord(text) == word) }

  @Test func onlyWhatATerminalObeysIsWrittenOut() {
    #expect(visible(#"a "quoted" \ name"#) == #"a "quoted" \ name"#)
    #expect(visible("a\nb") == #"a\nb"#)
    #expect(visible("a\u{9b}b") == #"a\u009bb"#)
    #expect(visible("a\u{202e}b") == #"a\u202eb"#)
  }
}
