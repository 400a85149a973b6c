/// What one client has sent in one visit, and what became of it.
struct PacketAccount {
  struct Rules {
    /// A session stays with one worker at a time, and its packets in their order.
    var isOrdered = true
    /// A limit of the listener may forget packets.
    var mayDrop = false
    /// The login packet, where no worker gets it.
    var withheld: Int?
  }

  let visit: Int
  let form: PacketForm
  let rules: Rules
  private(set) var sentCount = 0
  private(set) var rawSentByteCount = 0
  /// Garbage was sent behind so many packets.
  private(set) var violatedAt: Int?
  /// Messages that workers have handled.
  private(set) var handledCount = 0
  /// Messages that had gone to a worker which was lost before it handled them.
  private(set) var lostCount = 0
  private var done = NumberSet()
  private var lastTaken = -1
  private var rawDoneByteCount = 0

  init(visit: Int, form: PacketForm, rules: Rules = Rules()) {
    self.visit = visit
    self.form = form
    self.rules = rules
  }

  var takenCount: Int { handledCount + lostCount }

  /// Packets, or bytes of a raw stream, that were sent and that nobody has taken.
  var missingCount: Int {
    let withheld = rules.withheld.map { $0 < sentCount ? 1 : 0 } ?? 0
    return sentCount - withheld - done.count + rawSentByteCount - rawDoneByteCount
  }

  // MARK: Sent

  mutating func willSend(_ number: Int) -> Finding? {
    guard number == sentCount else {
      return Finding(.driver, "a client sends packet \(number) after \(sentCount) others")
    }
    sentCount += 1
    return nil
  }

  mutating func willSendRaw(_ byteCount: Int) { rawSentByteCount += byteCount }
  mutating func willViolate() { violatedAt = violatedAt ?? sentCount }

  // MARK: Taken

  /// A worker has handled a message, or was lost with it.
  ///
  /// - Parameter forgivesGaps: the session is ending, with a reason for which packets may vanish.
  mutating func took(_ payload: [UInt8], isLost: Bool, forgivesGaps: Bool = false) -> Finding? {
    if let finding = check(payload, forgivesGaps: forgivesGaps) { return finding }
    if isLost { lostCount += 1 } else { handledCount += 1 }
    return nil
  }

  private mutating func check(_ payload: [UInt8], forgivesGaps: Bool) -> Finding? {
    if form.isRaw, done.firstMissing >= framedCount { return checkRaw(payload) }
    guard let (visit, number) = form.read(payload) else {
      return Finding(.packets, "\(payload.count) bytes that nobody sent: \(payload.prefix(16))")
    }
    guard visit == self.visit else {
      return Finding(.crossing, "packet \(number) of visit \(visit)")
    }
    guard number < sentCount else { return Finding(.packets, "packet \(number) was never sent") }
    guard number != rules.withheld else {
      return Finding(.authentication, "its login packet \(number) reached a worker")
    }
    if let violatedAt, number >= violatedAt {
      return Finding(.packets, "packet \(number), sent behind a violation")
    }
    guard done.insert(number) else { return Finding(.packets, "packet \(number) twice") }
    guard rules.isOrdered else { return nil }
    guard number > lastTaken else {
      return Finding(.packets, "packet \(number) after \(lastTaken)")
    }
    lastTaken = number
    let missing = firstMissing
    guard missing >= number || rules.mayDrop || forgivesGaps else {
      return Finding(.packets, "packet \(number), but \(missing) is missing")
    }
    return nil
  }

  /// Packets that come before a raw stream and that workers get.
  private var framedCount: Int {
    form.firstCount - (rules.withheld == form.firstCount - 1 ? 1 : 0)
  }

  private var firstMissing: Int {
    let missing = done.firstMissing
    guard let withheld = rules.withheld, missing == withheld else { return missing }
    // What lies behind it is in a range of its own.
    guard let next = done.ranges.first(where: { $0.lowerBound == withheld + 1 }) else {
      return withheld + 1
    }
    return next.upperBound
  }

  private mutating func checkRaw(_ payload: [UInt8]) -> Finding? {
    guard rawDoneByteCount + payload.count <= rawSentByteCount else {
      return Finding(.packets, "\(payload.count) raw bytes, more than were sent")
    }
    let expected = form.rawBytes(visit: visit, from: rawDoneByteCount, count: payload.count)
    guard payload == expected else {
      return Finding(
        .packets, "wrong bytes at \(rawDoneByteCount) of its raw stream: \(payload.prefix(16))")
    }
    rawDoneByteCount += payload.count
    return nil
  }
}
