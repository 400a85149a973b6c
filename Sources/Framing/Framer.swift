/// Cuts a byte stream into packets.
///
/// A concrete enum instead of an existential: the packet path asks it once per packet. Framers own
/// no bytes; whoever reads the stream shows them what lies at its front.
public enum Framer: Equatable, BitwiseCopyable, Sendable {
  /// Whatever one read brings is a packet.
  case raw
  case lengthPrefix(LengthPrefixFramer)
  case delimiter(DelimiterFramer)

  /// What lies at the front of a stream.
  public enum Step: Equatable, Sendable {
    /// A whole packet of so many bytes, at least 1.
    case packet(byteCount: Int)
    /// Not before the stream has this many bytes at its front can anything be decided.
    case needMore(totalBytes: Int)
    /// No packet ends in these bytes, and it can't be told how many are missing.
    ///
    /// Ask again when there are more, with `scanned` the count of these; where the packet ends in
    /// what comes next says ``Framer/missing(behind:in:)``.
    case needAnyMore
    case violation(FramingViolation)
  }

  /// Looks at the front of `bytes`, without allocating: in O(1), or in as many steps as there are
  /// bytes behind the first `scanned`.
  ///
  /// - Parameter scanned: at most the count of `bytes`: how many of them the same framer was shown
  ///   when it answered ``Step/needAnyMore``; 0 when they are new.
  /// - Precondition: `bytes` is not empty.
  @inlinable
  public func step(_ bytes: UnsafeRawBufferPointer, scanned: Int = 0) -> Step {
    switch self {
    case .raw: .packet(byteCount: bytes.count)
    case .lengthPrefix(let framer): unsafe framer.step(bytes)
    case .delimiter(let framer): unsafe framer.step(bytes, scanned: scanned)
    }
  }

  /// How many bytes of `more` belong to the packet whose front is `front`, so that no more than
  /// these need be put behind it; nil when all of them do and the packet may go on.
  ///
  /// - Precondition: the answer to `front` was ``Step/needAnyMore``.
  @inlinable
  public func missing(
    behind front: UnsafeRawBufferPointer, in more: UnsafeRawBufferPointer
  ) -> Int? {
    switch self {
    case .raw, .lengthPrefix: nil
    case .delimiter(let framer): unsafe framer.firstEnd(in: more, behind: front)
    }
  }
}
