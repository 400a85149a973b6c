/// Tells streams that look enciphered or compressed from others.
///
/// The measure is Friedman's index of coincidence ("The Index of Coincidence", 1922): how often two
/// bytes of a part are alike, against one in 256 for bytes without any order. Unlike the entropy of
/// the counts it is not biased by small parts.
enum Opacity {
  /// Fewer bytes say nothing, in bytes.
  static let byteCountMin = 192
  /// What two bytes of an opaque part are alike at most, against chance.
  private static let limit = 1.35

  static func looksOpaque(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count >= byteCountMin else { return false }
    var counts = [Int](repeating: 0, count: 256)
    for byte in bytes { counts[Int(byte)] += 1 }
    let pairs = counts.reduce(0) { $0 + $1 * ($1 - 1) }
    let all = bytes.count * (bytes.count - 1)
    return Double(pairs) * 256 < limit * Double(all)
  }

  /// From which byte on the streams look opaque to their ends; nil when most of them don't.
  ///
  /// What all streams begin with is not opaque, whatever it looks like.
  static func start(_ streams: [LearningStream]) -> Int? {
    let long = streams.map(\.bytes).filter { $0.count >= byteCountMin }
    guard let first = long.first else { return nil }
    var starts: [Int] = []
    for bytes in long {
      guard let start = start(of: bytes) else { continue }
      starts.append(start)
    }
    guard starts.count * 4 >= long.count * 3 else { return nil }
    starts.sort()
    let usual = starts[starts.count / 2]
    guard usual < partByteCount, long.count > 1 else { return usual }
    // Parts are too coarse for a greeting; what differs from stream to stream is none.
    return long.dropFirst().reduce(first.count) { common, bytes in
      min(common, zip(first, bytes).prefix { $0 == $1 }.count)
    }
  }

  /// Streams are looked at in parts of so many bytes.
  private static let partByteCount = 256

  /// Goes from the stream's end to its front, as long as each part is opaque.
  private static func start(of bytes: [UInt8]) -> Int? {
    var start = bytes.count
    while start > 0 {
      let next = max(0, start - partByteCount)
      let part = start - next < byteCountMin ? bytes[..<byteCountMin] : bytes[next..<start]
      guard looksOpaque(part) else { break }
      start = next
    }
    return bytes.count - start >= byteCountMin ? start : nil
  }
}
