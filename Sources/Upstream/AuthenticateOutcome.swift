/// What became of a call that ``Link/authenticate(call:request:timeout:now:)`` began.
public struct AuthenticateAnswer: Equatable, Sendable {
  /// The owner's number for the call.
  public var call: UInt64
  public var outcome: AuthenticateOutcome

  public init(call: UInt64, outcome: AuthenticateOutcome) {
    self.call = call
    self.outcome = outcome
  }
}

/// A worker's word on a client, or why there is none.
public enum AuthenticateOutcome: Equatable, Sendable {
  /// The account is as the worker wrote it; empty when it takes the one that it was asked about.
  case allowed(account: String, attributes: [(name: String, value: String)])
  /// The worker's reason is for the log; may be empty, and has at most 200 bytes.
  case refused(reason: String)
  /// There is no answer: the text, for the log, says why. Another worker may give one.
  case failed(String)

  public static func == (a: AuthenticateOutcome, b: AuthenticateOutcome) -> Bool {
    switch (a, b) {
    case (.allowed(let account, let attributes), .allowed(let other, let others)):
      account == other && attributes.elementsEqual(others) { $0 == $1 }
    case (.refused(let reason), .refused(let other)): reason == other
    case (.failed(let problem), .failed(let other)): problem == other
    case (.allowed, _), (.refused, _), (.failed, _): false
    }
  }
}
