/// What a shard has sent of its workers' messages for other shards' clients, and has delivered of
/// theirs.
///
/// Bounds what is in flight by credit: a worker is not read while too much of what it sent was not
/// delivered. Shards acknowledge once in a turn, and not while their clients can take no more.
///
/// ```
///   worker's shard                   door                          clients' shard
///     sent ─────────── output ─────▶ heard: delivered here,
///     bytes in flight                passed on ───────── output ─▶ heard: delivered there
///                                    acknowledged ◀─ outputsDelivered(count) ─── turn's end
///     credited ◀──── outputCredit(bytes, heard) ─── turn's end
/// ```
///
/// What workers of the door say begins in the middle column.
///
/// To the door a count is enough: messages between two shards keep their order, so it knows whose
/// those were, and how long. A sender is credited with bytes, as a broadcast's come back from each
/// shard in its own time, and bytes do not tell which messages were meant. So `heard` goes along:
/// how many of the sender's messages have come to the door. Only the others can have been missed by
/// a session that has left the door for the sender, which keeps them to make up for that.
struct OutputAccount {
  /// Workers are read on until so many bytes are in flight, for each other shard: as much as one
  /// read brings.
  static let bytesInFlightMax = 256 << 10
  /// What a message counts for beyond its payload, in bytes.
  static let overhead = 128

  /// What was sent to a shard, and not acknowledged.
  private struct InFlight {
    var outputs: [WorkerOutput] = []
    /// Those in front that were acknowledged.
    var start = 0
    /// All that ever were.
    var acknowledgedCount: UInt64 = 0
  }

  private let shards: Int
  /// Bytes of this shard's messages, a broadcast counting for each shard that is to deliver it.
  private var bytesInFlight = 0
  /// Delivered messages that the door was not told of; at the door, always 0.
  private var unacknowledgedCount = 0
  /// At the door: delivered bytes that their senders were not told of, by sender.
  private var unacknowledgedBytes: [Int]
  /// At the door what was passed on to each other shard, elsewhere what was sent to the door.
  private var inFlight: [InFlight]
  /// How many messages of each other shard were taken, and do not wait: at the door from all,
  /// elsewhere from the door.
  private(set) var heardCounts: [UInt64]
  /// What has come and is not taken yet, as clients here hold it back.
  private var held: [WorkerOutput] = []
  /// Those in front that were taken since.
  private var heldStart = 0

  init(shards: Int) {
    self.shards = shards
    unacknowledgedBytes = Array(repeating: 0, count: shards)
    inFlight = Array(repeating: InFlight(), count: shards)
    heardCounts = Array(repeating: 0, count: shards)
  }

  /// What a message counts for, in bytes.
  static func byteCount(_ output: WorkerOutput) -> Int { output.payload.count + overhead }

  // MARK: Sending

  var isOverfull: Bool { bytesInFlight > Self.bytesInFlightMax * (shards - 1) }
  /// Half of it was delivered: workers may be read again.
  var hasRoom: Bool { bytesInFlight <= Self.bytesInFlightMax * (shards - 1) / 2 }

  mutating func sent(_ output: WorkerOutput) {
    switch output.target {
    case .session: bytesInFlight += Self.byteCount(output)
    case .broadcast: bytesInFlight += Self.byteCount(output) * (shards - 1)
    }
  }

  /// So many bytes of what was sent have been delivered.
  mutating func credit(_ byteCount: Int) { bytesInFlight -= byteCount }

  // MARK: Delivering

  mutating func heard(from shard: Int) { heardCounts[shard] += 1 }

  /// A message is given to clients here, as far as it is for any.
  mutating func delivered(_ output: WorkerOutput, isDoor: Bool) {
    if isDoor {
      unacknowledgedBytes[output.origin] += Self.byteCount(output)
    } else {
      unacknowledgedCount += 1
    }
  }

  /// Messages wait here to be delivered.
  var hasHeld: Bool { heldStart < held.count }

  /// Beside the door: messages that have come here, those included that wait.
  var cameCount: UInt64 { heardCounts[0] + UInt64(held.count - heldStart) }

  /// Lets a message wait: it counts as if it were still in flight.
  mutating func hold(_ output: WorkerOutput) { held.append(output) }

  /// The oldest message that waits.
  mutating func takeHeld() -> WorkerOutput? {
    guard hasHeld else { return nil }
    let output = held[heldStart]
    heldStart += 1
    if heldStart * 2 >= held.count {
      held.removeFirst(heldStart)
      heldStart = 0
    }
    return output
  }

  /// Somebody waits to hear that something was delivered.
  var hasUnacknowledged: Bool {
    unacknowledgedCount > 0 || unacknowledgedBytes.contains { $0 > 0 }
  }

  /// How many messages to acknowledge to the door; from here on they are.
  mutating func takeUnacknowledgedCount() -> Int {
    defer { unacknowledgedCount = 0 }
    return unacknowledgedCount
  }

  /// How many bytes to credit to each shard; from here on they are.
  mutating func takeUnacknowledgedBytes() -> [Int] {
    defer { unacknowledgedBytes = Array(repeating: 0, count: unacknowledgedBytes.count) }
    return unacknowledgedBytes
  }

  // MARK: Passing on

  mutating func passedOn(_ output: WorkerOutput, to shard: Int) {
    inFlight[shard].outputs.append(output)
  }

  /// A shard has delivered the oldest of what was passed on to it.
  ///
  /// - Returns: the bytes of each shard's messages among them.
  mutating func acknowledge(_ count: Int, by shard: Int) -> [Int] {
    var bytes = Array(repeating: 0, count: inFlight.count)
    let start = inFlight[shard].start
    for output in inFlight[shard].outputs[start..<start + count] {
      bytes[output.origin] += Self.byteCount(output)
    }
    inFlight[shard].start += count
    inFlight[shard].acknowledgedCount += UInt64(count)
    if inFlight[shard].start * 2 >= inFlight[shard].outputs.count {
      inFlight[shard].outputs.removeFirst(inFlight[shard].start)
      inFlight[shard].start = 0
    }
    return bytes
  }

  /// The door has heard so many of all messages of this shard.
  mutating func acknowledge(heard count: UInt64) {
    _ = acknowledge(Int(count - inFlight[0].acknowledgedCount), by: 0)
  }

  /// What was passed on to a shard behind the first `count` of all.
  func missed(by shard: Int, since count: UInt64) -> ArraySlice<WorkerOutput> {
    let inFlight = inFlight[shard]
    return inFlight.outputs.dropFirst(inFlight.start + Int(count - inFlight.acknowledgedCount))
  }

  /// Nothing is in flight.
  var isSettled: Bool {
    !hasUnacknowledged && !hasHeld && bytesInFlight == 0
      && inFlight.allSatisfy { $0.outputs.count == $0.start }
  }
}
