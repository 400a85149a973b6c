/// Takes an input apart: first what decides how to test, then what is tested.
///
/// Each read takes few bytes and never fails, so that a small change of an input changes little.
struct FuzzInput {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isEmpty: Bool { rest.isEmpty }

  /// The next byte; 0 at the end.
  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func bool() -> Bool { byte() & 1 == 1 }

  /// - Precondition: the range has at most 65,536 values.
  mutating func number(_ range: ClosedRange<Int>) -> Int {
    let isShort = range.count <= 256
    let value = isShort ? Int(byte()) : Int(byte()) << 8 | Int(byte())
    return range.lowerBound + value % range.count
  }

  mutating func word() -> UInt64 { (0..<8).reduce(0) { word, _ in word << 8 | UInt64(byte()) } }

  mutating func pick<T>(_ values: [T]) -> T { values[number(0...values.count - 1)] }

  /// A count, and as many bytes; fewer at the end.
  mutating func bytes(_ countMax: Int) -> [UInt8] {
    let count = number(0...countMax)
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func remaining() -> [UInt8] {
    defer { rest = [] }
    return Array(rest)
  }

  /// All that is left, with runs of a byte written short: 1, the byte, and how many beyond `base`.
  ///
  /// So inputs stay short that try the bound on a line's length.
  mutating func remaining(runsFrom base: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var runs = 0
    while let byte = rest.popFirst() {
      if byte == 1, rest.count >= 2, runs < 2 {
        let repeated = self.byte()
        bytes += Array(repeating: repeated, count: base + Int(self.byte() % 32))
        runs += 1
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }
}

/// Ends the process, which libFuzzer takes for a finding, unless `holds`.
func check(
  _ holds: Bool, _ what: @autoclosure () -> String, file: StaticString = #file,
  line: UInt = #line
) {
  if !holds { fatalError(what(), file: file, line: line) }
}

/// Cuts `bytes` into pieces, whose sizes go round through `sizes`.
func pieces(of bytes: [UInt8], sizes: [Int]) -> [[UInt8]] {
  var pieces: [[UInt8]] = []
  var rest = bytes[...]
  while !rest.isEmpty {
    let size = sizes.isEmpty ? rest.count : max(1, sizes[pieces.count % sizes.count])
    pieces.append(Array(rest.prefix(size)))
    rest = rest.dropFirst(size)
  }
  return pieces
}

/// True for a text that spoils no log and no terminal.
func isPrintable(_ text: String) -> Bool {
  text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
}
