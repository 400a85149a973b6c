internal import Gateway
internal import JSON
internal import Primitives

/// Recordings are read in the form in which they are kept: https://www.iana.org/assignments/
/// media-types/application/vnd.tcpdump.pcap.
private let captureType = "application/vnd.tcpdump.pcap"

extension ManagementAPI {
  /// Begins a recording, where the configuration lets one.
  func startRecording(_ body: [UInt8]) -> HTTPResponse {
    guard isRecordingAllowed else {
      return .error(
        403, "recording-disabled",
        "recordings hold what players send, their passwords too, so they are off unless "
          + "recording = true stands in [management]; the gateway has to be started anew for it")
    }
    let request: RecordingRequest
    do { request = try RecordingRequest(parsing: body) } catch { return Self.response(error) }
    switch perform(.startRecording(request), Self.timeoutMilliseconds) {
    case .recordingStarted(let id):
      return HTTPResponse(201) { json in
        json.key("recording")
        json.object { json in
          json.member("id", id.rawValue)
          json.member("listener", request.listener)
          json.member("bytes_max", request.bytesMax)
          json.member("sessions_max", request.sessionsMax)
          json.member("seconds", request.duration.nanoseconds / 1_000_000_000)
        }
      }
    case let reply: return Self.unexpected(reply)
    }
  }

  /// What was recorded since the last time; 410 once there is nothing more.
  func takeRecorded(_ id: RecordingID) -> HTTPResponse {
    switch perform(.takeRecorded(id), Self.timeoutMilliseconds) {
    case .recorded(let batch) where batch.isEnd && !batch.isFirst:
      .error(
        410, "recording-ended", "the recording is over", beside: { $0.recording(batch.summary) })
    case .recorded(let batch):
      HTTPResponse(200, contentType: captureType, body: captureBytes(of: batch))
    case let reply: Self.unexpected(reply)
    }
  }

  func stopRecording(_ id: RecordingID) -> HTTPResponse {
    switch perform(.stopRecording(id), Self.timeoutMilliseconds) {
    case .recordingStopped(let summary): HTTPResponse(200) { $0.recording(summary) }
    case let reply: Self.unexpected(reply)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func recording(_ summary: RecordingSummary) {
    key("recording")
    object { json in
      json.member("id", summary.id.rawValue)
      json.member("listener", summary.listener)
      json.member("sessions", summary.sessions)
      json.member("sessions_cut", summary.sessionsCut)
      json.member("bytes", summary.bytes)
      json.member("end", optional: summary.end?.rawValue)
    }
  }
}
