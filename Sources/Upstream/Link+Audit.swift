internal import Primitives

/// What must be true of a link between two events, whatever happened.
extension Link {
  /// What is wrong with the link's own figures; empty when nothing is.
  ///
  /// Mutating, though nothing changes: a connection can't be borrowed out of a link.
  package mutating func audit() -> [String] {
    var problems: [String] = []
    func check(_ isTrue: Bool, _ problem: @autoclosure () -> String) {
      if !isTrue { problems.append(problem()) }
    }
    switch phase {
    case .handshaking, .asking, .notReady, .active, .draining:
      check(http != nil, "\(phase) without a connection")
    case .idle, .resolving, .connecting, .backingOff, .drained, .removed:
      check(http == nil, "\(phase) with a connection")
      check(authentications.isEmpty, "\(phase) with open calls of authenticate")
      check(packets.bytes.isEmpty && segments.isEmpty, "\(phase) with something to write")
    }
    check((phase == .active) == (activeSince != nil) || phase == .draining, "active since when?")
    check(phase != .active || heartbeat != nil, "active without a heartbeat")
    check(packets.writtenBytes <= packets.framedBytes, "bytes written that were never framed")
    check(packets.framedBytes <= packets.bytes.count, "bytes framed that are not there")
    check(authentications.count + answers.count <= Self.authenticationsMax, "too many calls")
    check(answers.isEmpty, "answers of authenticate that nobody took")
    check(http?.forgetsFrames != true, "nghttp2 has frames, and is not asked for them")
    return problems
  }

  /// What a link still has of work that is over; empty when it has nothing.
  ///
  /// Mutating for the same reason.
  package mutating func leftovers() -> [String] {
    var left: [String] = []
    if queuedBytes > 0 { left.append("\(queuedBytes) bytes for the worker") }
    if !packets.bytes.isEmpty { left.append("written bytes that are kept") }
    if !segments.isEmpty { left.append("segments to write") }
    if !authentications.isEmpty { left.append("\(authentications.count) calls of authenticate") }
    if !answers.isEmpty { left.append("\(answers.count) answers of authenticate") }
    if let waiting = http?.requestsWaiting, waiting > 0 { left.append("\(waiting) unsent calls") }
    return left
  }
}
