internal import Auth

/// The columns of a ``BanListFormat/csv`` file (RFC 4180, but for line breaks in quotation marks).
struct BanListColumns {
  private let names: [BanListValues.Name]

  /// - Parameter header: the line of names.
  init(_ header: String, line: Int) throws(BanListProblem) {
    var names: [BanListValues.Name] = []
    for cell in try Self.cells(header, line: line) {
      guard let name = BanListValues.Name(BanListText.trimmed(cell)) else {
        throw BanListProblem(
          line,
          "column \(BanListText.shown(cell)) is none of \(BanListValues.Name.list)")
      }
      guard !names.contains(name) else {
        throw BanListProblem(line, "column \(BanListText.shown(cell)) is there twice")
      }
      names.append(name)
    }
    guard names.contains(.subject) else { throw BanListProblem(line, "no column \"subject\"") }
    self.names = names
  }

  /// True for a line that is a header, good or bad.
  static func areNamed(in text: String) -> Bool {
    let cells = text.split(separator: ",").map { cell in
      BanListText.trimmed(cell.drop { $0 == "\"" }).filter { $0 != "\"" }
    }
    return cells.contains { BanListValues.Name($0) == .subject }
  }

  /// - Returns: nil for a blank line or a remark.
  func entry(_ text: String, line: Int) throws(BanListProblem) -> BanListEntry? {
    if BanListText.trimmed(text).isEmpty || text.hasPrefix("#") { return nil }
    let cells = try Self.cells(text, line: line)
    guard cells.count == names.count else {
      throw BanListProblem(line, "\(cells.count) cells for \(names.count) columns")
    }
    var values = BanListValues()
    for (name, cell) in zip(names, cells) { values.set(name, BanListText.trimmed(cell)) }
    return try values.entry(line: line)
  }

  static func cells(_ text: String, line: Int) throws(BanListProblem) -> [String] {
    var cells: [String] = []
    var cell: [UInt8] = []
    var rest = Array(text.utf8)[...]
    let (quote, comma) = (UInt8(ascii: "\""), UInt8(ascii: ","))
    while true {
      cell.removeAll()
      if rest.first == quote {
        rest.removeFirst()
        while true {
          guard let byte = rest.popFirst() else {
            throw BanListProblem(line, "a quotation mark is not closed")
          }
          if byte != quote {
            cell.append(byte)
          } else if rest.first == quote {
            cell.append(quote)
            rest.removeFirst()
          } else {
            break
          }
        }
        guard rest.isEmpty || rest.first == comma else {
          throw BanListProblem(line, "text follows a closing quotation mark")
        }
      } else {
        while let byte = rest.first, byte != comma {
          cell.append(byte)
          rest.removeFirst()
        }
      }
      cells.append(String(decoding: cell, as: UTF8.self))
      guard rest.popFirst() != nil else { return cells }
    }
  }
}
