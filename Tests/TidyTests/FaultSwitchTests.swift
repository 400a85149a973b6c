import Foundation
import Testing

/// Goal: mistakes that tests can put back are in no program that is shipped, and all of them are
/// somewhere.
@Suite struct FaultSwitchTests {
  @Test func onlyDebugBuildsKnowFaults() throws {
    let package = try SourceTree.file("Package.swift").text
    let define = #".define("FAULTS", .when(configuration: .debug))"#
    #expect(package.components(separatedBy: define).count == 2)
    #expect(package.components(separatedBy: "\"FAULTS\"").count == 2)
    let naming = try SourceTree.files(in: "Sources").filter {
      CodeText($0.text).text.contains("FAULTS")
    }
    // The mistakes themselves, and the option of a debug build's `gatehouse sim`.
    #expect(
      naming.map(\.path) == ["Sources/Commands/SimFault.swift", "Sources/Primitives/Fault.swift"])
  }

  @Test func eachFaultHasItsPlace() throws {
    let code = try SourceTree.files(in: "Sources").map { CodeText($0.text).text }
    let fault = CodeText(try SourceTree.file("Sources/Primitives/Fault.swift").text).text
    let names = fault.matches(of: try Regex(#"(?m)^\s*case (\w+)$"#)).map {
      String($0.output[1].substring!)
    }
    #expect(names.count >= 18)
    for name in names {
      #expect(code.contains { $0.contains("Fault.\(name).isOn") }, "\(name)")
    }
  }
}
