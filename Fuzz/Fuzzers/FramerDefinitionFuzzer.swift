import CFramer
import Configuration
import Framing

/// Goal: a definition is right, or has problems that each are one line at a place that exists; and
/// what is right cuts any stream within its bounds.
///
/// The text ends at the first zero byte, and the stream begins there. Plugins answer whatever the
/// stream says.
enum FramerDefinitionFuzzer {
  static func run(_ bytes: [UInt8]) {
    let text = Array(bytes.prefix { $0 != 0 })
    let stream = Array(bytes.dropFirst(text.count + 1))
    let file = FramerLibrary.File(name: "fuzzed", path: "f/fuzzed.toml", text: text)
    let outcome = FramerDefinition.load(file, loadPlugin: plugin)
    let lines = text.count { $0 == 10 } + 1
    switch outcome {
    case .failure(let found):
      check(!found.problems.isEmpty, "refused without a word")
      for problem in found.problems {
        check((1...lines + 1).contains(problem.line), "line \(problem.line) of \(lines)")
        check(problem.column >= 1, "column \(problem.column)")
        check(isPrintable(problem.description), "the problem spoils a terminal")
      }
    case .success(let definition):
      check(definition.serverToClient?.dropsBytes != true, "clients would miss bytes")
      cut(stream, definition.clientToServer)
      if let framer = definition.serverToClient { cut(stream, framer) }
      for vector in definition.vectors {
        cut(Array(vector.packets.joined().prefix(2_000)), definition.clientToServer)
      }
    }
    check(FramerDefinition.load(file, loadPlugin: plugin) == outcome, "another")
  }

  private static func cut(_ stream: [UInt8], _ framer: Framer) {
    guard let compiled = try? CompiledFramer(framer) else {
      check(false, "a framer that can't be laid out")
      return
    }
    withExtendedLifetime(compiled) {
      for letInAfter in [nil, 0, 2] {
        let whole = FramerCut(stream, compiled, sizes: [], letInAfter: letInAfter)
        let bytes = FramerCut(stream, compiled, sizes: [1], letInAfter: letInAfter)
        let pieces = FramerCut(stream, compiled, sizes: [3, 1, 7, 2], letInAfter: letInAfter)
        for cut in [whole, bytes, pieces] {
          let all = cut.packets.joined().count + cut.raw.count + cut.tail.count
          check(all == stream.count, "\(all) of \(stream.count) bytes")
        }
        // What a plugin answers depends on how much it is shown; so do raw packets.
        guard !compiled.cutter.hasPlugin, !framer.hasRawPackets, !framer.isRawForAWhile else {
          continue
        }
        check(whole == bytes && whole == pieces, "\(framer) cuts pieces in other places")
      }
    }
  }

  private static let plugin: PluginLoader = { path, arguments, bounds in
    guard path != "refused" else {
      return .failure(.init(reason: "it is refused", expected: "another"))
    }
    let functions = gatehouse_framer(
      abi: UInt32(GATEHOUSE_FRAMER_ABI), size: UInt32(MemoryLayout<gatehouse_framer>.size),
      open: nil, close: nil,
      step: { _, memory, bytes, count, scanned in
        check(scanned < count, "nothing new is shown")
        memory!.pointee &+= 1
        let first = UInt64(bytes![0])
        return gatehouse_framer_step(
          answer: UInt32(first % 5), dropped: UInt32(count > 1 ? bytes![1] & 3 : 0),
          byte_count: first >> 4 == 0 ? .max : first >> 4)
      },
      taken: { _, memory in memory!.pointee &+= 1 }, end: { _, memory in memory!.pointee = 0 })
    return .success(
      PluginFramer(
        path: path, arguments: arguments, bounds: bounds, functions: functions, context: nil,
        unload: {}))
  }
}

extension Framer {
  /// Whether bytes go by as they come until the client is let in, so that its packets are reads.
  fileprivate var isRawForAWhile: Bool {
    switch self {
    case .raw, .lengthPrefix, .delimiter, .fixed, .table, .plugin: return false
    case .switch(let framer):
      return framer.cases.contains { $0.framer.isRawForAWhile }
        || framer.otherwise?.isRawForAWhile == true
    case .sequence(let framer):
      // A switch of streams in such a step may lead to raw as well.
      return framer.last.isRawForAWhile
        || framer.steps.contains { step in
          guard step.until == .authenticated else { return false }
          if case .lengthPrefix = step.framer { return false }
          if case .delimiter = step.framer { return false }
          if case .fixed = step.framer { return false }
          return true
        }
    }
  }
}
