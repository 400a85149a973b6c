internal import Primitives

/// What is to happen, by virtual time; what was added first comes first at one time.
struct EventQueue {
  private struct Entry {
    var at: Instant
    var number: UInt64
    var event: Event

    func comes(before other: Entry) -> Bool {
      at == other.at ? number < other.number : at < other.at
    }
  }

  /// A binary heap: the earliest is first.
  private var heap: [Entry] = []
  private var lastNumber: UInt64 = 0

  var nextTime: Instant? { heap.first?.at }
  var count: Int { heap.count }

  mutating func add(_ event: Event, at instant: Instant) {
    lastNumber += 1
    heap.append(Entry(at: instant, number: lastNumber, event: event))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].comes(before: heap[parent]) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func popFirst() -> (at: Instant, event: Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return (first.at, first.event)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, heap[child + 1].comes(before: heap[child]) { child += 1 }
      guard heap[child].comes(before: heap[parent]) else { return }
      heap.swapAt(child, parent)
      parent = child
    }
  }
}
