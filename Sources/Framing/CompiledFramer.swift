/// One stage of a stream: how its packets are cut, and when another stage goes on.
@usableFromInline
struct Stage: BitwiseCopyable {
  @usableFromInline var rule: UInt8
  /// After so many packets ``next`` goes on; 0 for never.
  @usableFromInline var packetsMax: UInt8 = 0
  @usableFromInline var next: UInt8 = 0
  /// What goes on once the client has been let in; nil when that changes nothing.
  @usableFromInline var onAuthenticated: UInt8?
  /// Nothing is to be done when a packet was taken.
  @usableFromInline var isPlain = true

  init(rule: UInt8) { self.rule = rule }
}

/// How packets are cut.
///
/// What is large stands elsewhere in the same framer's memory.
@usableFromInline
@safe
enum Rule: BitwiseCopyable {
  case raw
  case plainLength(PlainLength)
  case length(UnsafePointer<LengthPrefixFramer>)
  case delimiter(UnsafePointer<DelimiterFramer>)
  case telnet(UnsafePointer<DelimiterFramer>)
  case fixed(FixedFramer)
  case table(UnsafePointer<TableLayout>)
  /// The target is a rule.
  case cases(UnsafePointer<SwitchLayout>)
  /// The target is a stage.
  case choice(UnsafePointer<SwitchLayout>)
  case plugin(UnsafePointer<PluginLayout>)
}

/// A ``Framer`` laid out for the packet path: flat, and without a reference that needs counting.
///
/// Sequences and switches that decide for a whole stream become stages, everything else rules. A
/// rule knows nothing of stages, but that an unknown opcode may lead to one.
@safe
public final class CompiledFramer: @unchecked Sendable {
  public let framer: Framer
  /// To be used as long as this object lives.
  public let cutter: PacketCutter
  private let memory: FramerMemory

  public convenience init(_ framer: Framer) throws(FramerDefinitionError) {
    try self.init(framer, untilAuthenticated: nil)
  }

  /// - Parameter login: cuts what comes before the client is let in; nil when `framer` does.
  /// - Throws: ``FramerDefinitionError`` when framers stand in one another where they can't: a
  ///   sequence, or a switch of streams, may be at the top, at the end of a sequence or in a case
  ///   of a
  ///   switch of streams. Also when there are more than 200 stages or rules in all.
  public init(_ framer: Framer, untilAuthenticated login: Framer?) throws(FramerDefinitionError) {
    self.framer = framer
    var plan = FramerPlan()
    if let login {
      let first = try plan.reserveStage()
      let rest = try plan.addStream(framer, depth: 0)
      try plan.addStream(login, at: first, onAuthenticated: rest, depth: 0)
    } else {
      _ = try plan.addStream(framer, depth: 0)
    }
    memory = plan.memory
    cutter = unsafe PacketCutter(
      stages: plan.memory.array(plan.stages).baseAddress!,
      rules: plan.memory.array(plan.rules).baseAddress!,
      hasPlugin: plan.memory.hasPlugin,
      isSameEverywhere: plan.stages.count == 1 && !plan.memory.hasPlugin)
  }
}

/// Owns what a compiled framer points to.
@safe
final class FramerMemory {
  private var blocks: [UnsafeMutableRawPointer] = unsafe []
  private var plugins: [PluginFramer] = []

  deinit {
    while let block = unsafe blocks.popLast() { unsafe block.deallocate() }
  }

  func array<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeBufferPointer<Element> {
    let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(elements.count, 1))
    _ = unsafe buffer.initialize(from: elements)
    unsafe blocks.append(UnsafeMutableRawPointer(buffer.baseAddress!))
    return unsafe UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<elements.count])
  }

  func one<Element: BitwiseCopyable>(_ element: Element) -> UnsafePointer<Element> {
    unsafe array([element]).baseAddress!
  }

  var hasPlugin: Bool { !plugins.isEmpty }

  func keep(_ plugin: PluginFramer) { plugins.append(plugin) }
}

/// Turns the tree of a framer into stages and rules.
private struct FramerPlan {
  /// What a stage's, a rule's or a target's number can be.
  static let countMax = 200

  var memory = FramerMemory()
  var stages: [Stage] = []
  var rules: [Rule] = []

  mutating func reserveStage() throws(FramerDefinitionError) -> UInt8 {
    guard stages.count < Self.countMax else { throw Self.tooLarge }
    stages.append(Stage(rule: 0))
    return UInt8(stages.count - 1)
  }

