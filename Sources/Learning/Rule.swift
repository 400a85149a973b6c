/// A guess at how one direction of a stream is cut into packets.
struct Rule: Equatable {
  enum Shape: Equatable {
    case length(LengthRule)
    case delimiter([UInt8], isTelnet: Bool)
    case fixed(Int)
    /// The first byte says which of the rules holds for a packet.
    case choice([Choice])
    /// The first byte says how many bytes a packet has.
    case table([UInt8: Int])
  }

  struct Choice: Equatable {
    var leads: [UInt8]
    var rule: LengthRule
  }

  /// Bytes at the stream's start that are no packet.
  var prelude = 0
  var shape: Shape
  /// What follows so many packets is no packets any more.
  var rawAfter: Int?

  init(prelude: Int = 0, _ shape: Shape) {
    self.prelude = prelude
    self.shape = shape
  }

  init(prelude: Int = 0, _ rule: LengthRule) { self.init(prelude: prelude, .length(rule)) }
}

/// One packet that a rule has cut out of a stream, all places as offsets in the stream.
struct Cut {
  var start: Int
  /// The field that says the length, which the packet's end explains; empty without one.
  var fieldStart: Int
  var fieldEnd: Int
  var end: Int
  /// What the field says.
  var value: Int
  /// Which of several rules cut it.
  var choice = 0
}

extension Cut {
  /// A packet without a length field.
  init(start: Int, end: Int) {
    self.init(start: start, fieldStart: start, fieldEnd: start, end: end, value: 0)
  }
}

/// A way through a stream by a rule.
struct Walk {
  enum End: Equatable {
    /// The last packet ends where the stream does.
    case exact
    /// Bytes are left that may be the front of a packet.
    case half
    /// What lies at the last packet's end can't be a packet.
    case violation
    /// There are as many packets as were asked for.
    case stopped
  }

  /// Without what is left over.
  var cuts: [Cut] = []
  var end = End.exact
  /// What is left over of a packet whose length could be read.
  var half: Cut?
  var cutsMax = Int.max

  /// - Returns: false when it was the last that was asked for.
  mutating func append(_ cut: Cut) -> Bool {
    cuts.append(cut)
    guard cuts.count >= cutsMax else { return true }
    end = .stopped
    return false
  }

  /// Where the last packet ends.
  func reached(_ rule: Rule) -> Int { cuts.last?.end ?? rule.prelude }
}
