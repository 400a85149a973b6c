internal import JSON
internal import Gateway
internal import Glibc

/// Gives records the form of a line.
struct LogLine {
  /// What of one value is written, in bytes: details come from other programs.
  static let valueBytesMax = 1024

  let format: LogConfiguration.Format
  private var second: Int64 = .min
  private var secondText = ""

  init(format: LogConfiguration.Format) { self.format = format }

  /// Appends `record` as one line.
  ///
  /// - Parameter time: nanoseconds since 1970.
  mutating func append(_ record: LogRecord, at time: Int64, to out: inout [UInt8]) {
    switch format {
    case .text: appendText(record, timestamp(time), &out)
    case .json: appendJSON(record, timestamp(time), &out)
    }
    out.append(UInt8(ascii: "\n"))
  }

  private func appendText(_ record: LogRecord, _ time: String, _ out: inout [UInt8]) {
    out.append(contentsOf: "\(time) \(record.level.name) ".utf8)
    appendValue(record.name, &out)
    for (name, value) in record.fields {
      out.append(contentsOf: " \(name)=".utf8)
      switch value {
      case .text(let text): appendValue(text, &out)
      case .number(let number): out.append(contentsOf: String(number).utf8)
      }
    }
  }

  private func appendValue(_ text: String, _ out: inout [UInt8]) {
    guard text.utf8.count > Self.valueBytesMax || !isPlain(text) else {
      out.append(contentsOf: text.utf8)
      return
    }
    out.append(UInt8(ascii: "\""))
    appendEscaped(text, limitBytes: Self.valueBytesMax, to: &out)
    out.append(UInt8(ascii: "\""))
  }

  /// True for what can be told from its neighbours without quotes.
  private func isPlain(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
          && byte != UInt8(ascii: "=")
      }
  }

  private func appendJSON(_ record: LogRecord, _ time: String, _ out: inout [UInt8]) {
    out += JSONWriter.object { json in
      json.member("time", time)
      json.member("level", record.level.name)
      json.key("event")
      json.string(record.name, limitBytes: Self.valueBytesMax)
      for (name, value) in record.fields {
        json.key(name)
        switch value {
        case .text(let text): json.string(text, limitBytes: Self.valueBytesMax)
        case .number(let number): json.number(number)
        }
      }
    }
  }

  /// RFC 3339, UTC, with milliseconds: `2026-11-21T03:04:05.678Z`.
  private mutating func timestamp(_ nanoseconds: Int64) -> String {
    let whole = nanoseconds / 1_000_000_000
    if whole != second {
      second = whole
      secondText = Self.calendarText(whole)
    }
    let milliseconds = nanoseconds / 1_000_000 % 1_000
    return "\(secondText).\(Self.padded(milliseconds, 3))Z"
  }

  private static func calendarText(_ second: Int64) -> String {
    var time = time_t(second)
    var parts = unsafe tm()
    // SAFETY: both live until the call returns; the zone pointer in `parts` is not looked at.
    unsafe gmtime_r(&time, &parts)
    let date = unsafe [(parts.tm_year + 1900, 4), (parts.tm_mon + 1, 2), (parts.tm_mday, 2)]
    let clock = unsafe [(parts.tm_hour, 2), (parts.tm_min, 2), (parts.tm_sec, 2)]
    return date.map { padded(Int64($0), $1) }.joined(separator: "-") + "T"
      + clock.map { padded(Int64($0), $1) }.joined(separator: ":")
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
