internal import JSON
internal import Primitives
internal import Upstream

/// The body of `POST /upstream/add`.
struct AddWorkerRequest {
  /// Why a body is not a request.
  enum Problem: Error, Equatable {
    case malformed(JSONObject.Malformed)
    /// What is wrong, field by field, in alphabetical order.
    case fields([Field])

    struct Field: Equatable {
      var name: String
      var problem: String
    }
  }

  var pool: String?
  var worker: WorkerConfiguration

  /// Longest connect and ready timeouts, in seconds: one request holds a thread for about their
  /// sum.
  static let probeTimeoutSecondsMax: UInt64 = 60
  /// Longest alive timeout, in seconds.
  static let aliveTimeoutSecondsMax: UInt64 = 3600

  /// Reads the body; an unknown field is an error, since it may be a misspelt one.
  init(parsing body: [UInt8]) throws(Problem) {
    let object: JSONObject
    do { object = try JSONObject(parsing: body) } catch { throw .malformed(error) }

    var reader = FieldReader(object)
    let host = reader.text("host")
    if let host, !isHost(host) {
      reader.reject("host", "must be a host name or an IP address without brackets or port")
    }
    let port = reader.wholeNumber("port", in: 1...65_535)
    let alive = reader.wholeNumber("alive_timeout", in: 1...Self.aliveTimeoutSecondsMax)
    let ready = reader.wholeNumber("ready_timeout", in: 1...Self.probeTimeoutSecondsMax)
    let connect = reader.wholeNumber("connect_timeout", in: 1...Self.probeTimeoutSecondsMax)
    let pool = reader.text("pool")
    for required in ["host", "port"] { reader.require(required) }
    reader.rejectTheRest()

    guard reader.problems.isEmpty, let host, let port else {
      throw .fields(reader.problems.sorted { $0.name < $1.name })
    }
    self.pool = pool
    worker = WorkerConfiguration(host: host, port: UInt16(port))
    if let alive { worker.aliveTimeout = .seconds(alive) }
    if let ready { worker.readyTimeout = .seconds(ready) }
    if let connect { worker.connectTimeout = .seconds(connect) }
  }

  /// How long the first probe may take, with room for a name to be resolved, in milliseconds.
  var timeoutMilliseconds: UInt32 {
    // Connecting and the handshake after it may take `connectTimeout` each.
    let probe = worker.connectTimeout.milliseconds * 2 + worker.readyTimeout.milliseconds
    return UInt32(clamping: probe + 5_000)
  }
}

/// Takes the members of an object one by one, and remembers what is wrong with them.
struct FieldReader {
  private var unread: [String: JSONObject.Value] = [:]
  private var seen: Set<String> = []
  private(set) var problems: [AddWorkerRequest.Problem.Field] = []

  init(_ object: JSONObject) {
    for member in object.members { unread[member.name] = member.value }
    seen = Set(unread.keys)
  }

  mutating func text(_ name: String) -> String? {
    switch unread.removeValue(forKey: name) {
    case .string(let text): return text
    case nil: return nil
    case .integer: reject(name, "must be a string, not a whole number")
    case .other(let kind): reject(name, "must be a string, not \(kind)")
    }
    return nil
  }

  mutating func wholeNumber(_ name: String, in range: ClosedRange<UInt64>) -> UInt64? {
    let wanted = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    switch unread.removeValue(forKey: name) {
    case .integer(let number):
      if let number = UInt64(exactly: number), range.contains(number) { return number }
      reject(name, wanted)
    case nil: return nil
    case .string: reject(name, "\(wanted), not a string")
    case .other(let kind): reject(name, "\(wanted), not \(kind)")
    }
    return nil
  }

  mutating func require(_ name: String) {
    if !seen.contains(name) { reject(name, "is missing") }
  }

  mutating func rejectTheRest() {
    for name in unread.keys { reject(name, "is not a field of this request") }
  }

  mutating func reject(_ name: String, _ problem: String) {
    problems.append(.init(name: name, problem: problem))
  }
}

private func isHost(_ text: String) -> Bool {
  let allowed = text.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "-"),
      UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"):
      true
    default: false
    }
  }
  // 253 is the longest name that DNS can hold.
  return allowed && !text.isEmpty && text.utf8.count <= 253
}
