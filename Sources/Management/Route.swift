internal import Gateway
internal import Primitives
internal import Upstream

/// What a method and a path ask for.
enum Route: Equatable {
  case index, live, ready, metrics
  case listWorkers, addWorker
  case drainWorker(WorkerID)
  case removeWorker(WorkerID)
  case listSessions, closeSessions
  case closeSession(SessionUUID)
  case listListeners, addListener
  case removeListener(String)
  case explain
  case startRecording
  case takeRecorded(RecordingID)
  case stopRecording(RecordingID)

  /// Why a method and a path ask for nothing.
  enum Problem: Error, Equatable {
    case unknownPath
    /// The path exists; `allowed` are its methods, as the `Allow` header lists them.
    case wrongMethod(allowed: String)
    /// Part of the path has to be a worker's number.
    case notAWorkerID(String)
    /// Part of the path has to be a session's UUID.
    case notASessionUUID(String)
    /// Part of the path has to be a recording's number.
    case notARecordingID(String)
  }

  /// True for what load balancers and supervisors ask, who hold no token.
  var isPublic: Bool { self == .live || self == .ready }

  /// - Parameter path: decoded, without the query; one trailing slash is ignored.
  init(method: String, path: String) throws(Problem) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
      .map(String.init)
    let words = parts.last == "" ? Array(parts.dropLast()) : parts
    guard path.hasPrefix("/") else { throw .unknownPath }
    switch words {
    case []: self = try Self.get(.index, method)
    case ["livez"]: self = try Self.get(.live, method)
    case ["readyz"]: self = try Self.get(.ready, method)
    case ["metrics"]: self = try Self.get(.metrics, method)
    case ["upstream"]: self = try Self.get(.listWorkers, method)
    case ["sessions"]: self = try Self.sessions(method)
    case ["listeners"]: self = try Self.listeners(method)
    case ["why"]: self = try Self.get(.explain, method)
    case ["recordings"]:
      try Self.require("POST", method)
      self = .startRecording
    default: self = try Self.action(words, method)
    }
  }

  private static func action(_ words: [String], _ method: String) throws(Problem) -> Route {
    guard words.count >= 2, words.count <= 3, words.allSatisfy({ !$0.isEmpty }) else {
      throw .unknownPath
    }
    switch (words[0], words[1], words.count == 3 ? words[2] : nil) {
    case ("upstream", "add", nil):
      try require("POST", method)
      return .addWorker
    case ("upstream", "delete", let id?):
      try require("POST", method)
      return .removeWorker(try workerID(id))
    case ("upstream", let id, "drain"):
      try require("POST", method)
      return .drainWorker(try workerID(id))
    case ("upstream", let id, nil):
      try require("DELETE", method)
      return .removeWorker(try workerID(id))
    case ("sessions", let text, nil):
      try require("DELETE", method)
      guard let uuid = SessionUUID(text: text) else { throw .notASessionUUID(text) }
      return .closeSession(uuid)
    case ("listeners", let name, nil):
      try require("DELETE", method)
      return .removeListener(name)
    case ("recordings", let text, nil): return try recording(text, method)
    default: throw .unknownPath
    }
  }

  private static func listeners(_ method: String) throws(Problem) -> Route {
    switch method {
    case "GET", "HEAD": return .listListeners
    case "POST": return .addListener
    default: throw .wrongMethod(allowed: "GET, HEAD, POST")
    }
  }

  private static func recording(_ text: String, _ method: String) throws(Problem) -> Route {
    guard let number = number(text) else { throw .notARecordingID(text) }
    switch method {
    // HEAD would take what it does not send.
    case "GET": return .takeRecorded(RecordingID(rawValue: number))
    case "DELETE": return .stopRecording(RecordingID(rawValue: number))
    default: throw .wrongMethod(allowed: "GET, DELETE")
    }
  }

  private static func sessions(_ method: String) throws(Problem) -> Route {
    switch method {
    case "GET", "HEAD": return .listSessions
    case "DELETE": return .closeSessions
    default: throw .wrongMethod(allowed: "GET, HEAD, DELETE")
    }
  }

  private static func get(_ route: Route, _ method: String) throws(Problem) -> Route {
    guard method == "GET" || method == "HEAD" else { throw .wrongMethod(allowed: "GET, HEAD") }
    return route
  }

  private static func require(_ allowed: String, _ method: String) throws(Problem) {
    guard method == allowed else { throw .wrongMethod(allowed: allowed) }
  }

  private static func workerID(_ text: String) throws(Problem) -> WorkerID {
    guard let number = number(text) else { throw .notAWorkerID(text) }
    return WorkerID(rawValue: number)
  }

  /// Digits only: the initializer would take a sign too.
  private static func number(_ text: String) -> UInt32? {
    text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? UInt32(text) : nil
  }
}
