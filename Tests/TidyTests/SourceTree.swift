import Foundation

/// The files of the package that these tests are part of.
struct SourceTree {
  struct File {
    /// Relative to the package, with slashes: `Sources/Framing/Framer.swift`.
    var path: String
    var text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    /// The folder below Sources or Tests: `Framing`.
    var module: String { String(path.split(separator: "/")[1]) }
  }

  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func file(_ path: String) throws -> File {
    let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    return File(path: path, text: text)
  }

  /// All files below `folder` with one of the `extensions`, by name.
  static func files(in folder: String, extensions: Set<String> = ["swift"]) throws -> [File] {
    try FileManager.default.subpathsOfDirectory(atPath: root.appendingPathComponent(folder).path)
      .filter { extensions.contains(($0 as NSString).pathExtension) }
      .sorted()
      .map { try file("\(folder)/\($0)") }
  }

  /// What git tracks, or nil without git: in a source archive, for example.
  static func trackedPaths() throws -> [String]? {
    guard FileManager.default.fileExists(atPath: root.appendingPathComponent(".git").path) else {
      return nil
    }
    let git = Process()
    git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // A build user that does not own the clone may read it all the same.
    git.arguments = ["git", "-c", "safe.directory=*", "-C", root.path, "ls-files", "-z"]
    let output = Pipe()
    git.standardOutput = output
    try git.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    git.waitUntilExit()
    guard git.terminationStatus == 0 else { throw CocoaError(.fileReadUnknown) }
    return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }
}
