import Testing

/// Goal: files and functions stay as long as one can read in one go.
@Suite struct SizeTests {
  private static let columnsMax = 100
  private static let fileLinesMax = 500
  private static let functionLinesMax = 70

  /// Functions that are longer all the same, by path and name, with their lines.
  ///
  /// A ratchet: entries may shrink and go. A new one needs a reason beside it.
  private static let longFunctions: [String: Int] = [:]

  @Test func linesFitTheScreen() throws {
    let extensions: Set = ["swift", "c", "cc", "h"]
    let files =
      try SourceTree.files(in: "Sources", extensions: extensions)
      + SourceTree.files(in: "Tests", extensions: extensions)
      + SourceTree.files(in: "proto", extensions: ["proto"])
    for file in files {
      for (index, line) in file.lines.enumerated() where line.count > Self.columnsMax {
        Issue.record("\(file.path):\(index + 1) has \(line.count) columns")
      }
    }
  }

  @Test func filesAreShort() throws {
    for file in try SourceTree.files(in: "Sources", extensions: ["swift", "c", "cc", "h"]) {
      // The last line feed ends a line; it begins none.
      let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
      #expect(count <= Self.fileLinesMax, "\(file.path) has \(count) lines")
    }
  }

  @Test func functionsAreShort() throws {
    var met: Set<String> = []
    for file in try SourceTree.files(in: "Sources") {
      for function in try FunctionLengths.of(file.text) {
        let key = "\(file.path) \(function.name)"
        let limit = Self.longFunctions[key] ?? Self.functionLinesMax
        if function.lineCount > limit {
          Issue.record(
            "\(file.path):\(function.line): \(function.name) has \(function.lineCount) lines")
        }
        // Of several functions with one name, the longest is meant.
        if function.lineCount == Self.longFunctions[key] { met.insert(key) }
      }
    }
    for (key, lineCount) in Self.longFunctions where !met.contains(key) {
      Issue.record("\(key) no longer has \(lineCount) lines: lower or remove its entry")
    }
    #expect(Self.longFunctions.values.allSatisfy { $0 > Self.functionLinesMax })
  }
}
