/// Bans and allowances that were built together.
struct BanTableLayer: Sendable {
  let bans: BanIndex
  let allowances: BanIndex
  /// Sorted.
  private let ids: [Int64]

  struct Builder: Sendable {
    fileprivate var bans = BanIndex.Builder()
    fileprivate var allowances = BanIndex.Builder()

    mutating func add(_ ban: Ban, listener: UInt16, allows: Bool) {
      if allows {
        allowances.add(ban, listener: listener)
      } else {
        bans.add(ban, listener: listener)
      }
    }
  }

  init(emptying builder: inout Builder) {
    bans = BanIndex(emptying: &builder.bans)
    allowances = BanIndex(emptying: &builder.allowances)
    var ids: [Int64] = []
    ids.reserveCapacity(bans.count + allowances.count)
    bans.appendIDs(to: &ids)
    allowances.appendIDs(to: &ids)
    ids.sort()
    self.ids = ids
  }

  var count: Int { ids.count }
  var byteCount: Int { bans.byteCount + allowances.byteCount + ids.capacity * 8 }

  func contains(_ id: Int64) -> Bool {
    var range = 0..<ids.count
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      if ids[middle] == id { return true }
      range = ids[middle] < id ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return false
  }
}

/// Numbers for the names of listeners.
///
/// Bans may name listeners that are not there: the name is kept, and no lookup ever has its number.
struct BanTableListeners: Sendable {
  private var names: [String]
  private var numbers: [String: UInt16] = [:]

  /// Stands for all names when there are too many.
  private static let countless = BanRecord.everyListener - 1

  init(known names: [String]) {
    precondition(names.count < Self.countless)
    self.names = names
    for (index, name) in names.enumerated() { numbers[name] = UInt16(index) }
  }

  /// The number of a ban's listener, new if need be.
  mutating func number(of name: String?) -> UInt16 {
    guard let name else { return BanRecord.everyListener }
    if let number = numbers[name] { return number }
    guard names.count < Self.countless else { return Self.countless }
    let number = UInt16(names.count)
    names.append(name)
    numbers[name] = number
    return number
  }

  /// The number for lookups; one that no listener's bans have when there is no such name.
  func number(named name: String) -> Int { Int(numbers[name] ?? BanRecord.everyListener) }

  /// The number of a lookup, which may be one that no name has.
  @inline(__always)
  func number(checking number: Int) -> UInt16 {
    names.indices.contains(number) ? UInt16(number) : BanRecord.everyListener
  }

  /// A ban's listener by number; nil when it is for all.
  func name(_ number: UInt16) -> String? {
    if number == BanRecord.everyListener { return nil }
    return number == Self.countless ? "?" : names[Int(number)]
  }
}
