internal import Primitives

/// Recordings are kept at the door: other shards tell it what happens to recorded sessions.
extension Shard {
  /// What may be under way to the door, in bytes; a session that needs more is not recorded on.
  private static let recordingBytesInFlightMax = 4 << 20

  // MARK: At other shards

  /// Has the door note what happened to a session.
  mutating func recordAtDoor(
    _ kind: RecordedEvent.Kind, _ bytes: UnsafeRawBufferPointer, of index: UInt32,
    _ effects: inout Effects
  ) {
    let uuid = sessions[index].uuid
    let byteCount = bytes.count + Recording.eventBytes
    guard recordingBytesInFlight + byteCount <= Self.recordingBytesInFlightMax else {
      sessions[index].recording = .none
      return effects.tell(0, .recordingCut(uuid))
    }
    recordingBytesInFlight += byteCount
    let moment = RecordedMoment(
      uuid: uuid, kind: kind, bytes: unsafe Array(bytes), unixMilliseconds: time.unixMilliseconds)
    effects.tell(0, .recorded(moment))
  }

  // MARK: At the door

  /// Another shard says what happened to a session that is recorded.
  mutating func note(_ moment: RecordedMoment, from shard: Int, _ effects: inout Effects) {
    let byteCount = moment.bytes.count + Recording.eventBytes
    effects.tell(shard, .recordingCredit(byteCount: byteCount))
    guard let index = index(of: moment.uuid), sessions[index].recording.isSet else { return }
    unsafe moment.bytes.withUnsafeBytes { bytes in
      unsafe note(
        moment.kind, bytes, of: index, at: moment.unixMilliseconds, effects: &effects)
    }
  }

  /// A session is not recorded any further: too much of it was under way.
  mutating func cutRecording(of uuid: SessionUUID, _ effects: inout Effects) {
    guard let index = index(of: uuid), sessions[index].recording.isSet else { return }
    let mark = sessions[index].recording
    sessions[index].recording = .none
    guard recordings[Int(mark.slot)]?.isRunning == true else { return }
    recordings[Int(mark.slot)]!.cut()
    noteEnd(ofRecording: Int(mark.slot), &effects)
  }

  /// A session's recording is over, before the session is.
  mutating func endRecording(ofSession index: UInt32, _ effects: inout Effects) {
    guard sessions[index].recording.isSet else { return }
    sessions[index].recording = .none
    guard sessions[index].phase == .away else { return }
    effects.tell(Int(sessions[index].shard), .recordingEnded(sessions[index].uuid))
  }
}
