/// What a ``PacketCutter`` remembers of one direction of one stream; empty at the stream's start.
@frozen
public struct FramerState: Equatable, BitwiseCopyable, Sendable {
  /// What belongs to a plugin.
  @usableFromInline var plugin: UInt64 = 0
  /// The bytes at the front that were looked at and hold no packet's end.
  @usableFromInline var scanned: UInt32 = 0
  /// Packets of the stage that were taken, where a stage counts them.
  @usableFromInline var packets: UInt8 = 0
  @usableFromInline var stage: UInt8 = 0
  @usableFromInline var isAuthenticated = false
  @usableFromInline var telnet = TelnetScan()

  @inlinable public init() {}

  /// What was looked at and held no packet's end is gone: the next bytes begin a packet.
  public mutating func forgetFront() {
    scanned = 0
    telnet = TelnetScan()
  }

  /// Whole packets went by, in front of what this state has looked at: takes over how far they
  /// brought the stream.
  public mutating func passed(_ other: FramerState) {
    if stage != other.stage { forgetFront() }
    stage = other.stage
    packets = other.packets
  }
}

/// Cuts a byte stream into packets.
///
/// A handle of two pointers into a ``CompiledFramer``, to be copied freely and to be used as long
/// as
/// that lives. It owns no bytes; whoever reads the stream shows it what lies at the front.
@safe
@frozen
public struct PacketCutter: BitwiseCopyable, @unchecked Sendable {
  /// What lies at the front of a stream.
  public enum Step: Equatable, Sendable {
    /// A whole packet of `byteCount` bytes, at least 1, of which the last `dropped` are not to be
    /// handed on.
    case packet(byteCount: Int, dropped: Int)
    /// Not before the stream has this many bytes at its front can anything be decided.
    case needMore(totalBytes: Int)
    /// No packet ends in these bytes, and it can't be told how many are missing.
    case needAnyMore
    case violation(FramingViolation)
  }

  @usableFromInline let stages: UnsafePointer<Stage>
  @usableFromInline let rules: UnsafePointer<Rule>
  /// Whether a plugin cuts some of it: what that keeps for a stream can't be copied.
  public let hasPlugin: Bool
  /// Whether packets are cut in the same way wherever in a stream they stand.
  public let isSameEverywhere: Bool

  init(
    stages: UnsafePointer<Stage>, rules: UnsafePointer<Rule>, hasPlugin: Bool,
    isSameEverywhere: Bool
  ) {
    unsafe self.stages = unsafe stages
    unsafe self.rules = unsafe rules
    self.hasPlugin = hasPlugin
    self.isSameEverywhere = isSameEverywhere
  }

  /// Looks at the front of `bytes`, without allocating: in O(1), or in as many steps as there are
  /// bytes that the state does not know yet.
  ///
  /// Asked again with the same bytes, or with more behind them, it answers from where it stopped.
  ///
  /// - Precondition: `bytes` is not empty.
  @inlinable @inline(__always)
  public func step(_ bytes: UnsafeRawBufferPointer, _ state: inout FramerState) -> Step {
    // SAFETY: a state's stage is one of this framer's, and each names one of its rules.
    switch unsafe rules[Int(stages[Int(state.stage)].rule)] {
    case .raw: .packet(byteCount: bytes.count, dropped: 0)
    case .plainLength(let length): unsafe length.step(bytes)
    case .length, .delimiter, .telnet, .fixed, .table, .cases, .choice, .plugin:
      unsafe slowStep(bytes, &state)
    }
  }

  /// The packet that ``step(_:_:)`` found last has been taken.
  @inlinable
  public func took(_ state: inout FramerState) {
    // SAFETY: as above.
    let stage = unsafe stages[Int(state.stage)]
    state.scanned = 0
    if stage.isPlain { return }
    leavePacket(stage, &state)
  }

