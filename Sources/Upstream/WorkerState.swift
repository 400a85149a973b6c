/// How far a link to a worker has come; raw values are the names in metrics and the management API.
public enum WorkerState: String, CaseIterable, Sendable {
  case resolving, connecting, handshaking, probing, ready, draining, drained
  case notReady = "not-ready"
  case backingOff = "backing-off"
}
