internal import Primitives

/// What is known when a reply is sent.
public struct ReplyValues: Equatable, Sendable {
  /// Unix seconds.
  public var now: Int64
  public var account: String
  /// The client's, without its port.
  public var address: String
  public var listener: String
  /// What the client may be told.
  public var reason: String
  /// The end of a ban in Unix seconds; nil when there is none.
  public var until: Int64?
  /// The ban's number.
  public var ban: Int64?

  public init(
    now: Int64, account: String = "", address: String = "", listener: String = "",
    reason: String = "", until: Int64? = nil, ban: Int64? = nil
  ) {
    self.now = now
    self.account = account
    self.address = address
    self.listener = listener
    self.reason = reason
    self.until = until
    self.ban = ban
  }
}

extension ReplyValues {
  func text(of field: ReplyTemplate.Field) -> String {
    switch field {
    case .reason: reason
    case .until: until.map(timestamp) ?? "never"
    case .remaining: until == nil ? "for ever" : duration(secondsLeft)
    case .account: account
    case .address: address
    case .listener: listener
    case .ban: ban.map { String($0) } ?? ""
    case .now: timestamp(now)
    }
  }

  /// 0 for what is not there; fields that are no numbers can't be asked for one.
  func integer(of field: ReplyTemplate.Field) -> Int64 {
    switch field {
    case .until: until ?? 0
    case .ban: ban ?? 0
    case .now: now
    case .remaining: secondsLeft
    case .reason, .account, .address, .listener: 0
    }
  }

  /// 0 when there is no end, or it is over.
  private var secondsLeft: Int64 {
    let (seconds, overflow) = (until ?? now).subtractingReportingOverflow(now)
    return overflow ? (now < 0 ? .max : 0) : max(0, seconds)
  }
}

/// UTC to the second, as `2026-01-31T23:59:59Z` (RFC 3339 section 5.6); years 1970 to 9999.
private func timestamp(_ unixSeconds: Int64) -> String {
  let seconds = UInt64(min(max(unixSeconds, 0), 253_402_300_799))
  let text = TimestampText(unixMilliseconds: seconds * 1000)
  let bytes = unsafe withUnsafeTemporaryAllocation(
    byteCount: TimestampText.byteCount, alignment: 8
  ) { buffer in
    // SAFETY: the buffer has exactly the text's length.
    unsafe text.write(to: buffer.baseAddress!)
    return unsafe [UInt8](buffer)
  }
  return String(decoding: bytes.prefix(19), as: UTF8.self) + "Z"
}

/// The two largest units of a time: "3d 4h", "2h", "5m 10s", "0s".
private func duration(_ seconds: Int64) -> String {
  var rest = seconds
  var shown: [String] = []
  for (unit, length) in [("d", Int64(86_400)), ("h", 3600), ("m", 60), ("s", 1)] {
    let count = rest / length
    rest %= length
    if count > 0 {
      shown.append("\(count)\(unit)")
    } else if !shown.isEmpty {
      break
    }
    if shown.count == 2 { break }
  }
  return shown.isEmpty ? "0s" : shown.joined(separator: " ")
}
