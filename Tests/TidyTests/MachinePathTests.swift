import Foundation
import Testing

/// Goal: nothing in the repository names a place that only its author's machine has.
@Suite struct MachinePathTests {
  /// A path below a folder that holds one person's files.
  ///
  /// What comes before its first slash must not belong to a longer path, as in `usr/src/work/`. Put
  /// together from parts, so that this file passes its own test.
  private static let pattern =
    #"(?:^|[^A-Za-z0-9_.~-])/"# + "(?:" + ["work", "root", "home", "Users"].joined(separator: "|")
    + ")/"

  @Test func placesOfAMachineAreSeen() throws {
    let place = try Regex(Self.pattern)
    for text in [
      "see \("/" + "work/notes")", "\"\("/" + "root/x")\"", "file:/\("/" + "/" + "home/me")/",
    ] {
      #expect(text.contains(place), "\(text)")
    }
    for text in ["usr/src/work/x", "example.org/home/x", "/workers/", "a/root/b"] {
      #expect(!text.contains(place), "\(text)")
    }
  }

  @Test func noTrackedFileNamesAPlaceOfAMachine() throws {
    // A source archive has no list of its files, and came from a clone that was checked.
    guard let paths = try SourceTree.trackedPaths() else { return }
    #expect(paths.contains("Package.swift"))
    let place = try Regex(Self.pattern)
    for path in paths {
      let url = SourceTree.root.appendingPathComponent(path)
      // Removed files are tracked until their removal is committed; submodules are folders.
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
        !isFolder.boolValue
      else { continue }
      let text = String(decoding: try Data(contentsOf: url), as: UTF8.self)
      guard text.contains(place) else { continue }
      for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
        .enumerated()
      where line.contains(place) {
        Issue.record("\(path):\(index + 1): \(line)")
      }
    }
  }
}
