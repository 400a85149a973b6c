/// How much of the streams is text, and what that says of delimiters.
enum TextShare {
  /// The share of bytes that texts are made of: printable ones, tabs, line ends, high bytes of
  /// UTF-8 and Latin-1.
  static func of(_ streams: [[UInt8]]) -> Double {
    var text = 0
    var all = 0
    for bytes in streams {
      all += bytes.count
      for byte in bytes where isText(byte) { text += 1 }
    }
    return all == 0 ? 0 : Double(text) / Double(all)
  }

  static func isText(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20...0x7e, 0x09, 0x0a, 0x0d: true
    case 0xa0...0xfe: true
    default: false
    }
  }

  /// What a delimiter is worth because the rest is text, in bits.
  ///
  /// Not evidence of the streams but what is known of protocols: those whose bytes are text end
  /// their messages by a control character, and hardly one of them counts bytes in binary.
  static func bits(
    delimiter: [UInt8], isTelnet: Bool, share: Double, streams: [LearningStream]
  ) -> Double {
    var delimiters = 0
    var others = 0
    var bytes = 0
    for stream in streams {
      var place = 0
      while place < stream.bytes.count {
        let byte = stream.bytes[place]
        bytes += 1
        if isTelnet, byte == TelnetByte.command,
          let after = TelnetByte.commandEnd(stream.bytes, at: place, end: stream.bytes.count)
        {
          place = after
          continue
        }
        if byte == delimiter[delimiter.count - 1] {
          delimiters += 1
        } else if !isText(byte) && !delimiter.contains(byte) {
          others += 1
        }
        place += 1
      }
    }
    guard delimiters > 0, bytes > 0 else { return 0 }
    let foreign = Double(others) / Double(bytes)
    guard foreign < 0.03 else { return foreign < 0.1 ? -4 : -12 }
    let isControl = delimiter.contains { $0 < 0x20 || $0 == 0xff }
    return (others == 0 ? 16 : 8) - (isControl ? 0 : 12)
  }
}
