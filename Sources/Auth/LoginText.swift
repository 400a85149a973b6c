/// The rest of a packet from a field on, for the fields that have to look for their end.
struct LoginText {
  let bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// - Returns: the indices of the field's bytes, and of where the next field may begin; nil when
  ///   it is not there.
  func find(_ field: LoginField) throws(LoginFault) -> (range: Range<Int>, end: Int)? {
    switch field.form {
    case .zeroTerminated: return zeroTerminated(isWide: field.charset == .utf16le)
    case .line:
      let range = line
      let end = bytes[range.upperBound...].prefix(2).firstIndex(of: 0x0a)
      return (range, end.map { $0 + 1 } ?? bytes.endIndex)
    case .word(let number, let toEnd): return word(number, toEnd: toEnd)
    case .pair(let key, let valueSeparator, let pairSeparator):
      let range = try value(of: Array(key.utf8), valueSeparator, pairSeparator)
      return range.map { ($0, $0.upperBound) }
    case .split(let number, let delimiter): return part(number, delimiter)
    case .fixed, .lengthPrefixed, .varintPrefixed, .integer, .bytes, .rest: return nil
    }
  }

  private func zeroTerminated(isWide: Bool) -> (Range<Int>, Int)? {
    let start = bytes.startIndex
    guard isWide else { return bytes.firstIndex(of: 0).map { (start..<$0, $0 + 1) } }
    for index in stride(from: start, to: bytes.endIndex - 1, by: 2)
    where bytes[index] == 0 && bytes[index + 1] == 0 {
      return (start..<index, index + 2)
    }
    return nil
  }

  /// The first line, without CR LF or LF.
  private var line: Range<Int> {
    let end = bytes.firstIndex(of: 0x0a) ?? bytes.endIndex
    return bytes.startIndex..<(end > bytes.startIndex && bytes[end - 1] == 0x0d ? end - 1 : end)
  }

  private func word(_ number: Int, toEnd: Bool) -> (Range<Int>, Int)? {
    let line = bytes[line]
    let words = line.split(maxSplits: Swift.max(0, number)) { $0 == 0x20 || $0 == 0x09 }
    guard number >= 1, number <= words.count else { return nil }
    let start = words[number - 1].startIndex
    guard !toEnd else { return (start..<line.endIndex, line.endIndex) }
    let end = line[start...].firstIndex { $0 == 0x20 || $0 == 0x09 } ?? line.endIndex
    return (start..<end, end)
  }

  /// All but what ends a line or a message at the very end: CR, LF and zeros.
  private var trimmed: ArraySlice<UInt8> {
    let end = bytes.lastIndex { $0 != 0x0a && $0 != 0x0d && $0 != 0 }
    return bytes[..<(end.map { $0 + 1 } ?? bytes.startIndex)]
  }

  private func part(_ number: Int, _ delimiter: [UInt8]) -> (Range<Int>, Int)? {
    var rest = trimmed
    var left = number
    while left > 1 {
      guard let found = rest.range(of: delimiter) else { return nil }
      rest = rest[found.upperBound...]
      left -= 1
    }
    guard left == 1 else { return nil }
    guard let found = rest.range(of: delimiter) else {
      return (rest.startIndex..<rest.endIndex, rest.endIndex)
    }
    return (rest.startIndex..<found.lowerBound, found.upperBound)
  }

  private func value(
    of key: [UInt8], _ valueSeparator: [UInt8], _ pairSeparator: [UInt8]
  ) throws(LoginFault) -> Range<Int>? {
    var rest = trimmed
    var found: Range<Int>?
    let takesTurns = valueSeparator == pairSeparator
    if takesTurns, rest.starts(with: pairSeparator) {
      rest = rest.dropFirst(pairSeparator.count)
    }
    while !rest.isEmpty {
      let pair = takesTurns ? rest : rest.part(endedBy: pairSeparator)
      guard let middle = pair.range(of: valueSeparator) else {
        rest = rest.dropFirst(pair.count + pairSeparator.count)
        continue
      }
      let value = pair[middle.upperBound...].part(endedBy: pairSeparator)
      if pair[..<middle.lowerBound].elementsEqual(key) {
        guard found == nil else { throw .repeatedField }
        found = value.indices
      }
      rest = rest[value.endIndex...].dropFirst(pairSeparator.count)
    }
    return found
  }
}

extension ArraySlice<UInt8> {
  /// What stands in front of the first `pattern`; all when there is none.
  fileprivate func part(endedBy pattern: [UInt8]) -> ArraySlice<UInt8> {
    self[..<(range(of: pattern)?.lowerBound ?? endIndex)]
  }

  /// The first place where `pattern` stands; nil for an empty one.
  fileprivate func range(of pattern: [UInt8]) -> Range<Int>? {
    guard let first = pattern.first, count >= pattern.count else { return nil }
    let lastStart = endIndex - pattern.count
    var at = startIndex
    while let start = self[at...lastStart].firstIndex(of: first) {
      if self[start...].starts(with: pattern) { return start..<start + pattern.count }
      at = start + 1
      if at > lastStart { return nil }
    }
    return nil
  }
}
