import Foundation
import Testing

/// Goal: nothing in Sources swallows an error, ends the process in passing or is left for later.
@Suite struct BannedCodeTests {
  private static let banned: [(pattern: String, instead: String)] = [
    (#"\btry\?"#, "handle the error, or say with do and catch why it does not matter"),
    (#"\bcatch\s*\{\s*\}"#, "an empty catch loses the error"),
    (#"\bfatalError\s*\("#, "preconditionFailure for our own bugs, an error for anything else"),
    (#"\btry!"#, "handle the error"),
  ]

  private func findings(_ source: String) throws -> [String] {
    let code = CodeText(source).text
    return try Self.banned.flatMap { pattern, instead in
      code.matches(of: try Regex(pattern)).map { match in
        let line = 1 + code[..<match.range.lowerBound].count { $0 == "\n" }
        return "\(line): \(code[match.range]): \(instead)"
      }
    }
  }

  @Test func bannedCodeIsSeen() throws {
    #expect(try findings("let a = try? f()").count == 1)
    #expect(try findings("do { try f() } catch {\n  // Never mind.\n}").count == 1)
    #expect(try findings("do { try f() } catch { log(error) }").isEmpty)
    #expect(try findings("fatalError()").count == 1)
    #expect(try findings("let a = try! f()").count == 1)
    #expect(try findings("// No try? here.\nlet text = \"fatalError(\"").isEmpty)
  }

  @Test func sourcesHoldNoBannedCode() throws {
    for file in try SourceTree.files(in: "Sources") {
      for finding in try findings(file.text) { Issue.record("\(file.path):\(finding)") }
    }
  }

  @Test func sourcesLeaveNothingForLater() throws {
    let marker = try Regex(#"\b(?:TODO|FIXME|XXX)\b"#)
    for file in try SourceTree.files(in: "Sources", extensions: ["swift", "c", "cc", "h"]) {
      for (index, line) in file.lines.enumerated() where line.contains(marker) {
        Issue.record("\(file.path):\(index + 1): \(line)")
      }
    }
  }
}
