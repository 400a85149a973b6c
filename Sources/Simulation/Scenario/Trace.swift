internal import Gateway
internal import Primitives

/// What happened, as a digest, the last events of it, and lines for whoever wants to see all.
///
/// The digest is over numbers, times and bytes alone, in the order in which they were noted: the
/// same scenario has the same one on every machine, and whatever differs shows in it.
package final class Trace {
  /// So many of the last events are kept.
  static let keptMax = 400

  /// Of everything that was noted.
  package private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325
  /// How much has been noted.
  package private(set) var count = 0
  /// The virtual time; its driver sets it before anything is noted.
  var now = Instant(nanoseconds: 0)
  /// What lines count from.
  var start = Instant(nanoseconds: 0)
  private let onLine: ((String) -> Void)?
  private var kept: [TraceRecord] = []
  /// Where the oldest of ``kept`` is, once they are all there.
  private var oldest = 0

  /// - Parameter onLine: is given a line, without its break, for each event as it happens.
  package init(onLine: ((String) -> Void)? = nil) { self.onLine = onLine }

  /// The last events, a line each, the newest last.
  package var lastLines: [String] {
    (kept[oldest...] + kept[..<oldest]).map { $0.line(from: start) }
  }

  /// - Parameter bytes: only a digest of them is kept.
  func note(
    _ what: StaticString, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0,
    bytes: some Collection<UInt8> = EmptyCollection()
  ) {
    let bytesDigest = bytes.isEmpty ? 0 : ByteDigest.of(bytes)
    add(
      TraceRecord(
        at: now,
        kind: .step(what, a, b, c, byteCount: bytes.count, bytesDigest: bytesDigest)))
  }

  func note(_ event: LogEvent, _ gateway: Int) {
    add(TraceRecord(at: now, kind: .log(LogNote(event), gateway: gateway)))
  }

  /// Adds to the digest what would be too much to keep.
  func mix(_ a: Int, _ b: Int, _ c: Int) {
    mix(now.nanoseconds)
    mix(a)
    mix(b)
    mix(c)
  }

  private func add(_ record: TraceRecord) {
    count += 1
    mix(record)
    onLine?(record.line(from: start))
    if kept.count < Self.keptMax {
      kept.append(record)
    } else {
      kept[oldest] = record
      oldest = (oldest + 1) % Self.keptMax
    }
  }

  private func mix(_ record: TraceRecord) {
    mix(record.at.nanoseconds)
    switch record.kind {
    case .step(let what, let a, let b, let c, let byteCount, let bytesDigest):
      mix(ByteDigest.of(what))
      mix(a)
      mix(b)
      mix(c)
      mix(byteCount)
      mix(bytesDigest)
    case .log(let note, let gateway):
      mix(gateway)
      mix(ByteDigest.of(note.what))
      for field in note.fields {
        mix(ByteDigest.of(field.name))
        switch field.value {
        case .integer(let number): mix(number)
        case .text(let text): mix(ByteDigest.of(text.utf8))
        }
      }
    }
  }

  private func mix(_ number: Int) { mix(UInt64(bitPattern: Int64(number))) }
  private func mix(_ word: UInt64) { digest = ByteDigest.mix(digest, word) }
}

/// A digest that is fast and the same everywhere; nobody is to be stopped from forging it.
enum ByteDigest {
  static func mix(_ digest: UInt64, _ word: UInt64) -> UInt64 {
    let product = (digest ^ word) &* 0x9e37_79b9_7f4a_7c15
    return product ^ (product >> 29)
  }

  /// Eight bytes at a time, the first lowest.
  static func of(_ bytes: some Collection<UInt8>) -> UInt64 {
    let fast = bytes.withContiguousStorageIfAvailable { buffer in
      unsafe of(UnsafeRawBufferPointer(buffer))
    }
    return fast ?? ofAny(bytes)
  }

  static func of(_ text: StaticString) -> UInt64 {
    text.withUTF8Buffer { unsafe of(UnsafeRawBufferPointer($0)) }
  }

  private static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var digest = UInt64(truncatingIfNeeded: bytes.count)
    var offset = 0
    while offset + 8 <= bytes.count {
      // SAFETY: eight bytes are left, and every pattern of them is a number.
      let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      digest = mix(digest, UInt64(littleEndian: word))
      offset += 8
    }
    var rest: UInt64 = 0
    var shift: UInt64 = 0
    while offset < bytes.count {
      rest |= unsafe UInt64(bytes[offset]) << shift
      shift += 8
      offset += 1
    }
    return mix(digest, rest)
  }

  /// The same, of bytes that do not lie in one piece.
  private static func ofAny(_ bytes: some Collection<UInt8>) -> UInt64 {
    var digest = UInt64(truncatingIfNeeded: bytes.count)
    var word: UInt64 = 0
    var shift: UInt64 = 0
    for byte in bytes {
      word |= UInt64(byte) << shift
      shift += 8
      if shift == 64 {
        digest = mix(digest, word)
        word = 0
        shift = 0
      }
    }
    return mix(digest, word)
  }
}
