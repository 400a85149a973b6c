/// What a shard has sent of its workers' messages for other shards' clients, and has taken of
/// theirs.
///
/// Bounds what is under way: a worker is not read while too much of what it sent was not taken.
struct OutputAccount {
  /// Workers are read on until so many bytes are under way, for each other shard: as much as one
  /// read brings.
  static let untakenMax = 256 << 10
  /// What a message counts for beyond its payload, in bytes.
  static let overhead = 128

  /// What was sent to a shard, and not taken there.
  private struct Passed {
    var outputs: [WorkerOutput] = []
    /// Those in front that were taken.
    var start = 0
    /// All that were ever taken.
    var takenCount: UInt64 = 0
  }

  private let shards: Int
  /// Bytes under way, a broadcast counting for each shard that is to take it.
  private var untaken = 0
  /// Messages of others that were given to clients here.
  private(set) var takenCount: UInt64 = 0
  /// So many of them the door was not told of; at the door, always 0.
  private var unsaidCount = 0
  /// At the door: bytes that their senders were not told of, by sender.
  private var unsaidBytes: [Int]
  /// At the door what was passed on to each other shard, elsewhere what was sent to the door.
  private var passed: [Passed]
  /// At the door: how many messages came from each other shard.
  private(set) var heardCounts: [UInt64]
  /// What has come and is not taken yet, as clients here hold it back.
  private var held: [WorkerOutput] = []
  /// Those in front that were taken since.
  private var heldStart = 0

  init(shards: Int) {
    self.shards = shards
    unsaidBytes = Array(repeating: 0, count: shards)
    passed = Array(repeating: Passed(), count: shards)
    heardCounts = Array(repeating: 0, count: shards)
  }

  /// What a message counts for, in bytes.
  static func byteCount(_ output: WorkerOutput) -> Int { output.payload.count + overhead }

  // MARK: Sending

  var isOverfull: Bool { untaken > Self.untakenMax * (shards - 1) }
  /// Half of it was taken: workers may be read again.
  var hasRoom: Bool { untaken <= Self.untakenMax * (shards - 1) / 2 }

  mutating func sent(_ output: WorkerOutput) {
    switch output.target {
    case .session: untaken += Self.byteCount(output)
    case .broadcast: untaken += Self.byteCount(output) * (shards - 1)
    }
  }

  mutating func wasTaken(_ byteCount: Int) { untaken -= byteCount }

  // MARK: Taking

  mutating func heard(from shard: Int) { heardCounts[shard] += 1 }

  mutating func took(_ output: WorkerOutput, isDoor: Bool) {
    takenCount += 1
    if isDoor { unsaidBytes[output.origin] += Self.byteCount(output) } else { unsaidCount += 1 }
  }

  /// Messages wait here to be taken.
  var hasHeld: Bool { heldStart < held.count }

  /// Messages that have come here, those included that wait.
  var cameCount: UInt64 { takenCount + UInt64(held.count - heldStart) }

  /// Lets a message wait: it counts as if it were still under way.
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

  /// Somebody waits to hear that something was taken.
  var hasUnsaid: Bool { unsaidCount > 0 || unsaidBytes.contains { $0 > 0 } }

  /// How many messages the door has not heard of.
  mutating func takeUnsaidCount() -> Int {
    defer { unsaidCount = 0 }
    return unsaidCount
  }

  /// How many bytes of each shard's messages that shard has not heard of.
  mutating func takeUnsaidBytes() -> [Int] {
    defer { unsaidBytes = Array(repeating: 0, count: unsaidBytes.count) }
    return unsaidBytes
  }

  // MARK: Passing on

  mutating func passedOn(_ output: WorkerOutput, to shard: Int) {
    passed[shard].outputs.append(output)
  }

  /// A shard has taken the oldest of what was passed on to it.
  ///
  /// - Returns: the bytes of each shard's messages among them.
  mutating func wereTaken(_ count: Int, by shard: Int) -> [Int] {
    var bytes = Array(repeating: 0, count: passed.count)
    let start = passed[shard].start
    for output in passed[shard].outputs[start..<start + count] {
      bytes[output.origin] += Self.byteCount(output)
    }
    passed[shard].start += count
    passed[shard].takenCount += UInt64(count)
    if passed[shard].start * 2 >= passed[shard].outputs.count {
      passed[shard].outputs.removeFirst(passed[shard].start)
      passed[shard].start = 0
    }
    return bytes
  }

  /// The door has heard so many of all messages of this shard.
  mutating func wereHeard(_ count: UInt64) {
    _ = wereTaken(Int(count - passed[0].takenCount), by: 0)
  }

  /// What was passed on to a shard behind the first `count` of all.
  func missed(by shard: Int, since count: UInt64) -> ArraySlice<WorkerOutput> {
    let passed = passed[shard]
    return passed.outputs.dropFirst(passed.start + Int(count - passed.takenCount))
  }

  /// Nothing is under way.
  var isSettled: Bool {
    !hasUnsaid && !hasHeld && untaken == 0
      && passed.allSatisfy { $0.outputs.count == $0.start }
  }
}
