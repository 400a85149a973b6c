// What a look at the table of bans costs: a table as large as the first argument says (a million),
// addresses in random order, the best and the middle of nine runs.
internal import Auth
internal import Primitives

/// SplitMix64 (Steele, Lea and Flood, 2014): the same bans in each run.
struct Chance: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

func ipv4(_ bits: UInt32) -> SocketAddress {
  SocketAddress(
    ipv4: UInt8(bits >> 24), UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255),
    port: 7999)
}

/// In 2001::/16.
func ipv6(_ bits: UInt64) -> SocketAddress {
  var bytes: [16 of UInt8] = .init(repeating: 0)
  (bytes[0], bytes[1]) = (0x20, 0x01)
  for index in 0..<6 { bytes[2 + index] = UInt8(truncatingIfNeeded: bits >> (8 * index)) }
  bytes[15] = UInt8(truncatingIfNeeded: bits >> 48)
  return SocketAddress(ipv6: bytes, port: 7999)
}

/// As the list that run.py makes: six of ten are single addresses, two are /24, two are /64.
func prefix(_ chance: inout Chance) -> AddressPrefix {
  let kind = Int.random(in: 0..<10, using: &chance)
  let bits = chance.next()
  if kind < 6 { return AddressPrefix(ipv4(UInt32(truncatingIfNeeded: bits))) }
  if kind < 8 {
    return AddressPrefix(ipv4(UInt32(truncatingIfNeeded: bits)).bytes, bitCount: 120)
  }
  return AddressPrefix(ipv6(bits).bytes, bitCount: 64)
}

let clock = ContinuousClock()

func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

/// Nanoseconds with one decimal.
func shown(_ time: Duration, dividedBy count: Int) -> String {
  let picoseconds =
    time.components.seconds * 1_000_000_000_000 + time.components.attoseconds / 1_000_000
  let tenths = picoseconds / 100 / Int64(count)
  return "\(tenths / 10).\(tenths % 10)"
}

/// Looks every address up nine times over.
func measure(_ name: String, _ table: BanTable, _ addresses: [SocketAddress]) {
  var times: [Duration] = []
  var found = 0
  for _ in 0..<9 {
    found = 0
    times.append(
      clock.measure {
        for address in addresses where table.ban(of: address, listener: 0, at: 1_700_000_000) != nil
        {
          found += 1
        }
      })
  }
  times.sort()
  let best = shown(times[0], dividedBy: addresses.count)
  let middle = shown(times[4], dividedBy: addresses.count)
  print("\(padded(name, 40)) best \(best) ns, middle \(middle) ns, \(found) of \(addresses.count)")
}

let count = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 0 : 1_000_000
precondition(count > 0, "the number of bans is at least 1")
var chance = Chance(state: 3)
var prefixes: [AddressPrefix] = []
for _ in 0..<count { prefixes.append(prefix(&chance)) }

var built: BanTable?
let building = clock.measure {
  var builder = BanTable.Builder(listeners: ["game"])
  for (index, prefix) in prefixes.enumerated() {
    builder.add(Ban(id: Int64(index + 1), subject: .addresses(prefix)), allows: false)
  }
  built = builder.finish()
}
guard let table = built else { preconditionFailure("the table was just built") }
print("\(table.count) bans, \(table.byteCount) bytes, built in \(building)")

let asked = 1_000_000
measure(
  "IPv4, mostly not banned", table,
  (0..<asked).map { _ in ipv4(UInt32.random(in: 0 ... .max, using: &chance)) })
measure("IPv6, not banned", table, (0..<asked).map { _ in ipv6(chance.next()) })
let hits = (0..<asked).map { _ in
  SocketAddress(
    ipv6: prefixes.randomElement(using: &chance)?.bytes ?? prefixes[0].bytes, port: 7999)
}
measure("banned", table, hits)
measure("the same address, not banned", table, Array(repeating: ipv4(0x7f00_0001), count: asked))

var changed = table
var changes: [Duration] = []
for index in 0..<1_000 {
  let ban = Ban(id: Int64(count + index + 1), subject: .addresses(prefix(&chance)))
  changes.append(
    clock.measure {
      guard let next = changed.applying(added: [(ban, false)], lifted: [Int64(index + 1)]) else {
        preconditionFailure("a thousand changes fit")
      }
      changed = next
    })
}
print("a change: first \(changes[0]), thousandth \(changes[999])")
measure("banned, after a thousand changes", changed, hits)
