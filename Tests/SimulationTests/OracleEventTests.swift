import SampleWorker
import Testing

@testable import Simulation

/// Goal: what a worker is told of its sessions is right only in the one way it can be.
@Suite struct OracleEventTests {
  private var known: EventAccount.Known {
    var known = EventAccount.Known()
    known.account = "player-1"
    known.address = "192.0.2.1:1000"
    known.listener = "game"
    known.nextSequence = 3
    return known
  }

  private func opened(_ adjust: (inout SessionOpened) -> Void = { _ in }) -> SessionOpened {
    var opened = SessionOpened()
    opened.account = "player-1"
    opened.clientAddress = "192.0.2.1:1000"
    opened.listener = "game"
    opened.nextSequence = 3
    adjust(&opened)
    return opened
  }

  @Test func aWholeLifeIsRight() {
    var events = EventAccount()
    #expect(events.opened(1, opened(), known) == nil)
    #expect(events.packet(1, isIdentified: true) == nil)
    #expect(events.open == [1])
    #expect(events.closed(1, reason: 1, known) == nil)
    #expect(events.open.isEmpty)
  }

  @Test func aClientMayBeLetInLater() {
    var events = EventAccount()
    var before = known
    before.isIn = false
    let event = opened {
      $0.unauthenticated = true
      $0.account = ""
    }
    #expect(events.opened(1, event, before) == nil)
    #expect(events.packet(1, isIdentified: false) == nil)
    #expect(events.packet(1, isIdentified: true)?.property == .sessionEvents)
    #expect(events.authenticated(1, account: "player-1", before)?.property == .authentication)
    #expect(events.authenticated(1, account: "player-2", known)?.property == .authentication)
    #expect(events.authenticated(1, account: "player-1", known) == nil)
    #expect(events.authenticated(1, account: "player-1", known)?.property == .sessionEvents)
    #expect(events.packet(1, isIdentified: true) == nil)
  }

  @Test func wrongOpeningsAreFound() {
    let wrong: [(inout SessionOpened) -> Void] = [
      { $0.account = "player-2" }, { $0.clientAddress = "192.0.2.2:1000" },
      { $0.listener = "other" }, { $0.nextSequence = 4 }, { $0.nextSequence = 2 },
    ]
    for adjust in wrong {
      var events = EventAccount()
      #expect(events.opened(1, opened(adjust), known) != nil)
    }
    var events = EventAccount()
    var stranger = known
    stranger.isIn = false
    #expect(events.opened(1, opened(), stranger)?.property == .authentication)
    events = EventAccount()
    var moved = known
    moved.wasElsewhere = true
    #expect(events.opened(1, opened(), moved)?.property == .sessionEvents)
    #expect(EventAccount().open.isEmpty)
  }

  @Test func whatIsOutOfTurnIsFound() {
    var events = EventAccount()
    #expect(events.packet(1, isIdentified: true)?.property == .sessionEvents)
    #expect(events.closed(1, reason: 1, known)?.property == .sessionEvents)
    _ = events.opened(1, opened(), known)
    #expect(events.opened(1, opened(), known)?.property == .sessionEvents)
    var over = known
    over.closeReason = 3
    #expect(events.closed(1, reason: 1, over)?.property == .sessionEvents)
    #expect(events.packet(1, isIdentified: true)?.property == .sessionEvents)
    #expect(events.closed(1, reason: 3, over)?.property == .sessionEvents)
  }
}
