internal import Auth
internal import Primitives

/// What one session may send.
struct SessionLimits: BitwiseCopyable {
  var packets: RatePace?
  var packetsAction: LimitAction
  var bytes: RatePace?
  var bytesAction: LimitAction
  var packetBytesMax: Int
  var packetBytesAction: LimitAction

  /// Nil when there is no limit.
  init?(_ limits: ListenerLimits) {
    guard limits.packets != nil || limits.bytes != nil || limits.packetBytesMax != nil else {
      return nil
    }
    packets = limits.packets.map { RatePace($0) }
    packetsAction = limits.packetsAction
    bytes = limits.bytes.map { RatePace($0) }
    bytesAction = limits.bytesAction
    packetBytesMax = limits.packetBytesMax ?? .max
    packetBytesAction = limits.packetBytesAction
  }
}

extension Shard {
  /// What becomes of a packet by its listener's limits.
  enum Admittance: BitwiseCopyable {
    case forward
    /// It goes to the worker, and what follows waits.
    case forwardAndPause
    case drop
    case close
    case ban

    init(_ action: LimitAction) {
      switch action {
      case .slowDown: self = .forwardAndPause
      case .drop: self = .drop
      case .close: self = .close
      case .ban: self = .ban
      }
    }
  }

  /// Counts a packet against its session's limits.
  @inline(__always)
  func admit(packetOf byteCount: Int, from index: UInt32, now: Instant) -> Admittance {
    let listener = Int(sessions[index].listener)
    guard !sessions[index].isAllowed, let limits = sessionLimits[listener] else { return .forward }
    if byteCount > limits.packetBytesMax {
      return Admittance(limits.packetBytesAction)
    }
    var slowsDown = false
    if let pace = limits.packets {
      if limits.packetsAction == .slowDown {
        slowsDown = slow(sessions[index].packetMeter.charge(1, of: pace, now: now), index, now)
      } else if !sessions[index].packetMeter.take(1, of: pace, now: now) {
        return Admittance(limits.packetsAction)
      }
    }
    if let pace = limits.bytes {
      let amount = UInt64(byteCount)
      if limits.bytesAction == .slowDown {
        let wait = sessions[index].byteMeter.charge(amount, of: pace, now: now)
        slowsDown = slow(wait, index, now) || slowsDown
      } else if !sessions[index].byteMeter.take(amount, of: pace, now: now) {
        return Admittance(limits.bytesAction)
      }
    }
    return slowsDown ? .forwardAndPause : .forward
  }

  @inline(__always)
  private func slow(_ wait: Interval, _ index: UInt32, _ now: Instant) -> Bool {
    guard wait > .zero else { return false }
    sessions[index].limitedUntil = max(sessions[index].limitedUntil, now + wait)
    return true
  }

  /// Stops reading a session until its allowance has grown again.
  mutating func slowDown(_ index: UInt32, effects: inout Effects) {
    access.slowDowns += 1
    pause(index, .limited, effects: &effects)
    armTimer(of: index)
  }

  /// A session may send again.
  mutating func endSlowDown(_ index: UInt32, now: Instant, effects: inout Effects) {
    if Fault.forgetRate.isOn { sessions[index].packetMeter = RateMeter() }
    unpause(index, .limited, effects: &effects)
    if !sessions[index].pauses.contains(.noWorker) {
      forwardReceived(of: index, now: now, effects: &effects)
    }
    if sessions[index].phase != .vacant { armTimer(of: index) }
  }

  mutating func closeAsLimited(
    _ index: UInt32, bans: Bool, now: Instant, effects: inout Effects
  ) {
    if bans {
      let listener = listener(of: index)
      ban(
        TemporaryBan(
          subject: .addresses(prefixes.banned(of: sessions[index].client)), listener: nil,
          rule: "limits", shownReason: "too much traffic",
          internalReason: "went beyond a limit of \(listener.name)",
          until: time.unixSeconds + Int64(listener.limits.banFor.milliseconds / 1000)),
        effects: &effects)
    } else {
      offend(.violations, index, now: now, effects: &effects)
    }
    close(index, .rateLimited, flush: true, now: now, effects: &effects)
  }
}
