import Foundation
import Testing

/// Goal: the command's words and exit statuses.
///
/// Method: the executable itself, which is built into the folder of the test bundle.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: executable.path)))
struct CommandLineTests {
  private struct Outcome: Equatable {
    var status: Int32
    var output = ""
    var error = ""
  }

  private func run(_ arguments: [String]) throws -> Outcome {
    let process = Process()
    let (output, error) = (Pipe(), Pipe())
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = packageFolder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = error
    try process.run()
    // Less than a pipe holds, so that neither has to be read while the other fills.
    let outputText = text(output)
    let errorText = text(error)
    process.waitUntilExit()
    return Outcome(status: process.terminationStatus, output: outputText, error: errorText)
  }

  private func text(_ pipe: Pipe) -> String {
    String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  }

  @Test(arguments: [
    ([], "gatehouse: no command", "gatehouse"),
    (["chek"], "gatehouse: unknown command \"chek\" (did you mean \"check\"?)", "gatehouse"),
    (
      ["--vesion"], "gatehouse: unknown option \"--vesion\" (did you mean \"--version\"?)",
      "gatehouse"
    ),
    (["-x"], "gatehouse: unknown option \"-x\"", "gatehouse"),
    (
      ["check", "--confg", "x"],
      "gatehouse check: unknown option \"--confg\" (did you mean \"--config\"?)",
      "gatehouse check"
    ),
    (["check", "--config"], "gatehouse check: --config needs an argument", "gatehouse check"),
    (["check", "-c"], "gatehouse check: --config needs an argument", "gatehouse check"),
    (["check", "--help=x"], "gatehouse check: --help takes no argument", "gatehouse check"),
    (["check", "-c", "x", "y"], "gatehouse check: unexpected argument \"y\"", "gatehouse check"),
    (["demo", "-c", "x"], "gatehouse demo: unknown option \"-c\"", "gatehouse demo"),
  ])
  func aWrongCommandLineSaysWhatIsMeant(
    arguments: [String], message: String, program: String
  ) throws {
    #expect(
      try run(arguments)
        == Outcome(status: 2, error: "\(message)\nTry \"\(program) --help\".\n"))
  }

  @Test func helpAndVersionGoToStandardOutput() throws {
    #expect(try run(["--version"]) == Outcome(status: 0, output: "gatehouse 0.1.0\n"))
    let general = try run(["--help"])
    #expect(general.status == 0 && general.error.isEmpty)
    for command in ["serve", "check", "demo"] {
      #expect(general.output.contains("\n  \(command) "))
      let help = try run([command, "--help"])
      #expect(help.status == 0 && help.error.isEmpty)
      #expect(help.output.hasPrefix("Usage: gatehouse \(command)"))
    }
  }

  @Test(arguments: ["--config=F", "--config F", "-c F", "-cF", "--conf F"])
  func theFileIsNamedInAnyUsualWay(words: String) throws {
    let arguments = words.split(separator: " ").map {
      String($0).replacing("F", with: "gatehouse.example.toml")
    }
    let outcome = try run(["check"] + arguments)
    #expect(outcome.status == 0 && outcome.error.isEmpty)
    #expect(outcome.output.hasPrefix("gatehouse.example.toml: a good configuration\n"))
    #expect(outcome.output.contains("\nlistener lobby: 0.0.0.0:7998, pool lobby\n"))
  }

  @Test func problemsGoToStandardError() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("g.toml").path
    try Data((minimalText + "\n[lgo]\n[limits]\nsessions = 0\n").utf8)
      .write(to: URL(fileURLWithPath: file))
    #expect(
      try run(["check", "-c", file])
        == Outcome(
          status: 1,
          error: """
            \(file):6:2: error: lgo: unknown table (did you mean "log"?)
            \(file):8:12: error: limits.sessions: 0 is out of range; expected an integer from 1 to \
            16777215

            """))
    try Data(repeating: 35, count: 1 << 20 + 1).write(to: URL(fileURLWithPath: file))
    #expect(
      try run(["check", "-c", file])
        == Outcome(status: 1, error: "\(file): error: Larger than 1048576 bytes\n"))
    let fifo = folder.appendingPathComponent("fifo").path
    #expect(mkfifo(fifo, 0o600) == 0)
    #expect(
      try run(["check", "-c", fifo])
        == Outcome(status: 1, error: "\(fifo): error: Not a regular file\n"))
  }

  @Test(arguments: [
    ("/", "Is a directory"), ("/dev/zero", "Not a regular file"),
    ("/nowhere/at.all", "No such file or directory"), ("", "No such file or directory"),
  ])
  func aFileThatCannotBeReadIsNamedWithItsReason(path: String, reason: String) throws {
    #expect(
      try run(["check", "--config", path])
        == Outcome(status: 1, error: "\(path): error: \(reason)\n"))
  }
}

private let executable = URL(fileURLWithPath: CommandLine.arguments[0])
  .deletingLastPathComponent().appendingPathComponent("gatehouse")
