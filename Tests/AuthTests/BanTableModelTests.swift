import Primitives
import Testing

@testable import Auth

/// Goal: a table answers as a plain list of bans would, through any changes.
///
/// Method: seeded random bans of both families and of accounts, nested, repeated, with scopes and
/// ends; each question is asked of the table and of the list.
@Suite struct BanTableModelTests {
  private static let listeners = ["lobby", "game"]

  /// Bans as a list, searched from end to end.
  private struct Model {
    var entries: [(ban: Ban, allows: Bool)] = []

    func covering(_ subject: Subject, allows: Bool, at now: Int64) -> [Ban] {
      entries.filter { entry in
        entry.allows == allows && (entry.ban.until ?? .max) > now
          && Self.covers(entry.ban.subject, subject)
      }.map(\.ban)
    }

    func ban(of subject: Subject, listener: String, at now: Int64) -> BanMatch? {
      matching(subject, allows: false, listener: listener, at: now).max { a, b in
        (a.until ?? .max, Self.bitCount(a), b.id) < (b.until ?? .max, Self.bitCount(b), a.id)
      }.map { BanMatch(id: $0.id, until: $0.until, shownReason: $0.shownReason) }
    }

    func matching(_ subject: Subject, allows: Bool, listener: String, at now: Int64) -> [Ban] {
      covering(subject, allows: allows, at: now).filter { ban in
        ban.listener == nil || ban.listener == listener
      }
    }

    static func bitCount(_ ban: Ban) -> Int {
      guard case .addresses(let prefix) = ban.subject else { return 0 }
      return Int(prefix.bitCount)
    }

    private static func covers(_ ban: Subject, _ subject: Subject) -> Bool {
      switch (ban, subject) {
      case (.addresses(let a), .addresses(let b)):
        guard a.isIPv4 == b.isIPv4, a.bitCount <= b.bitCount else { return false }
        // A shift by all bits gives zero.
        return (number(a) ^ number(b)) >> (128 - UInt128(a.bitCount)) == 0
      case (.account(let a), .account(let b)): return a == b
      default: return false
      }
    }

    static func number(_ prefix: AddressPrefix) -> UInt128 {
      UInt128(prefix.high) << 64 | UInt128(prefix.low)
    }
  }

  /// Few different bits, so that prefixes nest and meet, with a border now and then.
  private func randomPrefix(_ random: inout SeededRandom) -> AddressPrefix {
    var bytes: [16 of UInt8] = .init(repeating: 0)
    let isIPv4 = Bool.random(using: &random)
    let palette: [UInt8] = [0, 0, 1, 0x80, 0xff, 0xff]
    for index in 0..<16 { bytes[index] = palette.randomElement(using: &random)! }
    if isIPv4 {
      for index in 0..<12 { bytes[index] = index < 10 ? 0 : 0xff }
      return AddressPrefix(bytes, bitCount: UInt8.random(in: 96...128, using: &random))
    }
    let prefix = AddressPrefix(bytes, bitCount: UInt8.random(in: 0...128, using: &random))
    return prefix
  }

  private func randomSubject(_ random: inout SeededRandom) -> Subject {
    if Int.random(in: 0..<5, using: &random) == 0 {
      return .account(AccountName("Name\(Int.random(in: 0..<12, using: &random))")!)
    }
    return .addresses(randomPrefix(&random))
  }

  private func randomEntry(_ id: Int64, _ random: inout SeededRandom) -> (Ban, Bool) {
    let ban = Ban(
      id: id, subject: randomSubject(&random),
      listener: [nil, nil, "lobby", "game", "gone"].randomElement(using: &random)!,
      shownReason: ["", "spam", "cheating"].randomElement(using: &random)!,
      until: Bool.random(using: &random) ? nil : Int64.random(in: 0..<8, using: &random))
    return (ban, Int.random(in: 0..<5, using: &random) == 0)
  }

