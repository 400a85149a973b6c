internal import Glibc

/// A file that a command reads as a whole, or standard input.
enum InputFile {
  /// The largest that is taken, in bytes: a list of some ten million addresses.
  static let byteCountMax = 256 << 20

  /// - Parameter path: `-` means standard input.
  static func read(_ path: String, _ console: Console) throws -> [UInt8] {
    if path == "-" {
      return try gather("standard input") { try console.surroundings.read($0) }
    }
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      throw CommandFailure("cannot read \(quoted(path)): \(errorText(errno))")
    }
    defer { close(descriptor) }
    return try gather(quoted(path)) {
      try readSome(descriptor, bytesMax: $0, name: quoted(path))
    }
  }

  /// Hands out a file, or standard input for `-`, in pieces; never more than one is in memory.
  ///
  /// - Parameter body: false when it needs no more.
  static func forEachPiece(
    _ path: String, _ console: Console, _ body: ([UInt8]) throws -> Bool
  ) throws {
    let bytesMax = 1 << 18
    guard path != "-" else {
      while true {
        let piece = try console.surroundings.read(bytesMax)
        guard !piece.isEmpty, try body(piece) else { return }
      }
    }
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      throw CommandFailure("cannot read \(quoted(path)): \(errorText(errno))")
    }
    defer { close(descriptor) }
    while true {
      let piece = try readSome(descriptor, bytesMax: bytesMax, name: quoted(path))
      guard !piece.isEmpty, try body(piece) else { return }
    }
  }

  private static func gather(_ name: String, _ more: (Int) throws -> [UInt8]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let piece = try more(1 << 18)
      guard !piece.isEmpty else { return bytes }
      bytes += piece
      guard bytes.count <= byteCountMax else {
        throw CommandFailure("\(name) is larger than \(byteCountMax) bytes")
      }
    }
  }

  /// The first line of standard input, without its end.
  ///
  /// - Throws: ``CommandFailure`` when it is empty or longer than `byteCountMax` bytes.
  static func firstLine(_ console: Console, byteCountMax: Int) throws -> [UInt8] {
    var line: [UInt8] = []
    while true {
      var piece = try console.surroundings.read(4096)
      defer { wipe(&piece) }
      let end = piece.firstIndex(of: UInt8(ascii: "\n"))
      line += piece[..<(end ?? piece.endIndex)]
      if end != nil || piece.isEmpty || line.count > byteCountMax + 1 { break }
    }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    guard !line.isEmpty else {
      throw CommandFailure("standard input has nothing in its first line", .wrongCommandLine)
    }
    guard line.count <= byteCountMax else {
      wipe(&line)
      throw CommandFailure(
        "the first line of standard input is longer than \(byteCountMax) bytes",
        .wrongCommandLine)
    }
    return line
  }
}

/// A file that a command makes; never one that is there already.
final class OutputFile {
  let path: String
  private let descriptor: Int32
  private var gathered: [UInt8] = []
  /// Bytes that are in the file.
  private var flushed: off_t = 0

  /// - Parameter mode: its permissions, of which the process's umask takes some away.
  init(creating path: String, mode: mode_t) throws(CommandFailure) {
    self.path = path
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY
    descriptor = unsafe open(path, flags, mode)
    guard descriptor >= 0 else {
      throw CommandFailure("cannot make \(quoted(path)): \(errorText(errno))")
    }
  }

  deinit { close(descriptor) }

  func write(_ bytes: [UInt8]) throws(CommandFailure) {
    gathered += bytes
    if gathered.count >= 65_536 { try flush() }
  }

  /// Writes what is left and sees to it that it is on the disk.
  func finish() throws(CommandFailure) {
    try flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw CommandFailure("cannot write \(quoted(path)): \(errorText(errno))")
    }
  }

  /// Removes it again: half a file is worse than none.
  func remove() { unsafe unlink(path) }

  /// Writes what was gathered: all of it, or nothing where the disk is full.
  func flush() throws(CommandFailure) {
    defer { gathered.removeAll(keepingCapacity: true) }
    guard case .failed(let reason) = writeAll(gathered, to: descriptor) else {
      flushed += off_t(gathered.count)
      return
    }
    _ = ftruncate(descriptor, flushed)
    throw CommandFailure("cannot write \(quoted(path)): \(reason)")
  }
}
