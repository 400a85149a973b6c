import Auth
import Primitives
import Testing

@testable import Store

/// Goal: lists of bans in every format mean what they say, and a bad line is named by its number.
@Suite struct BanListTests {
  /// Entries and problems, one a line.
  private func read(
    _ bytes: [UInt8], _ format: BanListFormat, pieces: (Int) -> Int = { _ in 65_536 }
  ) -> [String] {
    var reader = BanListReader(format: format)
    var lines: [String] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + max(1, pieces(start)))
      reader.feed(bytes[start..<end])
      start = end
      while let result = reader.next() { lines.append(described(result)) }
    }
    reader.finish()
    while let result = reader.next() { lines.append(described(result)) }
    return lines
  }

  private func read(_ text: String, _ format: BanListFormat) -> [String] {
    read(Array(text.utf8), format)
  }

  private func described(_ result: Result<BanListEntry, BanListProblem>) -> String {
    switch result {
    case .failure(let problem): return "\(problem)"
    case .success(let entry):
      var text =
        switch entry.subject {
        case .addresses(let prefix): prefix.description
        case .account(let name): "account:\(name.text)"
        }
      if let effect = entry.effect { text += " \(effect.rawValue)" }
      if let listener = entry.listener { text += " on \(listener)" }
      if !entry.shownReason.isEmpty { text += " reason=\(entry.shownReason)" }
      if !entry.internalReason.isEmpty { text += " note=\(entry.internalReason)" }
      if let author = entry.author { text += " by \(author)" }
      if let until = entry.until { text += " until \(until)" }
      return text
    }
  }

  @Test func plainListsHaveRemarks() {
    let list = """
      # FireHOL
      192.0.2.7

      192.0.2.0/24 ; SBL123
      \t2001:db8::/32 # six
      198.51.100.0-198.51.100.2
      account:a # b
      192.0.2.7/24
      example.org
      """
    #expect(
      read(list, .plain) == [
        "192.0.2.7", "192.0.2.0/24 note=SBL123", "2001:db8::/32 note=six", "198.51.100.0/31",
        "198.51.100.2", "account:a # b",
        #"line 8: "192.0.2.7/24" has bits set behind its prefix: the network is 192.0.2.0/24"#,
        #"line 9: "example.org" is not an address, a network or account:NAME"#,
      ])
  }

  @Test func peerGuardianListsHaveRanges() {
    let list = """
      # comment
      Some org: with colon:192.0.2.0-192.0.2.255
      :010.0.0.8-10.0.0.8
      x:192.0.2.9-192.0.2.1
      no range
      """
    #expect(
      read(list, .p2p) == [
        "192.0.2.0/24 note=Some org: with colon", "10.0.0.8",
        #"line 4: "192.0.2.9-192.0.2.1" is not a range such as 192.0.2.1-192.0.2.255"#,
        "line 5: no colon between a name and a range",
      ])
    // Names in any encoding do not matter.
    #expect(
      read(Array("\u{e9}:1.2.3.4-1.2.3.4\n".unicodeScalars.map { UInt8($0.value) }), .p2p).count
        == 1)
  }

  @Test func filterFilesHaveLevels() {
    let list = """
      192.000.002.000 - 192.000.002.255 , 000 , An org
      192.0.2.0 - 192.0.2.255 , 128 , allowed
      192.0.2.7 - 192.0.2.7
      192.0.2.7 - 192.0.2.7 , x , y
      """
    #expect(
      read(list, .dat) == [
        "192.0.2.0/24 note=An org", "192.0.2.7", #"line 4: "x" is not a level from 0 to 255"#,
      ])
  }

  @Test func tablesHaveNamedColumns() {
    let list = """
      \u{feff}# made by hand
      note,Subject,until,listener,effect
      "a ""quoted"", note",192.0.2.7,2027-01-15T08:00:00Z,,
      ,account:anna,1800000000,game,allow
      x,192.0.2.7
      "x,192.0.2.7,,,
      "x"y,192.0.2.7,,,
      ,192.0.2.7,tomorrow,,
      ,192.0.2.7,,,deny
      ,,,,
      """
    #expect(
      read(list.replacing("\u{feff}# made by hand\n", with: "\u{feff}"), .csv) == [
        #"192.0.2.7 note=a "quoted", note until 1800000000"#,
        "account:anna allow on game until 1800000000",
        "line 4: 2 cells for 5 columns", "line 5: a quotation mark is not closed",
        "line 6: text follows a closing quotation mark",
        #"line 7: "tomorrow" is not a time such as 2026-01-31T23:59:59Z"#,
        #"line 8: "deny" is neither ban nor allow"#, "line 9: no subject",
      ])
    #expect(read("reason\n", .csv) == [#"line 1: no column "subject""#])
    #expect(read("subject,subjct\n", .csv)[0].hasPrefix(#"line 1: column "subjct" is none of"#))
    #expect(read("ip,address\n", .csv) == [#"line 1: column "address" is there twice"#])
  }

  @Test func jsonIsAnObjectALine() {
    let list = """
      [
      {"subject":"192.0.2.7","reason":"r","until":null},
      {"subject":"account:anna","until":1800000000,"author":"olga"}
      {"subject":"192.0.2.8","lifted":"2026-01-01T00:00:00Z"},
      {"subject":"192.0.2.7","untill":"x"}
      {"subject":["192.0.2.7"]}
      "192.0.2.7"
      ]
      """
    let lines = read(list, .json)
    #expect(
      lines.prefix(2) == [
        "192.0.2.7 reason=r", "account:anna by olga until 1800000000",
      ])
    #expect(lines.count == 5)
    #expect(lines[2].hasPrefix(#"line 5: "untill" is none of the names"#))
    #expect(lines[3] == #"line 6: "subject" is an array"#)
    #expect(lines[4].hasPrefix("line 7: expected one JSON object"))
  }

  @Test(arguments: [
    ("# x\n192.0.2.7\n", BanListFormat.plain), ("", .plain), ("account:a:1.2.3.4-1.2.3.4", .plain),
    ("192.0.2.0-192.0.2.9", .plain), ("subject,reason\n", .csv), ("\"ip\",x\n", .csv),
    ("[\n{}]", .json), ("\n{\"subject\":1}", .json), ("org:1.2.3.4-1.2.3.5\n", .p2p),
    ("1.2.3.4 - 1.2.3.5 , 0 , x\n", .dat), ("2001:db8::/32", .plain),
  ])
  func formatsAreTold(text: String, format: BanListFormat) {
    #expect(BanListFormat.detect(text.utf8) == format)
  }

  @Test func longLinesArePassedOver() {
    let long = String(repeating: "x", count: BanListReader.lineBytesMax + 1)
    let list = "192.0.2.1\n\(long)\n192.0.2.2\n\(long)"
    let expected = [
      "192.0.2.1", "line 2: longer than 8192 bytes", "192.0.2.2", "line 4: longer than 8192 bytes",
    ]
    for piece in [1, 7, 8192, 65_536] {
      #expect(read(Array(list.utf8), .plain, pieces: { _ in piece }) == expected, "\(piece)")
    }
    let longest = "#" + String(repeating: "x", count: BanListReader.lineBytesMax - 1)
    for piece in [1, BanListReader.lineBytesMax + 1, 65_536] {
      #expect(read(Array("\(longest)\r\n".utf8), .plain, pieces: { _ in piece }) == [], "\(piece)")
    }
    let endless = String(repeating: "x", count: 1_000_000)
    #expect(read(endless, .json) == ["line 1: longer than 8192 bytes"])
  }

  @Test(arguments: [
    ("1970-01-01T00:00:00Z", Int64?(0)), ("2000-02-29T12:00:00.5Z", 951_825_600),
    ("2027-01-15T08:00:00Z", 1_800_000_000), ("0", 0), ("9999-12-31T23:59:59Z", 253_402_300_799),
    ("2001-02-29T12:00:00Z", nil), ("2027-13-01T00:00:00Z", nil), ("2027-01-15 08:00:00Z", nil),
    ("2027-01-15T08:00:00+01:00", nil), ("2027-01-15T24:00:00Z", nil), ("-1", nil), ("Z", nil),
    ("1969-12-31T23:59:59Z", nil), ("2027-01-15T08:00:00.Z", nil), ("9999999999999", nil),
  ])
  func momentsAreRead(text: String, seconds: Int64?) {
    #expect(BanListText.moment(text) == seconds)
  }

  /// Goal: a range becomes exactly its addresses, in the fewest prefixes.
  ///
  /// Method: small ranges, counted address by address; the fewest, by what no two of them make.
  @Test func rangesAreCoveredExactly() {
    var random = SeededRandom(seed: 7)
    for _ in 0..<500 {
      let low = UInt32(random.next() & 0xff) << (random.next() & 1 == 0 ? 24 : 0)
      let high = min(UInt64(low) + random.next() % 300, 0xffff_ffff)
      let range = AddressCover.mapped(low)...AddressCover.mapped(UInt32(high))
      let prefixes = AddressCover.prefixes(range)
      var next = range.lowerBound
      for prefix in prefixes {
        #expect(AddressCover.value(of: prefix) == next)
        next += UInt128(1) << UInt128(128 - Int(prefix.bitCount))
      }
      #expect(next == range.upperBound + 1)
      for (a, b) in zip(prefixes, prefixes.dropFirst()) where a.bitCount == b.bitCount {
        #expect(
          AddressPrefix(a.bytes, bitCount: a.bitCount - 1)
            != AddressPrefix(b.bytes, bitCount: b.bitCount - 1))
      }
    }
    #expect(AddressCover.prefixes(0...UInt128.max).map(\.bitCount) == [0])
    #expect(AddressCover.prefixes(1...UInt128.max).count == 128)
    #expect(AddressCover.prefixes(1...(UInt128.max - 1)).count == 254)
  }

  /// Goal: no bytes trap a reader, and how a file is cut into pieces makes no difference.
  @Test(arguments: BanListFormat.allCases)
  func anyBytesInAnyPiecesAreRead(format: BanListFormat) {
    var random = SeededRandom(seed: 11)
    let words = [
      "192.0.2.7", "/24", "-", ":", ",", "\n", "\r\n", "\"", "{", "}", "[", "]", "subject", "until",
      "account:", "anna", "#", ";", " ", "0", "255", "2001:db8::", "null", "\u{0}", "é", "\u{feff}",
      "2027-01-15T08:00:00Z", "{\"subject\":\"192.0.2.7\"}", "subject,until\n", " , 0 , ",
    ]
    for _ in 0..<300 {
      var bytes: [UInt8] = []
      for _ in 0..<Int(random.next() % 60) {
        let index = Int(random.next() % UInt64(words.count + 4))
        if index < words.count {
          bytes += Array(words[index].utf8)
        } else {
          bytes.append(UInt8(truncatingIfNeeded: random.next()))
        }
      }
      let whole = read(bytes, format)
      #expect(read(bytes, format, pieces: { _ in 1 }) == whole)
      #expect(read(bytes, format, pieces: { 1 + $0 % 13 }) == whole)
      _ = BanListFormat.detect(bytes)
    }
  }
}
