internal import Primitives

/// Bans, or allowances, in the form in which they are looked up; never changed once it is built.
struct BanIndex: Sendable {
  /// The most text that reasons may have together, in bytes; further ones are shown as none.
  static let reasonBytesMax = 16 << 20

  private let ipv4: BanIndexPrefixes<UInt32>
  private let ipv6: BanIndexPrefixes<UInt128>
  private let names: BanIndexTexts
  /// The first ban of each name.
  private let nameHeads: [UInt32]
  private let nameRecords: [BanRecord]
  private let reasons: BanIndexTexts

  struct Builder: Sendable {
    fileprivate var ipv4 = BanIndexPrefixes<UInt32>.Builder()
    fileprivate var ipv6 = BanIndexPrefixes<UInt128>.Builder()
    fileprivate var names = BanIndexTexts()
    fileprivate var nameHeads: [UInt32] = []
    fileprivate var nameRecords: [BanRecord] = []
    fileprivate var reasons = BanIndexTexts()
    private var lastReason: (text: String, number: UInt32)?

    /// - Parameter listener: ``BanRecord/everyListener`` or a number that the caller knows.
    mutating func add(_ ban: Ban, listener: UInt16) {
      var record = BanRecord(
        id: ban.id, until: ban.until ?? .max, reason: reason(ban.shownReason), listener: listener,
        bitCount: 0)
      switch ban.subject {
      case .addresses(let prefix):
        if prefix.isIPv4 {
          record.bitCount = prefix.bitCount - 96
          ipv4.add(start: ipv4Number(prefix), record)
        } else {
          record.bitCount = prefix.bitCount
          ipv6.add(start: ipv6Number(prefix), record)
        }
      case .account(let name):
        let number = Int(names.insert(name.key))
        if number == nameHeads.count { nameHeads.append(BanRecord.none) }
        record.parent = nameHeads[number]
        nameHeads[number] = UInt32(nameRecords.count)
        nameRecords.append(record)
      }
    }

    private mutating func reason(_ text: String) -> UInt32 {
      // Imported bans come with one reason for all.
      if let lastReason, lastReason.text == text { return lastReason.number }
      let fits = reasons.textByteCount + text.utf8.count <= BanIndex.reasonBytesMax
      let number = reasons.insert(fits ? text : "")
      lastReason = (text, number)
      return number
    }
  }

  /// Takes the memory of the builder over, so that there is never twice as much.
  init(emptying builder: inout Builder) {
    ipv4 = BanIndexPrefixes(emptying: &builder.ipv4)
    ipv6 = BanIndexPrefixes(emptying: &builder.ipv6)
    builder.reasons.forgetNumbers()
    reasons = builder.reasons
    names = builder.names
    nameHeads = builder.nameHeads
    nameRecords = builder.nameRecords
    builder = Builder()
  }

  var count: Int { ipv4.records.count + ipv6.records.count + nameRecords.count }

  var byteCount: Int {
    ipv4.byteCount + ipv6.byteCount + names.byteCount + reasons.byteCount + nameHeads.count * 4
      + nameRecords.count * MemoryLayout<BanRecord>.stride
  }

  /// Every record's id, in no order.
  func appendIDs(to ids: inout [Int64]) {
    for record in ipv4.records { ids.append(record.id) }
    for record in ipv6.records { ids.append(record.id) }
    for record in nameRecords { ids.append(record.id) }
  }

  /// Calls `body` with each ban that covers the address, the innermost first, until it returns
  /// false.
  @inline(__always)
  func forEach(covering address: AddressPrefix, _ body: (BanRecord) -> Bool) {
    if address.isIPv4 {
      Self.walk(ipv4.records, from: ipv4.head(of: ipv4Number(address)), body)
    } else {
      Self.walk(ipv6.records, from: ipv6.head(of: ipv6Number(address)), body)
    }
  }

  /// The same for the bans of an account, the last added first.
  @inline(__always)
  func forEach(covering account: AccountName, _ body: (BanRecord) -> Bool) {
    // Without names in it, which is usual, no key is made.
    guard names.count > 0, let number = names.number(of: account.key) else { return }
    Self.walk(nameRecords, from: nameHeads[Int(number)], body)
  }

  func reason(_ record: BanRecord) -> String { reasons.text(record.reason) }

  @inline(__always)
  private static func walk(
    _ records: [BanRecord], from head: UInt32, _ body: (BanRecord) -> Bool
  ) {
    var next = head
    while next != BanRecord.none {
      let record = records[Int(next)]
      guard body(record) else { return }
      next = record.parent
    }
  }
}

private func ipv4Number(_ prefix: AddressPrefix) -> UInt32 {
  UInt32(truncatingIfNeeded: prefix.low)
}

private func ipv6Number(_ prefix: AddressPrefix) -> UInt128 {
  UInt128(prefix.high) << 64 | UInt128(prefix.low)
}
