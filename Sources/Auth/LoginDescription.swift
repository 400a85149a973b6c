/// What a listener's clients send before they are let in.
public struct LoginDescription: Equatable, Sendable {
  /// What becomes of a packet that is neither part of the identity nor answered.
  public enum Before: String, CaseIterable, Sendable {
    /// It waits, and goes to the worker once the client is let in.
    case hold
    /// It goes to the worker at once, marked as unauthenticated.
    case forward
    /// It ends the session.
    case refuse
  }

  /// The most parts, answers, and fields of one part.
  public static let entriesMax = 32

  /// The packets that make up the identity, 1 to 32.
  ///
  /// It is complete as soon as every part that is not optional has come, and at least one part has.
  /// So parts that are all optional are alternatives to each other.
  public let parts: [LoginPart]
  /// Whether the parts come in the order of the list; otherwise they come in any order.
  public let isOrdered: Bool
  /// Whether packets are read without the telnet commands in them (RFC 854).
  ///
  /// A packet of commands alone is no part and no fault; workers get packets as they came.
  public let isTelnet: Bool
  /// At most 32.
  public let answers: [LoginAnswer]
  /// Sent as soon as the client is connected, for games whose server speaks first.
  public let greeting: ReplyTemplate?
  public let before: Before
  /// How many packets a client may send until its identity is complete, answered ones included.
  public let packetsMax: Int
  /// How many bytes those packets may have together.
  public let bytesMax: Int

  /// Without arguments: the first packet, whatever it is, and nothing is taken from it.
  ///
  /// - Precondition: there are 1 to 32 parts with at most 32 fields each, and at most 32 answers.
  public init(
    parts: [LoginPart] = [LoginPart()], isOrdered: Bool = false, isTelnet: Bool = false,
    answers: [LoginAnswer] = [], greeting: ReplyTemplate? = nil, before: Before = .hold,
    packetsMax: Int = 16,
    bytesMax: Int = 16 << 10
  ) {
    precondition((1...Self.entriesMax).contains(parts.count))
    precondition(parts.allSatisfy { $0.fields.count <= Self.entriesMax })
    precondition(answers.count <= Self.entriesMax)
    self.parts = parts
    self.isOrdered = isOrdered
    self.isTelnet = isTelnet
    self.answers = answers
    self.greeting = greeting
    self.before = before
    self.packetsMax = packetsMax
    self.bytesMax = bytesMax
  }

  /// Whether some part has a field for `target`, optional ones included.
  public func gives(_ target: LoginField.Target) -> Bool {
    parts.contains { part in part.fields.contains { $0.target == target } }
  }
}

/// A packet that belongs to the identity.
public struct LoginPart: Equatable, Sendable {
  public enum Packet: Equatable, Sendable {
    /// The first one that fits ``LoginPart/match`` and belongs to no other part.
    case firstMatch
    /// The n-th of the connection, from 1, answered ones counted; it has to fit, too.
    case ordinal(Int)
  }

  public var packet: Packet
  /// All must hold; none means that any packet fits.
  public var match: [LoginCondition]
  public var isOptional: Bool
  /// What is taken from it, in the order in which it is read.
  public var fields: [LoginField]
  /// Sent when it has come: a prompt for the next one, or an acknowledgement.
  public var reply: ReplyTemplate?

  public init(
    packet: Packet = .firstMatch, match: [LoginCondition] = [], isOptional: Bool = false,
    fields: [LoginField] = [], reply: ReplyTemplate? = nil
  ) {
    self.packet = packet
    self.match = match
    self.isOptional = isOptional
    self.fields = fields
    self.reply = reply
  }
}

/// A question that is answered from the configuration, to whoever asks.
public struct LoginAnswer: Equatable, Sendable {
  public enum Question: Equatable, Sendable {
    /// The connection's first bytes, before anything is cut into packets: 1 to 256 bytes.
    case stream([UInt8])
    /// A packet that fits all of these, as long as the identity is incomplete.
    case packet([LoginCondition])
  }

  public enum Then: String, CaseIterable, Sendable {
    /// The session ends as `answered` once the reply is sent.
    case close
    case `continue`
  }

  public var question: Question
  public var reply: ReplyTemplate?
  public var then: Then

  public init(on question: Question, reply: ReplyTemplate?, then: Then = .close) {
    self.question = question
    self.reply = reply
    self.then = then
  }
}

/// What a connection's first bytes mean for the answers on ``LoginAnswer/Question/stream(_:)``.
public enum StreamAnswer: Equatable, Sendable {
  /// They are for the framer.
  case none
  /// They may become a question when more has come.
  case undecided
  /// The first `byteCount` bytes are the question; nobody else gets them.
  case matched(byteCount: Int, LoginAnswer)
}

extension LoginDescription {
  /// Compares a connection's first bytes with the questions that come before any packet.
  ///
  /// Of several that are there whole the longest counts; it is not waited for a longer one still.
  ///
  /// - Parameter first: all that has come so far, from the connection's first byte on.
  public func streamAnswer(for first: UnsafeRawBufferPointer) -> StreamAnswer {
    var best: (byteCount: Int, answer: LoginAnswer)?
    var mayBecome = false
    for answer in answers {
      guard case .stream(let pattern) = answer.question, !pattern.isEmpty else { continue }
      guard unsafe first.prefix(pattern.count).elementsEqual(pattern.prefix(first.count)) else {
        continue
      }
      if first.count < pattern.count {
        mayBecome = true
      } else if pattern.count > best?.byteCount ?? 0 {
        best = (pattern.count, answer)
      }
    }
    if let best { return .matched(byteCount: best.byteCount, best.answer) }
    return mayBecome ? .undecided : .none
  }
}
