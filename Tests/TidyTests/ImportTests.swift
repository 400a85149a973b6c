import Foundation
import Testing

/// Goal: modules know of each other only what the house's plan allows, and the pure core can't even
/// name a clock, a file, a thread or a random source.
@Suite struct ImportTests {
  /// What each module of Sources may import.
  private static let allowed: [String: Set<String>] = [
    "Primitives": ["Synchronization"],
    "Framing": ["CFramer"],
    "Auth": ["Primitives"],
    "Upstream": ["Primitives", "CNgHttp2"],
    "Gateway": ["Primitives", "Framing", "Auth", "Upstream"],
    "Threading": ["Glibc"],
    "JSON": ["CJansson"],
    "Store": [
      "Primitives", "Auth", "JSON", "Threading", "CSQLite", "CSodium", "CNettle", "CCrypt", "Glibc",
      "Synchronization",
    ],
    "Configuration": ["Primitives", "Framing", "Auth", "Upstream", "Gateway", "JSON", "CToml"],
    "Reactor": [
      "Primitives", "Auth", "Upstream", "Gateway", "Threading", "CLinux", "Glibc",
      "Synchronization",
    ],
    "Learning": ["Framing"],
    "Captures": ["Primitives", "CPcap", "Glibc", "Synchronization"],
    "Management": [
      "Primitives", "Framing", "Auth", "Upstream", "Gateway", "Captures", "JSON", "CMicrohttpd",
      "Glibc", "Synchronization",
    ],
    "Commands": [
      "Primitives", "Framing", "Auth", "Gateway", "Store", "Configuration", "Captures",
      "Learning", "JSON", "CLinux", "CFramer", "Simulation", "Glibc", "Synchronization",
    ],
    "SampleWorker": ["Primitives", "CNgHttp2", "CLinux", "Glibc", "Synchronization"],
    "Simulation": [
      "Primitives", "Framing", "Auth", "Upstream", "Gateway", "Store", "SampleWorker", "CSQLite",
      "Synchronization",
    ],
    "gatehouse": [
      "Primitives", "Framing", "Auth", "Upstream", "Gateway", "Store", "Configuration", "Reactor",
      "Management", "Commands", "SampleWorker", "JSON", "Threading", "CLinux", "CSodium",
      "Glibc", "Synchronization",
    ],
  ]

  private static let core = [
    "Primitives", "Framing", "Auth", "Upstream", "Gateway", "Learning",
  ]

  /// The modules that a file imports, in any of the forms of an import declaration.
  private func imports(_ source: String) throws -> [String] {
    let declaration = try Regex(
      #"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?"#
        + #"import\s+(?:(?:typealias|struct|class|enum|protocol|let|var|func)\s+)?(\w+)"#
    ).anchorsMatchLineEndings()
    return CodeText(source).text.matches(of: declaration).map { String($0.output[1].substring!) }
  }

  @Test func everyFormOfImportIsSeen() throws {
    let source = """
      import A
      public import B
      @testable import C
      @preconcurrency internal import D
      import struct E.Value
      @_spi(Testing) import F
      // import G
      let text = "import H"
        import I
      """
    #expect(try imports(source) == ["A", "B", "C", "D", "E", "F", "I"])
  }

  @Test func modulesImportOnlyWhatTheyMay() throws {
    for file in try SourceTree.files(in: "Sources") {
      guard let allowed = Self.allowed[file.module] else {
        Issue.record("\(file.path): give the module \(file.module) a line in this test")
        continue
      }
      for module in try imports(file.text) where !allowed.contains(module) {
        Issue.record("\(file.path) imports \(module); \(file.module) may not")
      }
    }
  }

  /// Goal: a line added above in a hurry can't open the core to the system.
  @Test func theCoreIsPure() throws {
    let system: Set = [
      "Glibc", "Musl", "Foundation", "FoundationEssentials", "Dispatch", "Synchronization",
      "CLinux",
      "CMicrohttpd", "CJansson", "CToml", "CPcap", "CSQLite", "CSodium", "CNettle", "CCrypt",
      "Threading",
    ]
    for module in Self.core {
      var imported = Self.allowed[module, default: []]
      // `ByAddress` has one for the place that it takes.
      if module == "Primitives" { imported.remove("Synchronization") }
      #expect(imported.isDisjoint(with: system), "\(module)")
    }
    for file in try SourceTree.files(in: "Sources") where file.module == "Primitives" {
      guard !file.path.hasSuffix("/ByAddress.swift") else { continue }
      #expect(try !imports(file.text).contains("Synchronization"), "\(file.path)")
    }
    for (module, allowed) in Self.allowed {
      #expect(!allowed.contains("Foundation") && !allowed.contains("Dispatch"), "\(module)")
    }
  }

  /// Goal: modules of C libraries hold no logic, least of all in Swift.
  @Test func wrappersOfCLibrariesHoldNoSwift() throws {
    for file in try SourceTree.files(in: "Sources") {
      let isWrapper = file.module.hasPrefix("C") && file.module.dropFirst().first!.isUppercase
      #expect(!isWrapper, "\(file.path)")
    }
  }
}
