/// Packets, or whole streams, whose first bytes say which framer they need.
public struct SwitchFramer: Equatable, Sendable {
  /// How often it is decided.
  public enum Each: String, CaseIterable, Sendable {
    /// For each packet anew.
    case packet
    /// Once, by what the stream begins with, for good.
    case stream
  }

  /// A framer, and what leads to it.
  public struct Case: Equatable, Sendable {
    public static let matchesMax = 8
    public static let offsets = 0...8

    /// Where the bytes stand that are compared, from the front.
    public let offset: Int
    /// One of them has to be there.
    public let matches: [ConstantBytes]
    public let framer: Framer

    /// - Parameters:
    ///   - offset: 0 to 8.
    ///   - matches: 1 to 8.
    public init(
      offset: Int = 0, matches: [ConstantBytes], framer: Framer
    ) throws(FramerDefinitionError) {
      try Self.offsets.check(offset, "offset")
      guard (1...Self.matchesMax).contains(matches.count) else {
        throw FramerDefinitionError(key: "match", expected: "1 to \(Self.matchesMax)")
      }
      self.offset = offset
      self.matches = matches
      self.framer = framer
    }
  }

  public static let casesMax = 64

  public let each: Each
  /// The first one that matches counts.
  public let cases: [Case]
  /// What all else needs; nil when it is a violation.
  public let otherwise: Framer?

  /// - Parameter cases: 1 to 64.
  public init(
    each: Each = .packet, cases: [Case], otherwise: Framer? = nil
  ) throws(FramerDefinitionError) {
    guard (1...Self.casesMax).contains(cases.count) else {
      throw FramerDefinitionError(key: "case", expected: "1 to \(Self.casesMax)")
    }
    self.each = each
    self.cases = cases
    self.otherwise = otherwise
  }
}

/// A ``SwitchFramer`` as the packet path uses it.
@safe
@usableFromInline
struct SwitchLayout: BitwiseCopyable {
  /// One match of one case; the target is a rule, or a stage where the stream is decided.
  struct Arm: BitwiseCopyable {
    var match: ConstantBytes
    var offset: UInt8
    var target: UInt8
  }

  enum Decision {
    case target(UInt8)
    case needMore(totalBytes: Int)
    case noCase
  }

  var arms: UnsafeBufferPointer<Arm>
  var otherwise: UInt8?

  func decide(_ bytes: UnsafeRawBufferPointer) -> Decision {
    // A case that may still match, but that another of its matches may decide.
    var undecided: UInt8?
    for index in 0..<(unsafe arms.count) {
      let arm = unsafe arms[index]
      if let undecided, undecided != arm.target { break }
      switch unsafe arm.match.match(bytes, at: Int(arm.offset)) {
      case .yes: return .target(arm.target)
      case .undecided: undecided = arm.target
      case .no: continue
      }
    }
    if undecided != nil { return .needMore(totalBytes: bytes.count + 1) }
    return otherwise.map { .target($0) } ?? .noCase
  }
}
