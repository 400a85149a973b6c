public import Gateway
public import JSON

/// How listeners are added and removed: by whoever can read their configuration, open their sockets
/// and keep them.
///
/// Both block the calling thread, which may take seconds, and are called from several.
public struct ListenerOperations: Sendable {
  /// - Parameters:
  ///   - json: an object: the keys of a `[[listener]]` table, and `framers`.
  ///   - saves: whether it is to be there again when the gateway starts.
  public typealias Add =
    @Sendable (_ json: JSONValue, _ saves: Bool) -> Result<
      AddedListener, ListenerFailure
    >
  public typealias Remove =
    @Sendable (_ name: String, _ closesSessions: Bool) -> Result<
      RemovedListener, ListenerFailure
    >

  public var add: Add
  public var remove: Remove

  public init(add: @escaping Add, remove: @escaping Remove) {
    self.add = add
    self.remove = remove
  }

  /// For a gateway whose listeners are as they are.
  public static let none = ListenerOperations(
    add: { _, _ in .failure(.unanswered) }, remove: { _, _ in .failure(.unanswered) })
}

public struct AddedListener: Sendable {
  public var status: ListenerStatus
  /// What is allowed but probably not meant.
  public var warnings: [String]

  public init(status: ListenerStatus, warnings: [String]) {
    self.status = status
    self.warnings = warnings
  }
}

public struct RemovedListener: Sendable {
  /// With the sessions that are left.
  public var status: ListenerStatus
  /// It stands in the configuration file, and is there again when the gateway is started anew.
  public var comesBack: Bool

  public init(status: ListenerStatus, comesBack: Bool) {
    self.status = status
    self.comesBack = comesBack
  }
}

/// Why listeners are as they were.
public enum ListenerFailure: Error, Equatable, Sendable {
  public struct Problem: Equatable, Sendable {
    /// The path of the key; empty for the whole.
    public var key: String
    public var message: String

    public init(key: String, message: String) {
      self.key = key
      self.message = message
    }
  }

  /// Why nothing can listen there.
  public enum Place: String, Sendable {
    case portInUse = "port-in-use"
    case portNotPermitted = "port-not-permitted"
    case addressNotLocal = "address-not-local"
    case unresolved = "cannot-resolve"
    case other = "cannot-listen"
  }

  /// What was asked for is no listener; never empty.
  case invalid([Problem])
  case cannotListen(Place, String)
  /// The file of saved listeners can't be written.
  case cannotSave(String)
  case refused(CommandError)
  /// The shard had no time for it.
  case unanswered
}
