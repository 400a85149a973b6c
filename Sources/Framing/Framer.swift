/// Cuts a byte stream into packets.
///
/// A concrete enum instead of an existential: the packet path asks it once per packet. Framers own
/// no bytes; whoever reads the stream shows them what lies at its front.
public enum Framer: Equatable, BitwiseCopyable, Sendable {
  /// Whatever one read brings is a packet.
  case raw
  case lengthPrefix(LengthPrefixFramer)

  /// What lies at the front of a stream.
  public enum Step: Equatable, Sendable {
    /// A whole packet of so many bytes, at least 1.
    case packet(byteCount: Int)
    /// Not before the stream has this many bytes at its front can anything be decided.
    case needMore(totalBytes: Int)
    case violation(FramingViolation)
  }

  /// Looks at the front of `bytes`, in O(1), without allocating.
  ///
  /// - Precondition: `bytes` is not empty.
  @inlinable
  public func step(_ bytes: UnsafeRawBufferPointer) -> Step {
    switch self {
    case .raw: .packet(byteCount: bytes.count)
    case .lengthPrefix(let framer): unsafe framer.step(bytes)
    }
  }
}
