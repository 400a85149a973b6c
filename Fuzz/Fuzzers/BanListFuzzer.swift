import Auth
import Primitives

@testable import Store

/// Goal: a list of bans gives the same however it is cut into pieces, every entry is within its
/// bounds, and every problem is one line at a place that exists.
enum BanListFuzzer {
  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let format = input.pick(BanListFormat.allCases)
    let sizes = input.bytes(4).map { Int($0) }
    let file = input.remaining(runsFrom: BanListReader.lineBytesMax - 16)
    let whole = results(format, [file])
    check(results(format, pieces(of: file, sizes: sizes)) == whole, "pieces give another result")
    check(whole.count <= 254 * (file.count { $0 == 0x0a } + 1), "more entries than can be")
    _ = BanListFormat.detect(file)
    var line = 0
    for result in whole {
      switch result {
      case .success(let entry): checkBounds(entry)
      case .failure(let problem):
        check(problem.line >= line, "line \(problem.line) behind line \(line)")
        line = problem.line
        check(isPrintable(problem.description), "the problem spoils a terminal")
        check(problem.description.utf8.count < 1000, "the problem is longer than a line")
      }
    }
    check(line <= file.count { $0 == 0x0a } + 1, "there is no line \(line)")
    checkCover(FuzzInput(file))
  }

  private static func results(
    _ format: BanListFormat, _ pieces: [[UInt8]]
  ) -> [Result<BanListEntry, BanListProblem>] {
    var reader = BanListReader(format: format)
    var results: [Result<BanListEntry, BanListProblem>] = []
    for piece in pieces {
      reader.feed(piece)
      while let result = reader.next() { results.append(result) }
    }
    reader.finish()
    while let result = reader.next() { results.append(result) }
    return results
  }

  private static func checkBounds(_ entry: BanListEntry) {
    let texts = [entry.shownReason, entry.internalReason, entry.listener, entry.author]
    for text in texts {
      guard let text else { continue }
      check(text.utf8.count <= BanListPlain.reasonBytesMax, "\(text.utf8.count) bytes")
      check(isPrintable(text), "a text that spoils a terminal")
    }
    check(entry.listener != "" && entry.author != "", "an empty name")
    if let until = entry.until { check((0...999_999_999_999).contains(until), "\(until)") }
    guard case .addresses(let prefix) = entry.subject else { return }
    check(AddressPrefix(text: prefix.description) == prefix, "\(prefix) is another")
  }

  /// The prefixes of a range follow each other from its first address to its last.
  private static func checkCover(_ input: FuzzInput) {
    var input = input
    func address() -> UInt128 {
      let (high, low) = (input.word(), input.word())
      return UInt128(input.bool() ? high : 0) << 64 | UInt128(low)
    }
    let (a, b) = (address(), address())
    let range = min(a, b)...max(a, b)
    let prefixes = AddressCover.prefixes(range)
    check(prefixes.count <= 254, "\(prefixes.count) prefixes")
    var next = range.lowerBound
    for (index, prefix) in prefixes.enumerated() {
      check(AddressCover.value(of: prefix) == next, "a gap, or an address twice")
      let last = next + (prefix.bitCount == 0 ? .max : UInt128.max >> UInt128(prefix.bitCount))
      check(last <= range.upperBound, "beyond the range")
      check((index == prefixes.count - 1) == (last == range.upperBound), "too many, or too few")
      next = last &+ 1
    }
  }
}
