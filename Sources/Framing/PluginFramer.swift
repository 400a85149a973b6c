public import CFramer

/// A framer in a shared object; see include/gatehouse_framer.h.
///
/// Whoever loads the object makes one of these, which closes the context with its last reference.
@safe
public final class PluginFramer: Sendable {
  /// As the configuration says.
  public let path: String
  public let arguments: String
  public let bounds: PacketBounds

  let functions: gatehouse_framer
  nonisolated(unsafe) let context: UnsafeMutableRawPointer?
  private let unload: @Sendable () -> Void

  /// - Parameters:
  ///   - functions: of the ABI version that the header names; `step` is not NULL.
  ///   - context: what `open` made.
  ///   - unload: called after the context was closed.
  public init(
    path: String, arguments: String, bounds: PacketBounds, functions: gatehouse_framer,
    context: UnsafeMutableRawPointer?, unload: @escaping @Sendable () -> Void
  ) {
    self.path = path
    self.arguments = arguments
    self.bounds = bounds
    self.functions = functions
    unsafe self.context = unsafe context
    self.unload = unload
  }

  deinit {
    unsafe functions.close?(context)
    unload()
  }
}

extension PluginFramer: Equatable {
  public static func == (a: PluginFramer, b: PluginFramer) -> Bool {
    a.path == b.path && a.arguments == b.arguments && a.bounds == b.bounds
  }
}

/// A ``PluginFramer`` as the packet path uses it.
@safe
@usableFromInline
struct PluginLayout: BitwiseCopyable {
  var functions: gatehouse_framer
  var context: UnsafeMutableRawPointer?
  var bounds: PacketBounds

  func step(
    _ bytes: UnsafeRawBufferPointer, scanned: Int, _ stream: inout UInt64
  ) -> PacketCutter.Step {
    // SAFETY: the object stays loaded as long as the framer lives; the bytes are there for the
    // call.
    let answer = unsafe functions.step(
      context, &stream, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count, scanned
    )
    let byteCount = Int(clamping: answer.byte_count)
    switch answer.answer {
    case GATEHOUSE_FRAMER_PACKET.rawValue:
      guard byteCount >= 1, byteCount <= bytes.count, Int(answer.dropped) <= byteCount else {
        return .violation(.pluginFault)
      }
      return within(byteCount) ?? .packet(byteCount: byteCount, dropped: Int(answer.dropped))
    case GATEHOUSE_FRAMER_NEED_MORE.rawValue:
      guard byteCount > bytes.count else { return .violation(.pluginFault) }
      guard byteCount <= bounds.maximum else {
        return .violation(
          .packetTooLong(announced: answer.byte_count, maximum: bounds.maximum))
      }
      return .needMore(totalBytes: byteCount)
    case GATEHOUSE_FRAMER_NEED_ANY_MORE.rawValue:
      guard bytes.count < bounds.maximum else {
        return .violation(.noDelimiter(maximum: bounds.maximum))
      }
      return .needAnyMore
    case GATEHOUSE_FRAMER_VIOLATION.rawValue:
      return .violation(.plugin(code: answer.byte_count))
    default: return .violation(.pluginFault)
    }
  }

  private func within(_ byteCount: Int) -> PacketCutter.Step? {
    if byteCount > bounds.maximum {
      return .violation(.packetTooLong(announced: UInt64(byteCount), maximum: bounds.maximum))
    }
    guard byteCount < bounds.minimum else { return nil }
    return .violation(.packetTooShort(announced: Int64(byteCount), minimum: bounds.minimum))
  }

  func taken(_ stream: inout UInt64) { unsafe functions.taken?(context, &stream) }

  /// Lets the plugin free what it keeps for a stream, if it keeps anything.
  func end(_ stream: inout UInt64) {
    guard stream != 0 else { return }
    unsafe functions.end?(context, &stream)
    stream = 0
  }
}
