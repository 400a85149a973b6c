internal import Primitives

/// Packets that wait in a byte queue with their bounds, until their client has been let in.
///
/// They were cut by the framer that held then; another may go on with the stream. Each stands
/// behind
/// its length, in four bytes.
enum HeldPackets {
  private static let headerByteCount = 4

  static func append(_ packet: UnsafeRawBufferPointer, to queue: inout ByteQueue) {
    unsafe withUnsafeBytes(of: UInt32(packet.count)) { header in
      unsafe queue.append(header)
    }
    unsafe queue.append(packet)
  }

  /// - Precondition: `bytes` begins with a packet that was appended whole.
  static func first(of bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let byteCount = unsafe Int(bytes.loadUnaligned(as: UInt32.self))
    let packet = unsafe bytes[headerByteCount..<(headerByteCount + byteCount)]
    return unsafe UnsafeRawBufferPointer(rebasing: packet)
  }

  /// What a packet takes in the queue.
  static func byteCount(of packet: UnsafeRawBufferPointer) -> Int {
    headerByteCount + packet.count
  }
}
