/// Bans of one family's prefixes, by address.
///
/// The addresses are cut into intervals within which the same bans hold; each names the innermost
/// ban, which names the next one outwards. To find an interval is a binary search, first among every
/// 32nd start, which stay in the processor's cache, then among 32 neighbours.
///
/// `Address` is `UInt32` for IPv4 and `UInt128` for IPv6.
struct BanIndexPrefixes<Address: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable>:
  Sendable
{
  private static var stride: Int { 32 }

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
  }

  init(_ builder: consuming Builder) {
    var keys = builder.keys
    let added = builder.records
    keys.sort()
    var sweep = Sweep(capacity: keys.count)
    for key in keys { sweep.add(key, added[Int(key.index)]) }
    sweep.closeAll()
    records = sweep.records
    starts = sweep.starts
    heads = sweep.heads
    samples = Swift.stride(from: 0, to: starts.count, by: Self.stride).map { [starts] in starts[$0]
    }
  }

  var byteCount: Int {
    records.capacity * MemoryLayout<BanRecord>.stride + heads.capacity * 4
      + (starts.capacity + samples.capacity) * MemoryLayout<Address>.stride
  }

  /// The innermost ban that covers `address`, or ``BanRecord/none``.
  func head(of address: Address) -> UInt32 {
    guard !records.isEmpty else { return BanRecord.none }
    // The first start is zero, so there is always a last one that is not above the address.
    let sample = Self.last(notAbove: address, in: samples, 0..<samples.count)
    let first = sample * Self.stride
    let place = Self.last(
      notAbove: address, in: starts, first..<min(first + Self.stride, starts.count))
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

    var records: [BanRecord] = []
    var starts: [Address] = []
    var heads: [UInt32] = []
    /// Prefixes that the sweep is within, outermost first: never more than an address has bits, and
    /// one.
    private var open: [Open] = []

    init(capacity: Int) {
      records.reserveCapacity(capacity)
      guard capacity > 0 else { return }
      starts.reserveCapacity(capacity * 2 + 1)
      heads.reserveCapacity(capacity * 2 + 1)
      begin(0, BanRecord.none)
    }

    mutating func add(_ key: Key, _ added: BanRecord) {
      while let inner = open.last, inner.last < key.start { close(inner) }
      var record = added
      record.parent = open.last?.head ?? BanRecord.none
      let index = UInt32(records.count)
      records.append(record)
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
