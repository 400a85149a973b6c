extension Framer: CustomStringConvertible {
  /// The name of its kind, as a definition gives it.
  public var kind: String {
    switch self {
    case .raw: "raw"
    case .lengthPrefix: "length-prefix"
    case .delimiter: "delimiter"
    case .fixed: "fixed"
    case .table: "table"
    case .switch: "switch"
    case .sequence: "sequence"
    case .plugin: "plugin"
    }
  }

  /// The kind and what it was told, on one line.
  public var description: String {
    switch self {
    case .raw: kind
    case .lengthPrefix(let framer): "\(kind) (\(framer.settings))"
    case .delimiter(let framer): "\(kind) (\(framer.settings))"
    case .fixed(let framer):
      "\(kind) (\(framer.size) bytes" + (framer.leading.map { ", begins \($0)" } ?? "") + ")"
    case .table(let framer): "\(kind) (\(framer.settings))"
    case .switch(let framer): "\(kind) (\(framer.settings))"
    case .sequence(let framer): "\(kind) (\(framer.settings))"
    case .plugin(let framer): "\(kind) (\(framer.path), max \(framer.bounds.maximum) bytes)"
    }
  }
}

extension ConstantBytes: CustomStringConvertible {
  /// In hexadecimal, with the mask if there is one.
  public var description: String {
    shownBytes(bytes) + (maskBytes.map { " of the bits \(shownBytes($0))" } ?? "")
  }
}

extension LengthPrefixFramer {
  fileprivate var settings: String {
    var parts = ["\(shownField) length at \(lengthOffset)"]
    if let second { parts.append("XOR the field at \(second.offset)") }
    if let mask { parts.append("bits 0x\(String(mask, radix: 16))") }
    let value = multiplier == 1 ? "length" : "\(multiplier) x length"
    let implied = counts.implied(fieldOffset: lengthOffset, headerByteCount: headerByteCount)
    let isVarying =
      counts == .rest && (encoding == .leb128 || encoding == .prefix)
      || counts == .rest && terminator != nil
    let total = isVarying ? adjustment : implied + adjustment
    let sign = total < 0 ? "-" : "+"
    let header = isVarying ? " + header" : ""
    parts.append("packet = \(value)\(header) \(sign) \(total.magnitude)")
    if let leading { parts.append("begins \(leading)") }
    if let trailing { parts.append("ends \(trailing)") }
    if !escapes.isEmpty { parts.append("\(escapes.count) escaped ranges") }
    parts.append("\(bounds)")
    return parts.joined(separator: ", ")
  }

  private var shownField: String {
    switch encoding {
    case .binary where lengthWidth == 1: "1-byte"
    case .binary: "\(lengthWidth)-byte \(endianness.rawValue)-endian"
    case .leb128: "LEB128 (up to \(lengthWidth) bytes)"
    case .prefix: "prefixed"
    case .base64: "\(lengthWidth)-digit base64"
    case .decimal where terminator == nil: "\(lengthWidth)-digit decimal"
    case .decimal: "decimal (up to \(lengthWidth) digits)"
    }
  }
}

extension PacketBounds: CustomStringConvertible {
  public var description: String {
    minimum > 1 ? "min \(minimum), max \(maximum) bytes" : "max \(maximum) bytes"
  }
}

extension DelimiterFramer {
  fileprivate var settings: String {
    var parts = ["ends with " + delimiters.map(shownBytes).joined(separator: " or ")]
    if !keepsDelimiter { parts.append("which is not handed on") }
    if isTelnet { parts.append("telnet commands") }
    parts.append("\(bounds)")
    return parts.joined(separator: ", ")
  }
}

extension TableFramer {
  fileprivate var settings: String {
    let bits = opcode.width == 1 ? "1-byte" : "2-byte \(opcode.endianness.rawValue)-endian"
    let rest =
      switch unknown {
      case .violation: "others are violations"
      case .field: "others have a length"
      case .raw: "raw from the first other on"
      }
    return "\(bits) opcode at \(opcode.offset), \(entries.count) known, \(rest), "
      + "max \(packetBytesMax) bytes"
  }
}

extension SwitchFramer {
  fileprivate var settings: String {
    var parts = cases.map { found in
      let bytes = found.matches.map(\.description).joined(separator: " or ")
      return "\(bytes): \(found.framer)"
    }
    parts.append(otherwise.map { "otherwise: \($0)" } ?? "all else is a violation")
    return (each == .stream ? "once; " : "") + parts.joined(separator: "; ")
  }
}

extension SequenceFramer {
  fileprivate var settings: String {
    let parts = steps.map { step in
      switch step.until {
      case .packets(1): "1 packet: \(step.framer)"
      case .packets(let count): "\(count) packets: \(step.framer)"
      case .authenticated: "until authenticated: \(step.framer)"
      }
    }
    return (parts + ["then: \(last)"]).joined(separator: "; ")
  }
}
