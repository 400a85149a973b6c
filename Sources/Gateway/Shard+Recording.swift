internal import Primitives

/// What clients send and are given is copied for an operator who wants to see it.
///
/// Sessions are recorded from their first byte on or not at all: a framer needs the stream's start.
/// One that is not recorded pays for it with the test of a byte that lies in its record.
extension Shard {
  /// At most so many recordings at a time.
  static let recordingsMax = 4

  // MARK: Commands

  mutating func startRecording(
    _ request: RecordingRequest, now: Instant, effects: inout Effects
  ) -> Reply {
    guard shutdown == nil else { return .failed(.shuttingDown) }
    // One that is gone but for its last sessions has no new ones.
    guard let listener = self.slot(named: request.listener),
      listeners[listener].state == .listening
    else { return .failed(.unknownListener(request.listener)) }
    if recordings.contains(where: { $0?.listener == listener && $0?.isRunning == true }) {
      return .failed(.listenerIsRecorded(request.listener))
    }
    guard let slot = recordings.firstIndex(where: { $0 == nil }) else {
      return .failed(.tooManyRecordings)
    }
    lastRecordingID &+= 1
    let id = RecordingID(rawValue: lastRecordingID)
    let address = listeners[listener].configuration
    var server = SocketAddress(ipv4: 0, 0, 0, 0, port: address.port)
    if let prefix = AddressPrefix(text: address.host) { server.bytes = prefix.bytes }
    recordings[slot] = Recording(request, id: id, listener: listener, server: server, now: now)
    rearmRecordings()
    effects.log.append(.recordingStarted(id, request))
    return .recordingStarted(id)
  }

  mutating func takeRecorded(_ id: RecordingID, now: Instant) -> Reply {
    guard let slot = slot(of: id) else { return .failed(.unknownRecording) }
    let batch = recordings[slot]!.take(now: now)
    rearmRecordings()
    return .recorded(batch)
  }

  mutating func stopRecording(_ id: RecordingID, effects: inout Effects) -> Reply {
    guard let slot = slot(of: id) else { return .failed(.unknownRecording) }
    end(slot, .stopped, &effects)
    let summary = recordings[slot]!.summary
    recordings[slot] = nil
    rearmRecordings()
    return .recordingStopped(summary)
  }

  private func slot(of id: RecordingID) -> Int? {
    recordings.firstIndex { $0?.summary.id == id }
  }

  // MARK: Deadlines

  /// To be called whenever a recording's deadline may have changed.
  private mutating func rearmRecordings() {
    recordingDeadline = recordings.compactMap { $0?.nextDeadline }.min()
  }

  mutating func endRecordings(now: Instant, effects: inout Effects) {
    for slot in recordings.indices {
      guard let recording = recordings[slot], recording.nextDeadline <= now else { continue }
      if recording.abandonedAt <= now {
        end(slot, .abandoned, &effects)
        recordings[slot] = nil
      } else {
        end(slot, .time, &effects)
      }
    }
    rearmRecordings()
  }

  /// A listener is gone with its last session: its place may be another's soon.
  mutating func endRecordings(ofListener listener: Int, effects: inout Effects) {
    for slot in recordings.indices where recordings[slot]?.listener == listener {
      end(slot, .listenerRemoved, &effects)
    }
  }

  private mutating func end(_ slot: Int, _ reason: RecordingEnd, _ effects: inout Effects) {
    guard recordings[slot]!.isRunning else { return }
    recordings[slot]!.end(reason)
    ended(slot, &effects)
  }

  /// Its sessions go on without it.
  private mutating func ended(_ slot: Int, _ effects: inout Effects) {
    for id in recordings[slot]!.sessionIDs {
      if let index = index(of: id) { endRecording(ofSession: index, &effects) }
    }
    effects.log.append(.recordingEnded(recordings[slot]!.summary))
  }

  // MARK: Sessions

  /// A session has begun: it may be one that is to be recorded.
  mutating func beginRecording(_ index: UInt32) {
    guard recordingDeadline != nil else { return }
    let listener = Int(sessions[index].listener)
    let client = sessions[index].client
    for slot in recordings.indices
    where recordings[slot]?.takes(listener: listener, client: client) == true {
      let number = recordings[slot]!.begin(
        id(of: index), client: client, at: time.unixMilliseconds)
      sessions[index].recording = RecordingMark(slot: UInt8(slot), number: number)
      return
    }
  }

  /// Notes what happened to a session that is recorded.
  @inline(never)
  mutating func record(
    _ kind: RecordedEvent.Kind, _ bytes: UnsafeRawBufferPointer, of index: UInt32,
    effects: inout Effects
  ) {
    guard isDoor else { return unsafe recordAtDoor(kind, bytes, of: index, &effects) }
    unsafe note(kind, bytes, of: index, at: time.unixMilliseconds, effects: &effects)
  }

  mutating func note(
    _ kind: RecordedEvent.Kind, _ bytes: UnsafeRawBufferPointer, of index: UInt32,
    at unixMilliseconds: UInt64, effects: inout Effects
  ) {
    let mark = sessions[index].recording
    let slot = Int(mark.slot)
    guard recordings[slot]?.isRunning == true else { return }
    let goesOn = unsafe recordings[slot]!.note(kind, mark.number, bytes, at: unixMilliseconds)
    if !goesOn || kind == .closed { endRecording(ofSession: index, &effects) }
    noteEnd(ofRecording: slot, &effects)
  }

  /// To be called when a recording may have come to its end by itself.
  mutating func noteEnd(ofRecording slot: Int, _ effects: inout Effects) {
    if !recordings[slot]!.isRunning { ended(slot, &effects) }
  }

  /// As ``record(_:_:of:effects:)``, for what brings no bytes.
  mutating func record(
    _ kind: RecordedEvent.Kind, of index: UInt32, effects: inout Effects
  ) {
    unsafe record(
      kind, UnsafeRawBufferPointer(start: nil, count: 0), of: index, effects: &effects)
  }
}
