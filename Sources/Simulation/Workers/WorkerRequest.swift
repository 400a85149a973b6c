internal import SampleWorker

/// One message of a packet stream, as a worker got it.
struct WorkerRequest: Equatable {
  var uuid: String
  var payload: [UInt8]
  /// Nil for a packet.
  var event: InputStreamRequest.Event?
}
