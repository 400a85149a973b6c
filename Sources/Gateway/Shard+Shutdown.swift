public import Primitives
internal import Upstream

/// The gateway ends: nothing new is taken, what was taken is finished.
///
/// Clients are no longer read; workers get what is queued and the end of their stream; when they
/// have ended theirs, or half of the grace is over, the sessions are closed once their queues are
/// flushed, or the grace is over.
///
/// Each shard does so for itself when the door tells it to; sessions end where they are. The door
/// waits for those that are with other shards.
struct Shutdown: BitwiseCopyable {
  var deadline: Instant
  var sessionsAreClosing = false
  var isFinished = false
}

extension Shard {
  public mutating func beginShutdown(now: Instant, effects: inout Effects) {
    guard shutdown == nil else { return }
    shutdown = Shutdown(deadline: now + configuration.shutdownGrace)
    if isDoor {
      effects.io.append(.stopAccepting)
      effects.log.append(
        .shutdownStarted(sessions: live.count, grace: configuration.shutdownGrace))
      for shard in 1..<groupCount { effects.tell(shard, .shutdown) }
    }
    for index in live where sessions[index].phase != .closing && sessions[index].phase != .away {
      pause(index, .closing, effects: &effects)
      sessions[index].closeReason = .shutdown
      announceClosed(index)
    }
    for link in usedLinks { drain(link, .shutDown, now: now, effects: &effects) }
    advanceShutdown(now: now, effects: &effects)
  }

  /// Takes the next step of the shutdown when what the last one waits for has happened.
  mutating func advanceShutdown(now: Instant, effects: inout Effects) {
    guard let current = shutdown, !current.isFinished else { return }
    let isOverdue = now >= current.deadline
    if usedLinks.isEmpty || isOverdue, !current.sessionsAreClosing {
      shutdown!.sessionsAreClosing = true
      for index in live where sessions[index].phase != .away {
        close(index, .shutdown, flush: true, now: now, effects: &effects)
      }
    }
    guard shutdown!.sessionsAreClosing, live.isEmpty || isOverdue else { return }
    let cut = live.count
    for index in live {
      if sessions[index].phase == .away {
        finishAway(index, effects: &effects)
      } else {
        finish(index, abort: false, now: now, effects: &effects)
      }
    }
    shutdown!.isFinished = true
    if isDoor { effects.log.append(.shutdownFinished(sessionsCut: cut)) }
    effects.io.append(.finished)
  }

  var usedLinks: [LinkIndex] {
    linkStates.indices.filter { linkStates[$0].isUsed }.map { LinkIndex($0) }
  }
}
