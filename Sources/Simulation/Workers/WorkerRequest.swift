package import SampleWorker

/// One message of a packet stream, as a worker got it.
package struct WorkerRequest: Equatable {
  package var uuid: String
  package var payload: [UInt8]
  /// Nil for a packet.
  package var event: InputStreamRequest.Event?

  package init(uuid: String, payload: [UInt8], event: InputStreamRequest.Event?) {
    self.uuid = uuid
    self.payload = payload
    self.event = event
  }
}
