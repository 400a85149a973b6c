import Auth
import Primitives
import Testing

@testable import Store

@Suite struct LegacyListTests {
  private static let md5 = "5ebe2294ecd0e0f08eab7690d2a6ee69"
  private static let sha1 = "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"

  private enum Item: Equatable {
    case entry(line: Int, name: String, scheme: String)
    case error(line: Int, LegacyListError.Problem)
  }

  /// All that a list gives when it comes in pieces of `pieceSize` bytes.
  private func items(
    _ bytes: [UInt8], _ form: LegacyList.Form, _ format: String = "auto", pieceSize: Int = 7
  ) -> [Item] {
    var list = LegacyList(form: form, format: LegacyFormat(format)!)
    var items: [Item] = []
    func drain() {
      while true {
        do throws(LegacyListError) {
          guard let entry = try list.next() else { return }
          items.append(
            .entry(line: entry.line, name: entry.name.text, scheme: entry.hash.method.scheme))
        } catch {
          items.append(.error(line: error.line, error.problem))
          if !list.canGoOn { return }
        }
      }
    }
    for at in stride(from: 0, to: bytes.count, by: pieceSize) {
      guard list.canGoOn else { return items }
      list.add(Array(bytes[at..<min(at + pieceSize, bytes.count)]))
      drain()
    }
    guard list.canGoOn else { return items }
    list.end()
    drain()
    return items
  }

  private func items(
    _ text: String, _ form: LegacyList.Form, _ format: String = "auto"
  ) -> [Item] {
    items(Array(text.utf8), form, format)
  }

  @Test func linesAreRead() {
    let text = """
      \u{feff}# our players
      Anna:\(Self.md5)

      bob:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/\r
      carol:\(Self.sha1):
      """
    #expect(
      items(text, .lines) == [
        .entry(line: 2, name: "Anna", scheme: "md5"),
        .entry(line: 4, name: "bob", scheme: "apr1"),
        .entry(line: 5, name: "carol", scheme: "sha1"),
      ])
    #expect(
      items("anna:\(Self.md5):a:b\n", .lines, "vbulletin") == [
        .entry(line: 1, name: "anna", scheme: "md5")
      ])
    #expect(items("", .lines) == [])
  }

  @Test func eachBadLineIsNamedAndTheNextIsRead() {
    let long = String(repeating: "x", count: 5000)
    var bytes = Array(
      "anna\n:\(Self.md5)\nbob:\n\(long)\ncarol:\(Self.md5):x\ndave:\(Self.md5)\n".utf8)
    bytes += [0xff, 0x3a, 0x0a]
    let expected: [Item] = [
      .error(line: 1, .noHash), .error(line: 2, .badName), .error(line: 3, .noHash),
      .error(line: 4, .lineTooLong), .error(line: 5, .hash(.ambiguousWithSalt)),
      .entry(line: 6, name: "dave", scheme: "md5"), .error(line: 7, .notUTF8),
    ]
    for size in [1, 7, 4096, 100_000] {
      #expect(items(bytes, .lines, pieceSize: size) == expected, "\(size)")
    }
  }

  @Test func columnsAreFoundByName() {
    let text = """
      id;"Username";Password;salt;format
      1;anna;\(Self.md5);;
      2;"b""o;b";\(Self.md5);ab;vbulletin
      3;carol;\(Self.md5);;rot13
      4;dave
      5;"eve;\(Self.md5)

      6;f"r;\(Self.md5)
      """
    #expect(
      items(text, .csv) == [
        .entry(line: 2, name: "anna", scheme: "md5"),
        .entry(line: 3, name: "b\"o;b", scheme: "md5"), .error(line: 4, .unknownFormat),
        .error(line: 5, .noHash), .error(line: 6, .badQuotes), .error(line: 8, .badQuotes),
      ])
    #expect(items("name,salt\na,b\n", .csv) == [.error(line: 1, .columnMissing("hash"))])
    #expect(items("name,user,hash\n", .csv) == [.error(line: 1, .columnTwice("name"))])
  }

  /// Goal: no bytes trap, and how they are cut into pieces makes no difference.
  @Test func hostileListsAreReadTheSameInAnyPieces() {
    var random = SeededRandom(seed: 21)
    let parts = [
      "anna", ":", "\n", "\r\n", ",", ";", "\"", "name,hash\n", Self.md5, Self.sha1, "#", "$2y$04$",
      "\u{feff}", "salt", "\t", "é",
    ].map { Array($0.utf8) }
    for _ in 0..<2_000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...20, using: &random) {
        bytes += parts.randomElement(using: &random)!
        if Int.random(in: 0..<20, using: &random) == 0 {
          bytes.append(UInt8.random(in: 0...255, using: &random))
        }
      }
      for form in LegacyList.Form.allCases {
        let whole = items(bytes, form, pieceSize: 10_000)
        let size = Int.random(in: 1...9, using: &random)
        #expect(items(bytes, form, pieceSize: size) == whole, "\(bytes)")
      }
    }
  }

  @Test func errorsNameLineAndCause() {
    let error = LegacyListError(line: 7, problem: .hash(.saltMissing))
    #expect(error.description == "line 7: the format needs a salt and there is none")
  }
}