  private static let tooLarge = FramerDefinitionError(
    key: "framer", expected: "at most \(countMax) framers in it")

  /// - Returns: the stage with which the stream begins.
  mutating func addStream(_ framer: Framer, depth: Int) throws(FramerDefinitionError) -> UInt8 {
    let first = try reserveStage()
    try addStream(framer, at: first, onAuthenticated: nil, depth: depth)
    return first
  }

  mutating func addStream(
    _ framer: Framer, at first: UInt8, onAuthenticated: UInt8?, depth: Int
  ) throws(FramerDefinitionError) {
    guard depth < Framer.depthMax else {
      throw FramerDefinitionError(
        key: "framer", expected: "at most \(Framer.depthMax) of them in one another")
    }
    switch framer {
    case .sequence(let sequence):
      guard onAuthenticated == nil || !framer.asksForAuthentication else {
        throw FramerDefinitionError(
          key: "framer", expected: "one step until authenticated, and not one in another")
      }
      try addSequence(sequence, at: first, onAuthenticated: onAuthenticated, depth: depth)
    case .switch(let choice) where choice.each == .stream:
      try addChoice(choice, at: first, onAuthenticated: onAuthenticated, depth: depth)
    case .raw, .lengthPrefix, .delimiter, .fixed, .table, .switch, .plugin:
      try setRule(of: first, framer, onAuthenticated: onAuthenticated, depth: depth)
    }
  }

  private mutating func addSequence(
    _ sequence: SequenceFramer, at first: UInt8, onAuthenticated: UInt8?, depth: Int
  ) throws(FramerDefinitionError) {
    var stage = first
    for step in sequence.steps {
      let next = try reserveStage()
      switch step.until {
      case .packets(let count):
        try setRule(
          of: stage, step.framer, onAuthenticated: onAuthenticated, depth: depth + 1)
        stages[Int(stage)].packetsMax = UInt8(count)
        stages[Int(stage)].next = next
        stages[Int(stage)].isPlain = false
      case .authenticated:
        try addStream(step.framer, at: stage, onAuthenticated: next, depth: depth + 1)
      }
      stage = next
    }
    try addStream(sequence.last, at: stage, onAuthenticated: onAuthenticated, depth: depth + 1)
  }

  private mutating func addChoice(
    _ choice: SwitchFramer, at first: UInt8, onAuthenticated: UInt8?, depth: Int
  ) throws(FramerDefinitionError) {
    var arms: [SwitchLayout.Arm] = []
    for found in choice.cases {
      let stage = try reserveStage()
      try addStream(found.framer, at: stage, onAuthenticated: onAuthenticated, depth: depth + 1)
      arms += Self.arms(of: found, target: stage)
    }
    var otherwise: UInt8?
    if let framer = choice.otherwise {
      let stage = try reserveStage()
      try addStream(framer, at: stage, onAuthenticated: onAuthenticated, depth: depth + 1)
      otherwise = stage
    }
    let layout = unsafe SwitchLayout(arms: memory.array(arms), otherwise: otherwise)
    stages[Int(first)].rule = unsafe try add(.choice(memory.one(layout)))
    stages[Int(first)].onAuthenticated = onAuthenticated
  }

  private static func arms(of found: SwitchFramer.Case, target: UInt8) -> [SwitchLayout.Arm] {
    found.matches.map {
      SwitchLayout.Arm(match: $0, offset: UInt8(found.offset), target: target)
    }
  }

  /// - Parameter onAuthenticated: what goes on after the login, whatever became of the stage by
  ///   then.
  private mutating func setRule(
    of stage: UInt8, _ framer: Framer, onAuthenticated: UInt8?, depth: Int
  ) throws(FramerDefinitionError) {
    let known = stages.count
    stages[Int(stage)].rule = try addRule(framer, depth: depth)
    stages[Int(stage)].onAuthenticated = onAuthenticated
    // Those that unknown opcodes lead to.
    for place in known..<stages.count { stages[place].onAuthenticated = onAuthenticated }
    switch framer {
    case .raw, .lengthPrefix, .fixed, .table: break
    case .delimiter(let framer) where !framer.isTelnet: break
    case .delimiter, .switch, .sequence, .plugin: stages[Int(stage)].isPlain = false
    }
  }

