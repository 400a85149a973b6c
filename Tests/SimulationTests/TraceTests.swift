import Auth
import Gateway
import Primitives
import Testing
import Upstream

@testable import Simulation

/// Goal: whatever differs between two runs shows in their digests.
@Suite struct TraceTests {
  private func digest(_ body: (Trace) -> Void) -> UInt64 {
    let trace = Trace()
    body(trace)
    return trace.digest
  }

  @Test func everyPartOfANoteCounts() {
    let notes: [(Trace) -> Void] = [
      { _ in },
      { $0.note("a") }, { $0.note("b") }, { $0.note("a", 1) }, { $0.note("a", 0, 1) },
      { $0.note("a", 0, 0, 1) }, { $0.note("a", -1) },
      { $0.note("a", bytes: [0]) }, { $0.note("a", bytes: [0, 0]) }, { $0.note("a", bytes: [1]) },
      {
        $0.now = Instant(nanoseconds: 1); $0.note("a")
      },
      {
        $0.note("a"); $0.note("a")
      },
      { $0.mix(1, 2, 3) }, { $0.mix(1, 3, 2) },
      { $0.note(.acceptResumed(listener: "a"), 0) },
      { $0.note(.acceptResumed(listener: "a"), 1) },
      { $0.note(.acceptResumed(listener: "b"), 0) },
      { $0.note(.bansApplied(bans: 1, sessionsClosed: 2), 0) },
      { $0.note(.bansApplied(bans: 2, sessionsClosed: 1), 0) },
      { $0.note(.workerReady(worker: WorkerID(rawValue: 1), pool: "p", endpoint: "a"), 0) },
      { $0.note(.workerReady(worker: WorkerID(rawValue: 2), pool: "p", endpoint: "a"), 0) },
    ]
    let digests = notes.map { digest($0) }
    #expect(Set(digests).count == digests.count)
    #expect(notes.map { digest($0) } == digests)
  }

  /// Goal: a digest is the same on any machine: these numbers were written down once.
  @Test func digestsAreThoseOfOtherMachines() {
    let digest = digest { trace in
      trace.note("connect", 1, -2, 3, bytes: (0..<29).map { UInt8($0) })
      trace.note(.bansApplied(bans: 1, sessionsClosed: 2), 0)
    }
    #expect(hexadecimal(digest) == "139b12be71556248")
  }

  @Test func bytesCountWhereverTheyLie() {
    var random = SeededRandom(seed: 8)
    for count in 0..<40 {
      let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      #expect(ByteDigest.of(bytes) == ByteDigest.of(bytes.lazy.map { $0 }))
      #expect(ByteDigest.of(bytes) == ByteDigest.of(([1, 2, 3] + bytes)[3...]))
      for index in bytes.indices {
        var other = bytes
        other[index] ^= 1
        #expect(ByteDigest.of(bytes) != ByteDigest.of(other))
      }
    }
  }

  @Test func theLastEventsAreKept() {
    var lines: [String] = []
    let trace = Trace { lines.append($0) }
    for number in 0..<1000 {
      trace.now = Instant(nanoseconds: UInt64(number) * 1_500_000)
      trace.note("step", number)
    }
    #expect(trace.count == 1000 && lines.count == 1000)
    #expect(trace.lastLines == Array(lines.suffix(Trace.keptMax)))
    #expect(lines[999] == "   1.498500 step 999 0 0")
  }
}
