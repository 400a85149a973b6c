/// A place for a listener: what a shard keeps of each, in lists that are all indexed alike.
///
/// ```
///   vacant ─added─▶ listening ─removed─▶ draining ─nobody left, at the turn's end─▶ vacant
/// ```
///
/// A place is given to another listener only when nothing names it any more, so that no session,
/// count or ban of one listener can pass for another's.
struct ListenerSlot {
  enum State: BitwiseCopyable { case vacant, listening, draining }

  var configuration: ListenerConfiguration
  var state = State.vacant
  /// Open sessions.
  var sessions = 0
  /// Clients that may have left while their claims are verified.
  var claims = 0
  /// The listener's number in the ban table that is in force.
  var banNumber = 0

  /// A place that nobody has had yet.
  static let vacant = ListenerSlot(
    configuration: ListenerConfiguration(name: "", host: "", port: 0, pool: 0))

  /// Nothing names it any more.
  var isForsaken: Bool { state == .draining && sessions == 0 && claims == 0 }
}
