import Primitives
import Testing

@testable import Upstream

@Suite struct GRPCMessageReaderTests {
  private enum Read: Equatable {
    case message([UInt8])
    case compressed
    case tooLarge(Int)
  }

  private static let messageBytesMax = 5000

  /// What comes out when `stream` arrives cut at `cuts`; stops at a refusal.
  private func read(_ stream: [UInt8], cutAt cuts: [Int]) -> (read: [Read], isBetween: Bool) {
    var reader = GRPCMessageReader()
    var found: [Read] = []
    var start = 0
    for end in cuts + [stream.count] {
      let piece = Array(stream[start..<end])
      start = end
      var isRefused = false
      piece.withUnsafeBytes { bytes in
        var chunk = bytes
        while true {
          switch reader.next(&chunk, messageBytesMax: Self.messageBytesMax) {
          case .message(let message, let inPlace):
            found.append(.message(Array(message)))
            if inPlace, let base = message.baseAddress, !message.isEmpty {
              #expect(base >= bytes.baseAddress! && base < bytes.baseAddress! + bytes.count)
            }
            continue
          case .needMore:
            #expect(chunk.isEmpty)
            return
          case .compressed: found.append(.compressed)
          case .tooLarge(let byteCount): found.append(.tooLarge(byteCount))
          }
          isRefused = true
          return
        }
      }
      if isRefused { break }
    }
    return (found, reader.isBetweenMessages)
  }

  @Test func messagesCutAnywhere() {
    let messages: [[UInt8]] = [[], [1], [2, 3, 4], [], [], Array(5...20)]
    let stream = messages.flatMap { Wire.framed($0) }
    let expected = messages.map { Read.message($0) }
    for first in 0...stream.count {
      #expect(read(stream, cutAt: [first]).read == expected)
      for second in first...stream.count {
        let (found, isBetween) = read(stream, cutAt: [first, second])
        guard found == expected, isBetween else {
          Issue.record("cut at \(first) and \(second)")
          return
        }
      }
    }
    #expect(read(stream, cutAt: Array(0...stream.count)).read == expected)
  }

  @Test func randomMessagesInRandomPieces() {
    for seed: UInt64 in 0..<60 {
      var random = SeededRandom(seed: seed)
      let longest = [0, 3, 100, Self.messageBytesMax].randomElement(using: &random)!
      let messages = (0..<Int.random(in: 1...30, using: &random)).map { _ in
        randomBytes(.random(in: 0...longest, using: &random), using: &random)
      }
      let stream = messages.flatMap { Wire.framed($0) }
      let cuts = (0..<Int.random(in: 0...60, using: &random)).map { _ in
        Int.random(in: 0...stream.count, using: &random)
      }
      let (found, isBetween) = read(stream, cutAt: cuts.sorted())
      let isSame = found == messages.map { Read.message($0) }
      #expect(isSame && isBetween, "seed \(seed)")
    }
  }

  @Test func halfAMessageIsNotBetweenMessages() {
    let stream = Wire.framed([1, 2, 3])
    for end in 1..<stream.count {
      #expect(!read(Array(stream[..<end]), cutAt: []).isBetween)
    }
    #expect(read([], cutAt: []).isBetween)
    #expect(read(stream, cutAt: []).isBetween)
  }

  @Test func compressedMessagesAreRefused() {
    for flag: UInt8 in [1, 2, 255] {
      let stream = Wire.framed([7]) + Wire.framed([1, 2], compressed: flag)
      for cut in 0...stream.count {
        #expect(read(stream, cutAt: [cut]).read == [.message([7]), .compressed])
      }
    }
  }

  /// Goal: the length alone decides; no byte of a message that is too large is kept.
  @Test func messagesThatAreTooLargeAreRefused() {
    let longest = Array(repeating: UInt8(1), count: Self.messageBytesMax)
    #expect(read(Wire.framed(longest), cutAt: [3]).read == [.message(longest)])
    let prefix = Array(Wire.framed(longest + [1]).prefix(5))
    for cut in 0...5 {
      #expect(read(prefix, cutAt: [cut]).read == [.tooLarge(Self.messageBytesMax + 1)])
    }
    #expect(read([0, 255, 255, 255, 255], cutAt: []).read == [.tooLarge(4_294_967_295)])
  }
}
