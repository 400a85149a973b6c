package import Auth
package import Primitives
internal import Store

/// A ban or an allowance of a ``StoreFixture``.
package struct FixtureBan: Equatable, Sendable {
  package var subject: Subject
  package var allows = false
  /// Unix seconds; nil is for ever.
  package var until: Int64?
  package var isLifted = false

  init(_ subject: Subject, allows: Bool = false, until: Int64? = nil, isLifted: Bool = false) {
    self.subject = subject
    self.allows = allows
    self.until = until
    self.isLifted = isLifted
  }

  init(_ text: String, allows: Bool = false, until: Int64? = nil) {
    self.init(.addresses(AddressPrefix(text: text)!), allows: allows, until: until)
  }

  func holds(at unixSeconds: Int64) -> Bool { !isLifted && (until ?? .max) > unixSeconds }
}

extension StoreContents {
  /// A network, an address and an IPv6 network that are banned, an address in the first that is
  /// allowed; one ban that ends soon and two that have ended.
  private static let addressBans = [
    FixtureBan("203.0.113.0/26"),
    FixtureBan("203.0.113.200"),
    FixtureBan("2001:db8:bad::/48"),
    FixtureBan("203.0.113.10", allows: true),
    FixtureBan("198.51.100.77", until: soon),
    FixtureBan("198.51.100.0/24", until: StoreFixture.unixSeconds - 1),
    FixtureBan("192.0.2.0/24", until: StoreFixture.unixSeconds - 86_400),
  ]

  /// Bans of accounts and addresses that every fixture with accounts has.
  package var bans: [FixtureBan] {
    var bans = addressBans
    for index in 0..<accountCount {
      let subject = Subject.account(account(index))
      switch trait(ofAccount: index) {
      case .banned: bans.append(FixtureBan(subject))
      case .banEnded:
        bans.append(FixtureBan(subject, until: StoreFixture.unixSeconds - 3600))
      case .banEndsSoon: bans.append(FixtureBan(subject, until: Self.soon))
      case .ordinary, .disabled, .outdatedPassword, .noPassword: break
      }
    }
    return bans
  }

  private var addressBans: [FixtureBan] {
    guard accountCount > 0 else { return [] }
    guard isExpired else { return Self.addressBans }
    return Self.addressBans.map { ban in
      var ended = ban
      ended.until = min(ban.until ?? .max, StoreFixture.unixSeconds - 1)
      return ended
    }
  }

  /// One of many: every second address from 20.0.0.0 on.
  ///
  /// Of a thousand, one is an IPv6 network instead, one an account; one has ended and one is
  /// lifted.
  package func manyBan(_ index: Int) -> FixtureBan {
    let address = FixtureBan(.addresses(Self.manyAddress(index)))
    switch index % 1000 {
    case 1:
      let group = index / 1000
      let bytes: [16 of UInt8] = [
        0x20, 0x01, 0x0d, 0xb8, UInt8(group >> 8 & 0xff), UInt8(group & 0xff),
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      ]
      return FixtureBan(.addresses(AddressPrefix(bytes, bitCount: 48)))
    case 2: return FixtureBan(.account(AccountName("outcast-\(index)")!))
    case 3:
      return FixtureBan(address.subject, until: StoreFixture.unixSeconds - 60)
    case 4: return FixtureBan(address.subject, isLifted: true)
    default: return address
    }
  }

  private static func manyAddress(_ index: Int) -> AddressPrefix {
    precondition((0..<(1 << 26)).contains(index))
    let number = 20 << 24 + index * 2
    let bytes: [16 of UInt8] = [
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, UInt8(number >> 24), UInt8(number >> 16 & 0xff),
      UInt8(number >> 8 & 0xff), UInt8(number & 0xff),
    ]
    return AddressPrefix(bytes, bitCount: 128)
  }

  /// Whether a client from there is turned away, as long as no operator has changed anything.
  package func isBanned(_ address: SocketAddress, at unixSeconds: Int64) -> Bool {
    let own = AddressPrefix(address)
    var isBanned = false
    for ban in addressBans where ban.holds(at: unixSeconds) {
      guard case .addresses(let prefix) = ban.subject,
        AddressPrefix(address.bytes, bitCount: prefix.bitCount) == prefix
      else { continue }
      if ban.allows { return false }
      isBanned = true
    }
    if isBanned { return true }
    let group = Int(address.bytes[4]) << 8 | Int(address.bytes[5])
    for index in [manyIndex(of: address), group * 1000 + 1] {
      guard let index, index < manyBansCount else { continue }
      let ban = manyBan(index)
      guard ban.holds(at: unixSeconds), case .addresses(let prefix) = ban.subject,
        AddressPrefix(own.bytes, bitCount: prefix.bitCount) == prefix
      else { continue }
      return true
    }
    return false
  }

  private func manyIndex(of address: SocketAddress) -> Int? {
    guard address.isIPv4, address.bytes[12] >= 20 else { return nil }
    let number = (12..<16).reduce(0) { $0 << 8 | Int(address.bytes[$1]) } - 20 << 24
    return number & 1 == 0 ? number / 2 : nil
  }
}
