internal import Captures
internal import Gateway

/// The part of a .pcap file that one batch of a recording is.
///
/// A function of the batch alone: every event says how far its session had come before, so that
/// nothing has to be kept between two requests.
func captureBytes(of batch: RecordedBatch) -> [UInt8] {
  var file = batch.isFirst ? CaptureWriter.fileHeader : []
  var place = 0
  for event in batch.events {
    let bytes = batch.bytes[place..<place + event.byteCount]
    place += event.byteCount
    let time = event.unixMilliseconds * 1_000_000
    var writer = CaptureWriter(
      client: batch.clients[event.session], server: batch.server,
      clientBytes: event.clientBytes, serverBytes: event.serverBytes,
      clientHasEnded: event.clientHasEnded)
    switch event.kind {
    case .opened: writer.writeOpening(at: time, into: &file)
    case .fromClient: writer.write(bytes, .clientToServer, at: time, into: &file)
    case .toClient: writer.write(bytes, .serverToClient, at: time, into: &file)
    case .clientEnded: writer.writeEnd(of: .clientToServer, at: time, into: &file)
    case .closed:
      writer.writeEnd(of: .serverToClient, at: time, into: &file)
      writer.writeEnd(of: .clientToServer, at: time, into: &file)
    }
  }
  return file
}
