import Foundation
@testable import Gateway
import Management
import Testing

/// The queue, the thread, and descriptors that take nothing.
@Suite struct LogWriterTests {
  private func writer(
    _ descriptor: Int32, level: LogLevel = .debug, linesMax: Int = 16_384
  ) throws -> LogWriter {
    var configuration = LogConfiguration()
    configuration.level = level
    return try LogWriter(descriptor: descriptor, configuration: configuration, linesMax: linesMax)
  }

  @Test func whatIsLessSevereIsNotLogged() throws {
    let sink = try LogSink()
    let log = try writer(sink.writeEnd, level: .warning)
    log.log(.debug, "a")
    log.log(.info, "b")
    log.log(.acceptResumed(listener: "game"))
    log.log(.warning, "c")
    log.log(.error, "d")
    #expect(log.stop(timeoutMilliseconds: 10_000))
    #expect(sink.lineWithoutTime() == "warning c")
    #expect(sink.lineWithoutTime() == "error d")
    #expect(log.linesDropped == 0)
  }

  /// Goal: a reader that stalls costs lines, never time, and the loss is told where it happened.
  ///
  /// Method: a full pipe, a queue of four lines, ten lines; then the pipe is read.
  @Test func aStalledPipeDropsAndCounts() throws {
    let sink = try LogSink()
    let filled = sink.fill()
    let log = try writer(sink.writeEnd, linesMax: 4)
    for index in 0..<10 { log.log(.info, "line-\(index)") }
    #expect(log.linesDropped == 6)

    sink.discard(filled)
    for index in 0..<4 { #expect(sink.lineWithoutTime() == "info line-\(index)") }
    // In one line or in two: the writer may have taken the queue while lines were dropped.
    var told = 0
    while told < 6 {
      let line = try #require(sink.lineWithoutTime())
      #expect(line.hasPrefix("warning log-lines-dropped lines="))
      told += try #require(Int(line.split(separator: "=").last ?? ""))
    }
    #expect(told == 6)
    // The four count as waiting until the writer comes back for more, so the next may be lost too.
    while true {
      log.log(.info, "after")
      let line = try #require(sink.lineWithoutTime())
      if line == "info after" { break }
      #expect(line == "warning log-lines-dropped lines=1")
    }
    #expect(log.stop(timeoutMilliseconds: 10_000))
  }

  @Test func aPipeThatDoesNotBlockIsWaitedForToo() throws {
    let sink = try LogSink()
    let filled = sink.fill()
    _ = fcntl(sink.writeEnd, F_SETFL, O_NONBLOCK)
    let log = try writer(sink.writeEnd)
    let long = String(repeating: "x", count: 1000)
    for index in 0..<200 { log.log(.info, "line-\(index)", ["text": long]) }
    sink.discard(filled)
    for index in 0..<200 { #expect(sink.lineWithoutTime() == "info line-\(index) text=\(long)") }
    #expect(log.stop(timeoutMilliseconds: 10_000))
  }

  @Test func stopWritesWhatWaitsAndGivesUpAtItsDeadline() throws {
    let sink = try LogSink()
    let log = try writer(sink.writeEnd)
    for index in 0..<500 { log.log(.info, "line-\(index)") }
    #expect(log.stop(timeoutMilliseconds: 10_000))
    for index in 0..<500 { #expect(sink.lineWithoutTime() == "info line-\(index)") }
    log.log(.info, "too late")
    #expect(log.linesDropped == 1)
    #expect(log.stop(timeoutMilliseconds: 0))

    _ = sink.fill()
    let stalled = try writer(sink.writeEnd)
    stalled.log(.info, "never")
    #expect(!stalled.stop(timeoutMilliseconds: 20))
  }

  @Test func aReaderThatIsGoneIsSurvived() throws {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    close(ends[0])
    defer { close(ends[1]) }
    let log = try writer(ends[1])
    for _ in 0..<100 { log.log(.info, "nobody reads this") }
    // Given up at once, long before the deadline.
    #expect(!log.stop(timeoutMilliseconds: 60_000))
  }

  @Test func aFullDiskIsSurvived() throws {
    let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
    try #require(full >= 0)
    defer { close(full) }
    let log = try writer(full)
    log.log(.info, "nowhere")
    #expect(!log.stop(timeoutMilliseconds: 60_000))
  }

  /// Goal: lines wait for a descriptor that can be written again.
  ///
  /// Method: the descriptor is that of a full device until it is made that of a pipe.
  @Test func writingGoesOnWhenItIsPossibleAgain() throws {
    let descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let sink = try LogSink()
    let log = try writer(descriptor, linesMax: 2)
    log.log(.info, "kept")
    log.log(.info, "kept-too")
    log.log(.info, "dropped")
    try #require(dup2(sink.writeEnd, descriptor) >= 0)
    #expect(sink.lineWithoutTime() == "info kept")
    #expect(sink.lineWithoutTime() == "info kept-too")
    #expect(sink.lineWithoutTime() == "warning log-lines-dropped lines=1")
    #expect(log.stop(timeoutMilliseconds: 10_000))
  }

  @Test func manyThreadsMayLog() throws {
    let sink = try LogSink()
    let log = try writer(sink.writeEnd)
    let perThread = 200
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      for index in 0..<perThread { log.log(.info, "line", ["n": "\(thread).\(index)"]) }
    }
    var next = [0, 0, 0, 0]
    for _ in 0..<(4 * perThread) {
      let line = try #require(sink.lineWithoutTime())
      let number = try #require(line.split(separator: "=").last).split(separator: ".")
      let (thread, index) = (try #require(Int(number[0])), try #require(Int(number[1])))
      #expect(next[thread] == index)
      next[thread] = index + 1
    }
    #expect(log.stop(timeoutMilliseconds: 10_000))
  }

  @Test func aLogThatIsForgottenEnds() throws {
    let sink = try LogSink()
    do {
      let log = try writer(sink.writeEnd)
      log.log(.info, "last")
    }
    #expect(sink.lineWithoutTime() == "info last")
  }
}
