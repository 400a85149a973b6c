/// Tables of opcodes, each with a size of its own: the last resort.
///
/// Sizes are guessed one opcode after the other, so that all streams are used up, and taken back
/// where that fails. Nearly any stream can be explained so with enough opcodes: each costs as many
/// bits as it takes to write down.
extension Search {
  private static let opcodesMax = 24
  private static let sizeMax = 512
  /// What one place is tried with.
  private static let sizesTried = 12
  private static let solutionsMax = 32

  mutating func tryTables() {
    if let best = best.first, best.score.total > 30,
      best.score.exactStreams > best.score.halfStreams
    {
      return
    }
    let streams = streams.filter { !$0.isCut && $0.bytes.count <= 4096 }
      .sorted { $0.bytes.count < $1.bytes.count }.prefix(16)
    guard streams.count >= 3 else { return }
    var solver = TableSolver(Array(streams))
    solver.solve(stream: 0, place: 0)
    for sizes in solver.solutions { attempt(Rule(.table(sizes))) }
  }

  private struct TableSolver {
    let streams: [LearningStream]
    var sizes: [UInt8: Int] = [:]
    var solutions: [[UInt8: Int]] = []
    /// Bytes that streams begin with are opcodes for sure.
    private let firsts: Set<UInt8>
    /// Guesses that may yet be made; bounds the time.
    private var guessesLeft = 20_000

    init(_ streams: [LearningStream]) {
      self.streams = streams
      firsts = Set(streams.compactMap(\.bytes.first))
    }

    mutating func solve(stream: Int, place: Int) {
      var stream = stream
      var place = place
      while stream < streams.count {
        let bytes = streams[stream].bytes
        while place < bytes.count, let size = sizes[bytes[place]] { place += size }
        guard place >= bytes.count else { break }
        guard place == bytes.count else { return }
        stream += 1
        place = 0
      }
      guard stream < streams.count else {
        solutions.append(sizes)
        return
      }
      guard sizes.count < Search.opcodesMax else { return }
      let opcode = streams[stream].bytes[place]
      for size in candidates(streams[stream], place) {
        guard guessesLeft > 0, solutions.count < Search.solutionsMax else { return }
        guessesLeft -= 1
        sizes[opcode] = size
        solve(stream: stream, place: place + size)
        sizes[opcode] = nil
      }
    }

    /// To the write's end, to the stream's, or to what may be an opcode.
    private func candidates(_ stream: LearningStream, _ place: Int) -> [Int] {
      let left = stream.bytes.count - place
      var sizes: [Int] = []
      if let write = stream.writeEnds.first(where: { $0 > place }) { sizes.append(write - place) }
      if left <= Search.sizeMax && !sizes.contains(left) { sizes.append(left) }
      for size in 1..<max(1, min(left, Search.sizeMax)) {
        guard sizes.count < Search.sizesTried else { break }
        let next = stream.bytes[place + size]
        if (firsts.contains(next) || self.sizes[next] != nil) && !sizes.contains(size) {
          sizes.append(size)
        }
      }
      return sizes
    }
  }
}