  /// Whether all that is at the front now, and all that follows, is raw.
  @inlinable
  public func isRaw(_ state: FramerState) -> Bool {
    // SAFETY: as above.
    let stage = unsafe stages[Int(state.stage)]
    guard stage.isPlain, case .raw = unsafe rules[Int(stage.rule)] else { return false }
    return true
  }

  /// The client was let in: a step of a sequence may be over.
  public func authenticated(_ state: inout FramerState) {
    state.isAuthenticated = true
    enter(state.stage, &state)
  }

  /// The stream is over; the state must not be used again.
  public func ended(_ state: inout FramerState) {
    guard state.plugin != 0 else { return }
    // SAFETY: as above.
    if case .plugin(let layout) = unsafe rules[Int(stages[Int(state.stage)].rule)] {
      unsafe layout.pointee.end(&state.plugin)
    }
  }

  // MARK: The less common ways

  @usableFromInline
  func slowStep(_ bytes: UnsafeRawBufferPointer, _ state: inout FramerState) -> Step {
    // SAFETY: as above; what rules point to lives as long as they do.
    var rule = unsafe rules[Int(stages[Int(state.stage)].rule)]
    while true {
      switch rule {
      case .raw: return .packet(byteCount: bytes.count, dropped: 0)
      case .plainLength(let length): return unsafe length.step(bytes)
      case .length(let framer): return unsafe framer.pointee.step(bytes)
      case .fixed(let framer): return unsafe framer.step(bytes)
      case .delimiter(let framer):
        let step = unsafe framer.pointee.step(bytes, scanned: Int(state.scanned))
        if case .needAnyMore = step { state.scanned = UInt32(bytes.count) }
        return step
      case .telnet(let framer):
        var scan = state.telnet
        let step = unsafe scan.step(bytes, scanned: Int(state.scanned), framer.pointee)
        // A packet may be asked for again before it is taken.
        if case .needAnyMore = step {
          state.telnet = scan
          state.scanned = UInt32(bytes.count)
        }
        return step
      case .plugin(let layout):
        let step = unsafe layout.pointee.step(
          bytes, scanned: Int(state.scanned), &state.plugin)
        if case .needAnyMore = step { state.scanned = UInt32(bytes.count) }
        return step
      case .table(let layout):
        if let step = unsafe layout.pointee.step(bytes) { return step }
        enter(unsafe layout.pointee.unknownStage, &state)
        rule = unsafe rules[Int(stages[Int(state.stage)].rule)]
      case .cases(let layout):
        switch unsafe layout.pointee.decide(bytes) {
        case .target(let target): rule = unsafe rules[Int(target)]
        case .needMore(let total): return .needMore(totalBytes: total)
        case .noCase: return .violation(.noCase)
        }
      case .choice(let layout):
        switch unsafe layout.pointee.decide(bytes) {
        case .target(let stage):
          enter(stage, &state)
          rule = unsafe rules[Int(stages[Int(state.stage)].rule)]
        case .needMore(let total): return .needMore(totalBytes: total)
        case .noCase: return .violation(.noCase)
        }
      }
    }
  }

  @usableFromInline
  func leavePacket(_ stage: Stage, _ state: inout FramerState) {
    state.telnet = TelnetScan()
    // SAFETY: as above.
    if case .plugin(let layout) = unsafe rules[Int(stage.rule)] {
      unsafe layout.pointee.taken(&state.plugin)
    }
    guard stage.packetsMax > 0 else { return }
    state.packets += 1
    if state.packets == stage.packetsMax { enter(stage.next, &state) }
  }

  /// Goes on with a stage, or with what follows it for a client that is in already.
  private func enter(_ stage: UInt8, _ state: inout FramerState) {
    var stage = stage
    // SAFETY: as above. Stages lead to later ones only.
    while state.isAuthenticated, let next = unsafe stages[Int(stage)].onAuthenticated {
      stage = next
    }
    guard stage != state.stage else { return }
    ended(&state)
    state.stage = stage
    state.packets = 0
    state.scanned = 0
    state.telnet = TelnetScan()
  }
}
