/// What a packet of a client that is not let in yet means.
public struct LoginStep: Equatable, Sendable {
  public enum Disposition: Equatable, Sendable {
    /// It is part of the identity; the listener says whether the worker gets it later.
    case identity
    /// It waits until the client is let in.
    case hold
    /// It goes to the worker at once.
    case forward
    /// Nobody gets it: it is answered, or the session ends.
    case consume
  }

  public enum Next: Equatable, Sendable {
    /// The identity is incomplete.
    case more
    case complete(Credentials)
    /// The session ends as `answered`, behind the reply.
    case close
    /// The session ends as `login-invalid`.
    case fault(LoginFault)
  }

  public var disposition: Disposition
  public var reply: ReplyTemplate?
  public var next: Next
  /// The name of the field that a fault is about, for the log; nil when it is about the packet.
  public var field: String?

  public init(
    _ disposition: Disposition, reply: ReplyTemplate? = nil, next: Next = .more,
    field: String? = nil
  ) {
    self.disposition = disposition
    self.reply = reply
    self.next = next
    self.field = field
  }
}

/// Why what a client sent is no login; raw values are for the log.
public enum LoginFault: String, Error, CaseIterable, Sendable {
  case tooManyPackets = "too-many-packets"
  case tooManyBytes = "too-many-bytes"
  /// It is neither part nor question, or a part that had its place has not come there.
  case unexpectedPacket = "unexpected-packet"
  /// A part has come before.
  case repeatedPacket = "repeated-packet"
  case missingField = "missing-field"
  /// A key stands there twice, so that gateway and worker could read different values.
  case repeatedField = "repeated-field"
  case fieldTooLong = "field-too-long"
  /// The bytes are not of the field's character set, or are control characters in a text.
  case badCharacters = "bad-characters"
  /// An account's name that no account can have.
  case badName = "bad-name"
}
