/// Bans of one family's prefixes, by address.
///
/// The addresses are cut into intervals within which the same bans hold; each names the innermost
/// ban, which names the next one outwards. To find an interval is a binary search, first among
/// every 32nd start, which stay in the processor's cache, then among 32 neighbours.
///
/// `Address` is `UInt32` for IPv4 and `UInt128` for IPv6.
struct BanIndexPrefixes<Address: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable>:
  Sendable
{
  private static var sampleDistance: Int { 32 }

  let records: [BanRecord]
  private let starts: [Address]
  private let heads: [UInt32]
  private let samples: [Address]

  /// A prefix and where its record stands among those that were added.
  struct Key: BitwiseCopyable, Comparable {
    var start: Address
    var bitCount: UInt8
    var index: UInt32

    static func < (a: Key, b: Key) -> Bool {
      (a.start, a.bitCount, a.index) < (b.start, b.bitCount, b.index)
    }
  }

  struct Builder: Sendable {
    fileprivate var keys: [Key] = []
    fileprivate var records: [BanRecord] = []

    mutating func add(start: Address, _ record: BanRecord) {
      keys.append(Key(start: start, bitCount: record.bitCount, index: UInt32(records.count)))
      records.append(record)
    }

    /// Brings keys and records into the keys' order, the records without a copy of them all.
    fileprivate mutating func sort() {
      keys.sort()
      for first in keys.indices where Int(keys[first].index) != first {
        // Along one cycle of the permutation, each record moves to the place that wants it.
        let displaced = records[first]
        var place = first
        while true {
          let source = Int(keys[place].index)
          keys[place].index = UInt32(place)
          if source == first { break }
          records[place] = records[source]
          place = source
        }
        records[place] = displaced
      }
    }
  }

  init(emptying builder: inout Builder) {
    builder.sort()
    var sweep = Sweep(records: builder.records)
    builder.records = []
    for index in builder.keys.indices { sweep.add(builder.keys[index], at: index) }
    builder.keys = []
    sweep.closeAll()
    records = sweep.records
    starts = sweep.starts
    heads = sweep.heads
    let places = stride(from: 0, to: sweep.starts.count, by: Self.sampleDistance)
    samples = places.map { sweep.starts[$0] }
  }

  var byteCount: Int {
    records.count * MemoryLayout<BanRecord>.stride + heads.count * 4
      + (starts.count + samples.count) * MemoryLayout<Address>.stride
  }

  /// The innermost ban that covers `address`, or ``BanRecord/none``.
  func head(of address: Address) -> UInt32 {
    guard !records.isEmpty else { return BanRecord.none }
    // The first start is zero, so there is always a last one that is not above the address.
    let sample = Self.last(notAbove: address, in: samples, 0..<samples.count)
    let first = sample * Self.sampleDistance
    let place = Self.last(
      notAbove: address, in: starts, first..<min(first + Self.sampleDistance, starts.count))
    return heads[place]
  }

  private static func last(notAbove address: Address, in array: [Address], _ range: Range<Int>)
    -> Int
  {
    var low = range.lowerBound
    var count = range.count
    while count > 1 {
      let half = count >> 1
      if array[low + half] <= address { low += half }
      count -= half
    }
    return low
  }
}

extension BanIndexPrefixes {
  /// Goes through sorted prefixes and writes the intervals between their borders.
  private struct Sweep {
    private struct Open {
      var last: Address
      var bitCount: UInt8
      var start: Address
      var head: UInt32
    }

    var records: [BanRecord]
    var starts: [Address] = []
    var heads: [UInt32] = []
    /// Prefixes that the sweep is within, outermost first: never more than an address has bits, and
    /// one.
    private var open: [Open] = []

    init(records: [BanRecord]) {
      self.records = records
      guard !records.isEmpty else { return }
      starts.reserveCapacity(records.count * 2 + 1)
      heads.reserveCapacity(records.count * 2 + 1)
      begin(0, BanRecord.none)
    }

    mutating func add(_ key: Key, at place: Int) {
      while let inner = open.last, inner.last < key.start { close(inner) }
      let index = UInt32(place)
      records[place].parent = open.last?.head ?? BanRecord.none
      if let inner = open.last, inner.start == key.start, inner.bitCount == key.bitCount {
        open[open.count - 1].head = index
      } else {
        let hostBits = Address.bitWidth - Int(key.bitCount)
        let mask: Address = hostBits == Address.bitWidth ? .max : (1 << Address(hostBits)) - 1
        open.append(
          Open(last: key.start | mask, bitCount: key.bitCount, start: key.start, head: index))
      }
      begin(key.start, index)
    }

    mutating func closeAll() {
      while let inner = open.last { close(inner) }
    }

    private mutating func close(_ inner: Open) {
      open.removeLast()
      guard inner.last < .max else { return }
      begin(inner.last + 1, open.last?.head ?? BanRecord.none)
    }

    private mutating func begin(_ start: Address, _ head: UInt32) {
      if starts.last == start {
        heads[heads.count - 1] = head
        return
      }
      guard heads.last != head else { return }
      starts.append(start)
      heads.append(head)
    }
  }
}
