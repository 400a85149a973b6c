internal import Primitives

/// Draws that come out the same on every machine.
extension SeededRandom {
  /// A stream of its own for `name` and `number`, so that one part of a simulation can be left out
  /// without changing what the others draw.
  init(seed: UInt64, _ name: String, _ number: Int = 0) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    self.init(seed: seed ^ hash)
    let first = next()
    self.init(seed: first &+ UInt64(truncatingIfNeeded: number) &* 0x9e37_79b9_7f4a_7c15)
  }

  /// A number of `range`, evenly.
  mutating func draw(_ range: ClosedRange<Int>) -> Int {
    let width = UInt64(range.upperBound - range.lowerBound) &+ 1
    if width == 0 { return Int(bitPattern: UInt(next())) }
    return range.lowerBound + Int(next().multipliedFullWidth(by: width).high)
  }

  /// True so many times of a thousand.
  mutating func chance(_ permille: Int) -> Bool { draw(0...999) < permille }

  mutating func draw(_ range: ClosedRange<Interval>) -> Interval {
    let (low, high) = (range.lowerBound.nanoseconds, range.upperBound.nanoseconds)
    return Interval(nanoseconds: low + next().multipliedFullWidth(by: high - low + 1).high)
  }

  /// One of `elements`, which are not empty.
  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[draw(0...elements.count - 1)]
  }

  /// The time until the next event of a Poisson process, whose mean distance is `mean`.
  ///
  /// Von Neumann's method for the exponential distribution ("Various techniques used in connection
  /// with random digits", 1951): comparisons alone, since the C libraries' logarithms differ.
  mutating func exponential(mean: Interval) -> Interval {
    var whole: UInt64 = 0
    while true {
      let first = next()
      var previous = first
      var length = 1
      while true {
        let following = next()
        if following >= previous { break }
        previous = following
        length += 1
      }
      if length % 2 == 1 {
        let part = first.multipliedFullWidth(by: mean.nanoseconds).high
        return Interval(nanoseconds: whole &* mean.nanoseconds &+ part)
      }
      whole += 1
    }
  }

  mutating func shuffle(_ elements: inout [Int]) {
    guard elements.count > 1 else { return }
    for index in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(index, draw(0...index))
    }
  }
}
