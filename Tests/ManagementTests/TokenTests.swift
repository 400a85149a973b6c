import Foundation
@testable import Gateway
import Management
import Testing

@Suite final class TokenTests {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("gatehouse-token-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private var path: String { folder.appendingPathComponent("token").path }

  private func load(token: String = "", file: String = "") throws(TokenError) -> Token.Loaded {
    var configuration = ManagementConfiguration()
    configuration.token = token
    configuration.tokenFile = file
    return try Token.load(configuration)
  }

  private func write(_ text: String, mode: Int = 0o600) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }

  /// True when the server takes `secret` for the loaded token.
  private func opens(_ loaded: Token.Loaded, with secret: String) throws -> Bool {
    var configuration = ManagementConfiguration()
    configuration.port = 0
    let server = try ManagementServer(configuration, token: loaded.token) { _, _ in .workers([]) }
    let connection = try RawConnection(port: server.port)
    connection.send(
      "GET /upstream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        + "Authorization: Bearer \(secret)\r\n\r\n")
    return try Answer(connection.receive()).status == 200
  }

  @Test func aTokenFromTheConfigurationNeedsSixteenCharacters() throws {
    let loaded = try load(token: "0123456789abcdef")
    #expect(loaded.notices.isEmpty)
    #expect(try opens(loaded, with: "0123456789abcdef"))
    #expect(throws: TokenError.tooShort(source: .configuration)) {
      try load(token: "0123456789abcde")
    }
    #expect(throws: TokenError.unusableCharacter(source: .configuration)) {
      try load(token: "0123456789 abcdef")
    }
    #expect(throws: TokenError.tooLong(source: .configuration)) {
      try load(token: String(repeating: "x", count: 1025))
    }
  }

  @Test func exactlyOneSourceIsNeeded() {
    #expect(throws: TokenError.missing) { try load() }
    #expect(throws: TokenError.givenTwice) { try load(token: "0123456789abcdef", file: path) }
  }

  @Test func aMissingFileIsMadeAndThenRead() throws {
    let created = try load(file: path)
    #expect(created.notices == [.created(path: path)])
    let secret = try String(contentsOfFile: path, encoding: .utf8)
    #expect(secret.utf8.count == 65 && secret.hasSuffix("\n"))
    #expect(secret.dropLast().allSatisfy { $0.isHexDigit })
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)

    let read = try load(file: path)
    #expect(read.notices.isEmpty)
    #expect(try opens(created, with: String(secret.dropLast())))
    #expect(try opens(read, with: String(secret.dropLast())))
  }

  @Test func newTokensDiffer() throws {
    _ = try load(file: path)
    let first = try String(contentsOfFile: path, encoding: .utf8)
    try FileManager.default.removeItem(atPath: path)
    _ = try load(file: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) != first)
  }

  @Test func lineEndsAreTrimmed() throws {
    try write("0123456789abcdef\r\n")
    #expect(try opens(try load(file: path), with: "0123456789abcdef"))
  }

  @Test(arguments: [0o640, 0o604, 0o660, 0o644])
  func aFileOpenToOthersIsNoticed(mode: Int) throws {
    try write("0123456789abcdef", mode: mode)
    let notices = try load(file: path).notices
    #expect(notices == [.readableByOthers(path: path, mode: UInt32(mode))])
    #expect(notices[0].description.hasSuffix("(mode 0\(String(mode, radix: 8))): chmod 600 it"))
  }

  @Test func unusableFilesAreNamed() throws {
    try write("")
    #expect(throws: TokenError.tooShort(source: .file(path))) { try load(file: path) }
    try write(String(repeating: "x", count: 5_000))
    #expect(throws: TokenError.tooLong(source: .file(path))) { try load(file: path) }
    try write("0123456789abcdef\n0123456789abcdef\n")
    #expect(throws: TokenError.unusableCharacter(source: .file(path))) { try load(file: path) }
    #expect(throws: TokenError.notAFile(path: folder.path)) { try load(file: folder.path) }
    let lost = folder.appendingPathComponent("no/such/token").path
    let error = #expect(throws: TokenError.self) { try load(file: lost) }
    #expect(error == .cannotCreate(path: lost, errno: ENOENT))
    #expect(
      error?.description.contains("No such file or directory; let the gateway's user") == true)
  }

  @Test func aLinkToNowhereIsNotFollowedToMakeAFile() throws {
    let target = folder.appendingPathComponent("target").path
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    #expect(throws: TokenError.cannotRead(path: path, errno: ENOENT)) { try load(file: path) }
    #expect(!FileManager.default.fileExists(atPath: target))
  }

  @Test func tokensAreNotShown() throws {
    let token = try load(token: "0123456789abcdef").token
    var dumped = ""
    dump(token, to: &dumped)
    #expect(!"\(token) \(String(reflecting: token)) \(dumped)".contains("0123456789"))
  }
}