  private mutating func addRule(
    _ framer: Framer, depth: Int
  ) throws(FramerDefinitionError) -> UInt8 {
    guard depth < Framer.depthMax else {
      throw FramerDefinitionError(
        key: "framer", expected: "at most \(Framer.depthMax) of them in one another")
    }
    switch framer {
    case .raw: return try add(.raw)
    case .lengthPrefix(let framer):
      if let plain = framer.plain { return try add(.plainLength(plain)) }
      return try unsafe add(.length(memory.one(framer)))
    case .delimiter(let framer):
      let pointer = unsafe memory.one(framer)
      return try unsafe add(framer.isTelnet ? .telnet(pointer) : .delimiter(pointer))
    case .fixed(let framer): return try add(.fixed(framer))
    case .table(let framer): return try unsafe add(.table(memory.one(layout(of: framer))))
    case .switch(let framer) where framer.each == .packet:
      return try addCases(framer, depth: depth)
    case .plugin(let framer):
      memory.keep(framer)
      return try unsafe add(
        .plugin(
          memory.one(
            PluginLayout(
              functions: framer.functions, context: framer.context, bounds: framer.bounds))))
    case .sequence, .switch:
      throw FramerDefinitionError(
        key: "framer",
        expected:
          "a sequence, or a switch of streams, only at the top, at the end of a sequence, or "
          + "in a case of a switch of streams")
    }
  }

  private mutating func addCases(
    _ framer: SwitchFramer, depth: Int
  ) throws(FramerDefinitionError) -> UInt8 {
    var arms: [SwitchLayout.Arm] = []
    for found in framer.cases {
      try checkIsStateless(found.framer)
      arms += Self.arms(of: found, target: try addRule(found.framer, depth: depth + 1))
    }
    var otherwise: UInt8?
    if let framer = framer.otherwise {
      try checkIsStateless(framer)
      otherwise = try addRule(framer, depth: depth + 1)
    }
    let layout = unsafe SwitchLayout(arms: memory.array(arms), otherwise: otherwise)
    return unsafe try add(.cases(memory.one(layout)))
  }

  /// What a plugin keeps belongs to a stage, which must be of the plugin alone.
  private func checkIsStateless(_ framer: Framer) throws(FramerDefinitionError) {
    if case .plugin = framer {
      throw FramerDefinitionError(
        key: "framer", expected: "no plugin in a switch of packets; a plugin can switch by itself")
    }
    // How long such a packet is would depend on how the network cut the stream.
    guard framer != .raw else {
      throw FramerDefinitionError(
        key: "framer",
        expected: "a framer that knows what a packet is, and not raw; or each = \"stream\"")
    }
  }

  private mutating func layout(
    of framer: TableFramer
  ) throws(FramerDefinitionError) -> TableLayout {
    var fields: [PlainLength] = []
    func place(of field: PlainLength) -> UInt16 {
      if let known = fields.firstIndex(of: field) { return UInt16(known) }
      fields.append(field)
      return UInt16(fields.count - 1)
    }
    let entries = framer.entries.map { entry in
      switch entry.length {
      case .fixed(let size):
        TableLayout.Entry(opcode: entry.opcode, size: UInt32(size), field: 0)
      case .field(let field):
        TableLayout.Entry(opcode: entry.opcode, size: 0, field: place(of: field))
      }
    }
    var unknownField: UInt16?
    var unknownStage: UInt8 = 0
    switch framer.unknown {
    case .violation: break
    case .field(let field): unknownField = place(of: field)
    case .raw:
      unknownStage = try reserveStage()
      try setRule(of: unknownStage, .raw, onAuthenticated: nil, depth: 0)
    }
    var places = [UInt16](repeating: 0, count: framer.opcode.width == 1 ? 256 : 0)
    if !places.isEmpty {
      for (index, entry) in entries.enumerated() { places[Int(entry.opcode)] = UInt16(index + 1) }
    }
    return unsafe TableLayout(
      opcode: framer.opcode, entries: memory.array(entries), places: memory.array(places),
      fields: memory.array(fields),
      unknownField: unknownField, unknownStage: unknownStage)
  }

  private mutating func add(_ rule: Rule) throws(FramerDefinitionError) -> UInt8 {
    guard rules.count < Self.countMax else { throw Self.tooLarge }
    rules.append(rule)
    return UInt8(rules.count - 1)
  }
}
