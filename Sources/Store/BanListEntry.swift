public import Auth

/// A ban or allowance as a list has it.
public struct BanListEntry: Equatable, Sendable {
  /// Nil when the list does not say which of the two it is.
  public var effect: BanEffect?
  public var subject: Subject
  public var listener: String?
  public var shownReason = ""
  public var internalReason = ""
  /// Nil when the list does not say.
  public var author: String?
  /// Unix seconds; nil when it has no end.
  public var until: Int64?

  public init(_ subject: Subject) { self.subject = subject }
}

/// A line of a list that is not understood.
public struct BanListProblem: Error, Equatable, Sendable, CustomStringConvertible {
  /// Counts from 1.
  public var line: Int
  public var message: String

  public var description: String { "line \(line): \(message)" }

  init(_ line: Int, _ message: String) {
    self.line = line
    self.message = message
  }
}
