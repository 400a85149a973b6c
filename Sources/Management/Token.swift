public import Gateway
internal import Glibc

/// The bearer token of the management API; never shown.
public struct Token: Sendable, CustomStringConvertible, CustomReflectable {
  /// The shortest token that is accepted, in bytes.
  public static let byteCountMin = 16
  /// The longest token that is accepted, in bytes.
  public static let byteCountMax = 1024
  /// How many random bytes a new token has; it is written in hexadecimal.
  private static let randomByteCount = 32

  private let bytes: [UInt8]

  /// - Throws: ``TokenError/tooShort(source:)`` and its like; `source` is what messages name.
  init(_ bytes: [UInt8], source: TokenError.Source) throws(TokenError) {
    guard bytes.count >= Self.byteCountMin else { throw .tooShort(source: source) }
    guard bytes.count <= Self.byteCountMax else { throw .tooLong(source: source) }
    // It travels in a header line.
    guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw .unusableCharacter(source: source)
    }
    self.bytes = bytes
  }

  public var description: String { "<token>" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }

  /// True when an `Authorization` header brings this token; the scheme's case does not matter
  /// (RFC 9110 section 11.1).
  func authorizes(header: String?) -> Bool {
    guard let header else { return false }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
    return matches(Array(parts[1].drop { $0 == " " }.utf8))
  }

  /// Compares in a time that depends on the length of `candidate` only.
  private func matches(_ candidate: [UInt8]) -> Bool {
    var difference = UInt64(truncatingIfNeeded: candidate.count ^ bytes.count)
    for (index, byte) in candidate.enumerated() {
      difference |= UInt64(byte ^ bytes[index % bytes.count])
    }
    return difference == 0
  }
}

extension Token {
  /// A token, and what an operator should know about how it was come by.
  public struct Loaded: Sendable {
    public var token: Token
    public var notices: [TokenNotice]
  }

  /// Takes the token from the configuration or its file, which is made when it does not exist.
  public static func load(_ configuration: ManagementConfiguration) throws(TokenError) -> Loaded {
    let path = configuration.tokenFile
    switch (configuration.token.isEmpty, path.isEmpty) {
    case (true, true): throw .missing
    case (false, false): throw .givenTwice
    case (false, true):
      let token = try Token(Array(configuration.token.utf8), source: .configuration)
      return Loaded(token: token, notices: [])
    case (true, false):
      if let loaded = try read(path) { return loaded }
      if let created = try create(path) { return created }
      // Somebody else made it between the two.
      guard let loaded = try read(path) else {
        throw .cannotRead(path: path, errno: ENOENT)
      }
      return loaded
    }
  }

  /// Nil when there is no such file.
  private static func read(_ path: String) throws(TokenError) -> Loaded? {
    // Not blocking: a FIFO must not hold up the start. Links are followed, as secrets mounted into
    // containers are links.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw .cannotRead(path: path, errno: errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .cannotRead(path: path, errno: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
    guard var content = readToEnd(descriptor, bytesMax: byteCountMax + 2) else {
      if errno == EFBIG { throw .tooLong(source: .file(path)) }
      throw .cannotRead(path: path, errno: errno)
    }
    while let last = content.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
      content.removeLast()
    }
    let token = try Token(content, source: .file(path))
    let mode = status.st_mode & 0o777
    let open = mode & 0o077 != 0
    return Loaded(token: token, notices: open ? [.readableByOthers(path: path, mode: mode)] : [])
  }

  /// Nil when the file exists.
  private static func create(_ path: String) throws(TokenError) -> Loaded? {
    var random = [UInt8](repeating: 0, count: randomByteCount)
    // SAFETY: the buffer has `count` bytes, fewer than the 256 that one call may fill.
    let filled = unsafe random.withUnsafeMutableBytes { buffer in
      unsafe getentropy(buffer.baseAddress!, buffer.count)
    }
    guard filled == 0 else { throw .cannotCreate(path: path, errno: errno) }
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      if errno == EEXIST { return nil }
      throw .cannotCreate(path: path, errno: errno)
    }
    defer { close(descriptor) }
    let digits = Array("0123456789abcdef".utf8)
    let hex = random.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    let line = hex + [UInt8(ascii: "\n")]
    let written = unsafe line.withUnsafeBytes { buffer in
      unsafe write(descriptor, buffer.baseAddress!, buffer.count)
    }
    guard written == line.count, fsync(descriptor) == 0 else {
      let code = written < 0 || written == line.count ? errno : ENOSPC
      // Half a token would be refused at the next start.
      unsafe unlink(path)
      throw .cannotCreate(path: path, errno: code)
    }
    return Loaded(token: try Token(hex, source: .file(path)), notices: [.created(path: path)])
  }
}
