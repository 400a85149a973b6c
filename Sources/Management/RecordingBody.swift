internal import Gateway
internal import JSON
internal import Primitives

extension RecordingRequest {
  /// Reads the body of `POST /recordings`; an unknown field is an error, since it may be a misspelt
  /// one.
  init(parsing body: [UInt8]) throws(AddWorkerRequest.Problem) {
    let object: JSONObject
    do { object = try JSONObject(parsing: body) } catch { throw .malformed(error) }

    var reader = FieldReader(object)
    let listener = reader.text("listener")
    let bytesRange = UInt64(Self.bytesRange.lowerBound)...UInt64(Self.bytesRange.upperBound)
    let sessionsRange = 1...UInt64(Self.sessionsRange.upperBound)
    let bytes = reader.wholeNumber("bytes", in: bytesRange)
    let sessions = reader.wholeNumber("sessions", in: sessionsRange)
    let seconds = reader.wholeNumber("seconds", in: Self.secondsRange)
    let client = reader.text("client")
    let prefix = client.flatMap { AddressPrefix(text: $0) }
    if client != nil, prefix == nil {
      reader.reject("client", "must be an address, or a prefix such as 192.0.2.0/24")
    }
    reader.require("listener")
    reader.rejectTheRest()

    guard reader.problems.isEmpty, let listener else {
      throw .fields(reader.problems.sorted { $0.name < $1.name })
    }
    self.init(listener: listener)
    if let bytes { bytesMax = Int(bytes) }
    if let sessions { sessionsMax = Int(sessions) }
    if let seconds { duration = .seconds(seconds) }
    self.client = prefix
  }
}