  /// Asks of the table and of the list about one subject.
  private func compare(_ table: BanTable, _ model: Model, _ random: inout SeededRandom) {
    let now = Int64.random(in: 0..<8, using: &random)
    let name = ["lobby", "game", "gone", "never"].randomElement(using: &random)!
    let listener = table.number(ofListener: name)
    var subject = randomSubject(&random)
    if Bool.random(using: &random), let entry = model.entries.randomElement(using: &random) {
      subject = entry.ban.subject
    }
    let (ban, allows): (BanMatch?, Bool)
    let single: Subject
    switch subject {
    case .addresses(let prefix):
      // Any address of the prefix, or the one before or behind it.
      let address = SocketAddress(ipv6: neighbour(of: prefix, &random), port: 7)
      single = .addresses(AddressPrefix(address))
      ban = table.ban(of: address, listener: listener, at: now)
      allows = table.allows(address, listener: listener, at: now)
    case .account(let name):
      single = subject
      ban = table.ban(of: name, listener: listener, at: now)
      allows = table.allows(name, listener: listener, at: now)
    }
    let expected = model.ban(of: single, listener: name, at: now)
    if ban != expected { Issue.record("\(single): \(String(describing: ban))") }
    let allowances = model.matching(single, allows: true, listener: name, at: now)
    if allows == allowances.isEmpty { Issue.record("\(single) allowed: \(allows)") }
    for allows in [false, true] {
      let listed =
        allows
        ? table.allowances(covering: subject, at: now) : table.bans(covering: subject, at: now)
      let expected = model.covering(subject, allows: allows, at: now)
        .sorted { (Model.bitCount($1), $0.id) < (Model.bitCount($0), $1.id) }
      if listed != expected { Issue.record("\(subject): \(listed)") }
    }
  }

  private func neighbour(of prefix: AddressPrefix, _ random: inout SeededRandom) -> [16 of UInt8] {
    let start = Model.number(prefix)
    let hosts: UInt128 = prefix.bitCount == 0 ? .max : (1 << (128 - UInt128(prefix.bitCount))) - 1
    let number: UInt128 =
      switch Int.random(in: 0..<5, using: &random) {
      case 0: start
      case 1: start | hosts
      case 2: start &- 1
      case 3: (start | hosts) &+ 1
      default: start | UInt128.random(in: 0...hosts, using: &random)
      }
    return .init { UInt8(truncatingIfNeeded: number >> (120 - 8 * $0)) }
  }

  @Test(arguments: 0..<20) func aTableAnswersAsAList(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var model = Model()
    var builder = BanTable.Builder(listeners: Self.listeners)
    var nextID: Int64 = 1
    for _ in 0..<Int.random(in: 0...120, using: &random) {
      let entry = randomEntry(nextID, &random)
      nextID += 1
      model.entries.append(entry)
      builder.add(entry.0, allows: entry.1)
    }
    var table = builder.finish()
    for _ in 0..<8 {
      #expect(table.count == model.entries.count)
      for _ in 0..<40 { compare(table, model, &random) }
      var added: [(ban: Ban, allows: Bool)] = []
      for _ in 0..<Int.random(in: 0...10, using: &random) {
        // Some take the place of one that is there.
        let old = model.entries.randomElement(using: &random)?.ban.id
        let replaces = Int.random(in: 0..<4, using: &random) == 0
        let id = replaces ? old ?? nextID : nextID
        nextID += 1
        added.append(randomEntry(id, &random))
      }
      var lifted: [Int64] = []
      for _ in 0..<Int.random(in: 0...10, using: &random) {
        lifted.append(Int64.random(in: -3...nextID + 3, using: &random))
      }
      for entry in added {
        model.entries.removeAll { $0.ban.id == entry.ban.id }
        model.entries.append(entry)
      }
      model.entries.removeAll { lifted.contains($0.ban.id) }
      table = table.applying(added: added, lifted: lifted)!
    }
  }
}
