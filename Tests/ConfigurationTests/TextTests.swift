import Primitives
import Testing

@testable import Configuration

@Suite struct TextTests {
  @Test(arguments: [
    ("[::1]:7999", "::1", 7999), ("[2001:db8::1:2]:1", "2001:db8::1:2", 1),
    ("[1:2:3:4:5:6:7:8]:1", "1:2:3:4:5:6:7:8", 1), ("[::ffff:192.0.2.7]:1", "::ffff:192.0.2.7", 1),
    ("[fe80::1%eth0.7]:1", "fe80::1%eth0.7", 1), ("[::]:65535", "::", 65535),
    ("192.0.2.7:80", "192.0.2.7", 80), ("a-b_c.example:80", "a-b_c.example", 80),
  ])
  func addressesThatAreRight(text: String, host: String, port: UInt16) throws {
    let address = try HostPort.parse(text).get()
    #expect(address == HostPort(host: host, port: port))
    #expect(address.text == text)
  }

  @Test(arguments: [
    "", ":", "[", "[]", "[]:1", "[:]:1", "[:::]:1", "[1::2::3]:1", "[1:2:3:4:5:6:7]:1",
    "[1:2:3:4:5:6:7:8:9]:1", "[1:2:3:4:5:6:7::8]:1", "[12345::]:1", "[::1.2.3]:1", "[1.2.3.4::]:1",
    "[::1%]:1", "[::1]1", "[::1]:", "h:", "h:1:", "01.2.3.4:1", "1.2.3:1", "1.2.3.4.5:1", "a..b:1",
    ".a:1", "h:99999", "h:٣", "h\u{0301}:1", "h:1\u{0301}", "h/x:1",
  ])
  func addressesThatAreWrong(text: String) {
    #expect(throws: HostPort.Failure.self) { try HostPort.parse(text).get() }
  }

  @Test(arguments: [
    ("0.0.0.0", "192.0.2.7", true), ("[::]", "[::1]", true), ("[::1]", "[0:0::1]", true),
    ("[::ffff:1.2.3.4]", "1.2.3.4", true), ("h.example", "H.Example", true),
    ("127.0.0.1", "127.0.0.2", false), ("[::1]", "127.0.0.1", false), ("h", "0.0.0.0", false),
  ])
  func addressesThatCollide(a: String, b: String, collide: Bool) throws {
    let (a, b) = (try HostPort.parse(a + ":1").get(), try HostPort.parse(b + ":1").get())
    #expect(a.collides(with: b) == collide)
    #expect(b.collides(with: a) == collide)
    #expect(!a.collides(with: HostPort(host: b.host, port: 2)))
  }

  @Test(arguments: [
    ("500ms", 500), ("0s", 0), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000),
    ("7d", 604_800_000),
  ])
  func durations(text: String, milliseconds: UInt64) {
    #expect(Interval(configured: text) == .milliseconds(milliseconds))
    #expect(Interval.milliseconds(milliseconds).configured == text)
  }

  @Test(arguments: ["", "s", "1", "1 s", " 1s", "1S", "-1s", "+1s", "1.5s", "1sec", "1D", "٣s"])
  func durationsThatAreWrong(text: String) { #expect(Interval(configured: text) == nil) }

  @Test func quantitiesSaturate() {
    #expect(Interval(configured: "18446744073709551615h")?.nanoseconds == .max)
    #expect(Interval(configured: "18446744073709551616h") == nil)
    #expect(ByteCountText.parse("18446744073709551615GiB") == .max)
  }

  @Test(arguments: [
    ("7", 7), ("7B", 7), ("1KB", 1_000), ("1MB", 1_000_000), ("1GB", 1_000_000_000),
    ("64KiB", 65_536), ("4MiB", 4 << 20), ("1GiB", 1 << 30),
  ])
  func byteCounts(text: String, count: Int) { #expect(ByteCountText.parse(text) == count) }

  @Test(arguments: ["", "KiB", "1K", "1 KiB", "1kib", "-1B", "0x10", "1TiB"])
  func byteCountsThatAreWrong(text: String) { #expect(ByteCountText.parse(text) == nil) }

  @Test(arguments: [
    ("listner", "listener"), ("poool", "pool"), ("POOL", "pool"), ("opol", "pool"),
    ("listeners", "listener"), ("manage", "management"), ("lo", "log"), ("x", nil), ("", nil),
    ("framework", "framer"), (String(repeating: "l", count: 65), nil),
  ])
  func nearestNames(name: String, nearest: String?) {
    let names = ["listener", "pool", "management", "log", "framer"]
    #expect(nearestName(to: name, among: names) == nearest)
  }
}
