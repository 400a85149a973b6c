internal import Auth
internal import Primitives

/// On which terms a listener's clients are let in, and how long they may take and stay.
///
/// Without strings: to copy a whole configuration takes longer than most of what is done with it.
struct ListenerTerms: BitwiseCopyable {
  /// The packets of the identity go to the worker too.
  var forwardsIdentity: Bool
  /// What comes before the identity goes to the worker.
  var forwardsBefore: Bool
  /// Who decides, and on what; nil when everybody is let in.
  var kind: Kind?
  var idleTimeout: Interval
  var halfCloseTimeout: Interval
  var workerWait: Interval
  var writeTimeout: Interval
  /// How long a client may take to be let in.
  var loginTimeout: Interval

  enum Kind: BitwiseCopyable { case token, password, ticket, worker }

  /// A worker decides, and sees the identity's packets.
  var asksWorker: Bool { kind == .worker }

  init(_ listener: ListenerConfiguration) {
    forwardsIdentity = listener.authentication?.forwardsFirstPacket ?? true
    forwardsBefore = listener.authentication?.login.before == .forward
    kind =
      switch listener.authentication?.kind {
      case nil: nil
      case .token: .token
      case .password: .password
      case .ticket: .ticket
      case .worker: .worker
      }
    idleTimeout = listener.idleTimeout
    halfCloseTimeout = listener.halfCloseTimeout
    workerWait = listener.workerWait
    writeTimeout = listener.writeTimeout
    loginTimeout = listener.authentication?.deadline ?? .zero
  }
}
