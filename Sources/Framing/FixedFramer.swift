/// Packets that all have the same size.
public struct FixedFramer: Equatable, BitwiseCopyable, Sendable {
  public static let sizes = 1...(64 << 20)

  /// In bytes.
  public let size: Int
  /// What each packet begins with.
  public let leading: ConstantBytes?

  /// - Parameters:
  ///   - size: 1 byte to 64 MiB.
  ///   - leading: at most `size` bytes.
  public init(size: Int, leading: ConstantBytes? = nil) throws(FramerDefinitionError) {
    try Self.sizes.check(size, "size")
    if let leading, leading.byteCount > size {
      throw FramerDefinitionError(key: "leading", expected: "at most the \(size) bytes of `size`")
    }
    self.size = size
    self.leading = leading
  }

  @usableFromInline
  func step(_ bytes: UnsafeRawBufferPointer) -> PacketCutter.Step {
    if let leading {
      switch unsafe leading.match(bytes, at: 0) {
      case .no: return .violation(.wrongConstant(offset: 0))
      // Asked for one by one, so that the first wrong byte is seen when it comes.
      case .undecided: return .needMore(totalBytes: bytes.count + 1)
      case .yes: break
      }
    }
    return bytes.count >= size
      ? .packet(byteCount: size, dropped: 0) : .needMore(totalBytes: size)
  }
}
