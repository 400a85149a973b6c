import Foundation
import Testing

/// A pipe that a log writes to.
final class LogSink {
  let writeEnd: Int32
  private let readEnd: Int32
  private var unread: [UInt8] = []

  init() throws {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    (readEnd, writeEnd) = (ends[0], ends[1])
    _ = fcntl(readEnd, F_SETFD, FD_CLOEXEC)
    _ = fcntl(writeEnd, F_SETFD, FD_CLOEXEC)
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// Puts bytes in until not one more fits.
  ///
  /// - Returns: how many fitted.
  func fill() -> Int {
    _ = fcntl(writeEnd, F_SETFL, O_NONBLOCK)
    defer { _ = fcntl(writeEnd, F_SETFL, 0) }
    var count = 0
    let bytes = [UInt8](repeating: UInt8(ascii: "#"), count: 4096)
    while true {
      let written = write(writeEnd, bytes, bytes.count)
      guard written > 0 else { return count }
      count += written
    }
  }

  /// Waits for `count` bytes and throws them away.
  func discard(_ count: Int) {
    while unread.count < count, receive() {}
    unread.removeFirst(min(count, unread.count))
  }

  /// Waits for a line, which comes without its line feed.
  func line() -> String? {
    while true {
      if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
        defer { unread.removeFirst(end + 1) }
        return String(decoding: unread[..<end], as: UTF8.self)
      }
      guard receive() else { return nil }
    }
  }

  /// Waits for a line, and cuts off what changes from run to run: the time.
  func lineWithoutTime() -> String? {
    guard let line = line() else { return nil }
    if line.hasPrefix("{") {
      guard let comma = line.firstIndex(of: ",") else { return line }
      return String(line[line.index(after: comma)...])
    }
    guard let space = line.firstIndex(of: " ") else { return line }
    return String(line[line.index(after: space)...])
  }

  private func receive() -> Bool {
    // A bound on a test that would otherwise hang, not a moment that it waits for.
    var watched = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
    guard poll(&watched, 1, 20_000) > 0 else { return false }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = read(readEnd, &buffer, buffer.count)
    guard count > 0 else { return false }
    unread += buffer[0..<count]
    return true
  }
}
