/// What workers have sent to one client, and what of it the client has read.
struct AnswerAccount {
  /// One answer on its way.
  private struct Expected {
    var serial: UInt32
    var byteCount: Int
    /// Of a broadcast; otherwise the answer is this client's alone.
    var isBroadcast: Bool
  }

  /// What one packet stream has for the client.
  private struct Line {
    var stream: Int
    var expected: [Expected] = []
    var first = 0
    var lastSerial: UInt32 = 0
    /// The last answer that the session's gateway certainly has read while the session was open.
    var readSerial: UInt32 = 0
    /// Its place among the streams that have handled the session's packets; nil for others.
    var rank: Int?

    var waiting: ArraySlice<Expected> { expected[first...] }

    mutating func dropFirst() {
      first += 1
      if first > 64, first * 2 > expected.count {
        expected.removeFirst(first)
        first = 0
      }
    }
  }

  /// Streams in the order in which something of them was first heard.
  private var lines: [Line] = []
  private var rankCount = 0
  private var lastRank = 0
  /// Broadcasts not included.
  private(set) var sentCount = 0
  private(set) var receivedCount = 0
  private(set) var receivedByteCount = 0

  // MARK: Sent

  mutating func willAnswer(_ answer: Answer, on stream: Int) {
    sentCount += 1
    let line = line(stream)
    lines[line].expected.append(
      Expected(serial: answer.serial, byteCount: answer.byteCount, isBroadcast: false))
  }

  /// A broadcast that has to reach this client.
  mutating func willBroadcast(_ answer: Answer, on stream: Int) {
    let line = line(stream)
    lines[line].expected.append(
      Expected(serial: answer.serial, byteCount: answer.byteCount, isBroadcast: true))
  }

  /// Streams that have, or had, something for the client.
  var streams: [Int] { lines.map(\.stream) }

  /// The session is with this stream's worker.
  mutating func isWith(_ stream: Int) {
    let line = line(stream)
    guard lines[line].rank == nil else { return }
    rankCount += 1
    lines[line].rank = rankCount
  }

  private mutating func line(_ stream: Int) -> Int {
    if let place = lines.lastIndex(where: { $0.stream == stream }) { return place }
    lines.append(Line(stream: stream))
    return lines.count - 1
  }

  // MARK: Received

  /// The client has read an answer whose bytes are those of its numbers.
  ///
  /// - Parameter isOrdered: the session is with one worker at a time.
  mutating func received(_ answer: Answer, isOrdered: Bool) -> Finding? {
    let stream = Int(answer.stream)
    let line = line(stream)
    guard answer.serial > lines[line].lastSerial else {
      return Finding(
        .answers,
        "answer \(answer.serial) of stream \(stream) after \(lines[line].lastSerial)")
    }
    if let finding = take(answer, line) { return finding }
    lines[line].lastSerial = answer.serial
    receivedCount += 1
    receivedByteCount += answer.byteCount
    // Broadcasts come from whichever worker, also before a session is with it.
    guard isOrdered, answer.visit != Answer.everybody, let rank = lines[line].rank else {
      return nil
    }
    guard rank >= lastRank else {
      return Finding(.answers, "answer \(answer.serial) of stream \(stream) after a later stream's")
    }
    lastRank = rank
    return nil
  }

  private mutating func take(_ answer: Answer, _ line: Int) -> Finding? {
    let stream = lines[line].stream
    let isBroadcast = answer.visit == Answer.everybody
    guard let next = lines[line].waiting.first, next.serial <= answer.serial else {
      // A broadcast need not have been promised.
      if isBroadcast { return nil }
      return Finding(.answers, "answer \(answer.serial) of stream \(stream) was never sent to it")
    }
    guard next.serial == answer.serial else {
      return Finding(
        .answers, "answer \(answer.serial) of stream \(stream), but \(next.serial) is missing")
    }
    guard next.byteCount == answer.byteCount, next.isBroadcast == isBroadcast else {
      return Finding(
        .answers, "answer \(answer.serial) of stream \(stream) has \(answer.byteCount) bytes")
    }
    lines[line].dropFirst()
    return nil
  }

  /// Answers that must still come.
  ///
  /// - Parameter isLossy: what a stream had on its way may never come.
  func missingCount(isLossy: (Int) -> Bool) -> Int {
    var count = 0
    for line in lines where !line.waiting.isEmpty && !isLossy(line.stream) {
      count += line.waiting.count
    }
    return count
  }

  var isWaiting: Bool { lines.contains { !$0.waiting.isEmpty } }

  /// The session's gateway has read all that a stream had for an open session.
  mutating func wasRead(on stream: Int) {
    guard let line = lines.lastIndex(where: { $0.stream == stream }),
      let last = lines[line].waiting.last
    else { return }
    lines[line].readSerial = last.serial
  }

  /// Answers that a gateway had read for the session and that have not come.
  var readAndMissingCount: Int {
    lines.reduce(0) { count, line in
      count + line.waiting.count { $0.serial <= line.readSerial }
    }
  }

  /// Nothing more is read: what was expected is forgotten.
  mutating func settle() { lines = [] }
}
