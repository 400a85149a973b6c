import Auth

extension LoginProgress {
  mutating func take(_ packet: [UInt8], of description: LoginDescription) -> LoginStep {
    packet.withUnsafeBytes { take($0, of: description) }
  }

  mutating func take(_ packet: String, of description: LoginDescription) -> LoginStep {
    take(Array(packet.utf8), of: description)
  }
}

extension LoginDescription {
  /// What comes of these packets, sent by one client; the last step says.
  func outcome(of packets: [[UInt8]]) -> LoginStep.Next? {
    var progress = LoginProgress()
    return packets.map { progress.take($0, of: self).next }.last
  }

  /// The credentials that these packets give, or nil when they don't complete the identity.
  func credentials(from packets: [[UInt8]]) -> Credentials? {
    guard case .complete(let credentials) = outcome(of: packets) else { return nil }
    return credentials
  }

  func fault(of packet: [UInt8]) -> LoginFault? {
    guard case .fault(let fault) = outcome(of: [packet]) else { return nil }
    return fault
  }

  /// One part with these fields.
  static func fields(_ fields: LoginField...) -> LoginDescription {
    LoginDescription(parts: [LoginPart(fields: fields)])
  }
}

/// The bytes of a text, with zeros up to `width`.
func padded(_ text: String, _ width: Int, with byte: UInt8 = 0) -> [UInt8] {
  let bytes = Array(text.utf8)
  return bytes + Array(repeating: byte, count: width - bytes.count)
}

/// A text and its zero.
func zeroed(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

/// An integer, little endian.
func little(_ value: UInt64, _ width: Int) -> [UInt8] {
  (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
}

func big(_ value: UInt64, _ width: Int) -> [UInt8] { little(value, width).reversed() }
