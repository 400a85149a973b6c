/// A table for people: columns as wide as their widest cell, two spaces between them.
struct TextTable {
  private let columns: [String]
  private var rows: [[String]] = []

  /// Rows are kept until the end; what may be longer is shown as JSON only.
  static let rowsMax = 100_000

  init(_ columns: [String]) { self.columns = columns }

  var isEmpty: Bool { rows.isEmpty }

  /// - Parameter cells: one for each column; control characters are written out.
  mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count)
    rows.append(cells.map { $0.isEmpty ? "-" : visible($0) })
  }

  /// The lines, each ended by a line break, without spaces at their ends.
  var text: String {
    let all = [columns] + rows
    let widths = columns.indices.map { column in
      all.reduce(0) { max($0, $1[column].unicodeScalars.count) }
    }
    return all.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        guard column < row.count - 1 else { continue }
        let padding = widths[column] - cell.unicodeScalars.count + 2
        line += String(repeating: " ", count: padding)
      }
      while line.hasSuffix(" ") { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
