/// Numbers from 0 on, most of them without gaps: ascending ranges, as few as there can be.
struct NumberSet: Equatable {
  private(set) var ranges: [Range<Int>] = []

  var count: Int { ranges.reduce(0) { $0 + $1.count } }

  /// The least number that is not in it.
  var firstMissing: Int {
    guard let first = ranges.first, first.lowerBound == 0 else { return 0 }
    return first.upperBound
  }

  func contains(_ number: Int) -> Bool {
    let place = place(of: number)
    return place < ranges.count && ranges[place].contains(number)
  }

  /// - Returns: false when it was there already.
  mutating func insert(_ number: Int) -> Bool {
    let place = place(of: number)
    if place < ranges.count, ranges[place].contains(number) { return false }
    let joinsBefore = place > 0 && ranges[place - 1].upperBound == number
    let joinsAfter = place < ranges.count && ranges[place].lowerBound == number + 1
    switch (joinsBefore, joinsAfter) {
    case (true, true):
      ranges[place - 1] = ranges[place - 1].lowerBound..<ranges[place].upperBound
      ranges.remove(at: place)
    case (true, false): ranges[place - 1] = ranges[place - 1].lowerBound..<number + 1
    case (false, true): ranges[place] = number..<ranges[place].upperBound
    case (false, false): ranges.insert(number..<number + 1, at: place)
    }
    return true
  }

  /// The first range that ends behind `number`.
  private func place(of number: Int) -> Int {
    // What is asked for is nearly always at the end.
    if let last = ranges.last, number >= last.upperBound { return ranges.count }
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound <= number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
