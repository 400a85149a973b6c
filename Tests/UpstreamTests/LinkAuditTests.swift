import Primitives
import Testing

@testable import Upstream

/// Goal: a link notices its own mistakes.
@Suite struct LinkAuditTests {
  /// Goal: a call that nghttp2 has, and that nobody asks it for, is noticed until it is sent.
  @Test func framesThatNobodyAsksForAreNoticed() {
    let harness = LinkHarness()
    harness.becomeReady()
    Fault.$active.withValue(.forgetFrames) {
      _ = harness.authenticate(1, timeout: .seconds(9), isSent: false)
    }
    #expect(harness.takeWritten() == [])
    let problems = harness.link.audit()
    #expect(problems == ["nghttp2 has frames, and is not asked for them"])
    // A beat asks for everything.
    harness.advance(by: .seconds(3))
    #expect(harness.worker.last("authenticate") != nil)
    let problemsBehind = harness.link.audit()
    #expect(problemsBehind == [])
  }
}
