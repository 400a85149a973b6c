import Primitives
import Testing

@testable import Gateway

/// Goal: when descriptors run out, each listener is told of once, and asked again in time.
@Suite struct AcceptPausesTests {
  private let start = Instant(nanoseconds: 5_000_000_000)

  @Test func isNewsOnce() {
    var pauses = AcceptPauses()
    #expect(pauses.retryAt == .distantFuture)
    #expect(pauses.pause(2, now: start) == true)
    #expect(pauses.isPaused(2))
    #expect(pauses.isPaused(0) == false)
    #expect(pauses.isPaused(7) == false)
    #expect(pauses.retryAt == start + .seconds(1))
    #expect(pauses.resume() == [2])
    #expect(pauses.isPaused(2) == false)
    #expect(pauses.retryAt == .distantFuture)
    // Still nobody was accepted: the same shortage.
    #expect(pauses.pause(2, now: start + .seconds(1)) == false)
    #expect(pauses.pause(0, now: start + .seconds(2)) == true)
    #expect(pauses.retryAt == start + .seconds(2))
    #expect(pauses.feed(2) == true)
    #expect(pauses.feed(2) == false)
    #expect(pauses.pause(2, now: start) == true)
  }

  @Test func freeDescriptorsEndThePause() {
    var pauses = AcceptPauses()
    pauses.descriptorFreed(now: start)
    #expect(pauses.retryAt == .distantFuture)
    _ = pauses.pause(0, now: start)
    pauses.descriptorFreed(now: start + .milliseconds(3))
    #expect(pauses.retryAt == start + .milliseconds(3))
  }

  @Test func slotsAreForgotten() {
    var pauses = AcceptPauses()
    _ = pauses.pause(1, now: start)
    pauses.forget(1)
    pauses.forget(9)
    #expect(pauses.isPaused(1) == false)
    #expect(pauses.feed(1) == false)
    #expect(pauses.resume() == [])
  }
}

/// Goal: a farewell can be read, and what is left open for it is bounded in number and time.
@Suite struct LingeringClientsTests {
  private let start = Instant(nanoseconds: 5_000_000_000)

  @Test func endsAfterASecondOrWithTheClient() {
    var lingering = LingeringClients()
    #expect(lingering.nextDeadline == nil)
    #expect(lingering.add(7, now: start) == true)
    #expect(lingering.add(9, now: start + .milliseconds(1)) == true)
    #expect(lingering.add(8, now: start + .milliseconds(2)) == true)
    #expect(lingering.contains(9))
    #expect(lingering.contains(10) == false)
    #expect(lingering.remove(9) == true)
    #expect(lingering.remove(9) == false)
    #expect(lingering.nextDeadline == start + .seconds(1))
    #expect(lingering.takeExpired(now: start + .milliseconds(999)) == [])
    #expect(lingering.takeExpired(now: start + .milliseconds(1001)) == [7])
    #expect(lingering.takeExpired(now: start + .seconds(2)) == [8])
    #expect(lingering.count == 0)
  }

  @Test func isBounded() {
    var lingering = LingeringClients()
    let added = (0..<2000).count { lingering.add(Int32($0), now: start) }
    #expect(added == 1024)
    #expect(lingering.count == 1024)
  }
}
