// What cutting a stream costs on one core: every kind of framer over 1 MiB in reads of 64 KiB,
// beside memchr and memcpy over the same bytes. Medians of nine rounds, each of which takes all
// kinds in turn; processor time, so that other programs count less.
internal import CBench
internal import Framing

let readBytes = 65_536
let rounds = 9
/// A round goes over a stream again and again for as long, in nanoseconds.
let roundNanoseconds: UInt64 = 20_000_000

struct Outcome {
  var packets = 0
  var bytes = 0
}

/// As a session does: keeps what is no whole packet, and asks again when there is enough.
@inline(never)
func cut(_ stream: UnsafeRawBufferPointer, _ cutter: PacketCutter) -> Outcome {
  var outcome = Outcome()
  var state = FramerState()
  var (front, end, wanted) = (0, 0, 1)
  while end < stream.count {
    end = min(end + readBytes, stream.count)
    while end - front >= wanted {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: stream[front..<end])
      switch unsafe cutter.step(rest, &state) {
      case .packet(let byteCount, let dropped):
        cutter.took(&state)
        front += byteCount
        outcome.packets += 1
        outcome.bytes += byteCount - dropped
        wanted = 1
      case .needMore(let totalBytes): wanted = totalBytes
      case .needAnyMore: wanted = end - front + 1
      case .violation(let violation): preconditionFailure("\(violation)")
      }
    }
  }
  return outcome
}

@inline(never)
func pass(_ subject: Subject, _ compiled: CompiledFramer?, _ copy: inout [UInt8]) -> Outcome {
  unsafe subject.stream.withUnsafeBytes { stream in
    if let compiled { return unsafe cut(stream, compiled.cutter) }
    var outcome = Outcome(packets: 0, bytes: stream.count)
    unsafe copy.withUnsafeMutableBufferPointer { copy in
      for start in stride(from: 0, to: stream.count, by: readBytes) {
        let end = min(start + readBytes, stream.count)
        let bytes = unsafe stream.baseAddress!.assumingMemoryBound(to: UInt8.self) + start
        if subject.isMemchr {
          outcome.packets += unsafe bench_memchr(bytes, end - start)
        } else {
          unsafe bench_memcpy(copy.baseAddress! + start, bytes, end - start)
          outcome.packets += 1
        }
      }
    }
    return outcome
  }
}

func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

/// With three digits that count.
func shown(_ value: Double) -> String {
  let digits = value >= 100 ? 1.0 : value >= 10 ? 10.0 : 100.0
  let rounded = (value * digits).rounded() / digits
  return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
}

do throws(FramerDefinitionError) {
  let subjects = try Subject.all()
  var compiled: [CompiledFramer?] = []
  for subject in subjects {
    if let framer = subject.framer {
      compiled.append(try CompiledFramer(framer))
    } else {
      compiled.append(nil)
    }
  }
  var copy = [UInt8](repeating: 0, count: Subject.byteCount + 8_192)
  var times = [[Double]](repeating: [], count: subjects.count)
  var outcomes = [Outcome](repeating: Outcome(), count: subjects.count)
  var allocations = [UInt64](repeating: 0, count: subjects.count)
  for _ in 0..<rounds {
    for index in subjects.indices {
      outcomes[index] = pass(subjects[index], compiled[index], &copy)
      let before = bench_allocations()
      let start = bench_nanoseconds()
      var passes = 0
      while bench_nanoseconds() - start < roundNanoseconds {
        outcomes[index] = pass(subjects[index], compiled[index], &copy)
        passes += 1
      }
      let time = Double(bench_nanoseconds() - start) / Double(passes)
      allocations[index] += bench_allocations() - before
      times[index].append(time)
    }
  }
  precondition(bench_allocations() > 0, "the setup alone asks for memory: nothing is counted")
  print("| what | ns for a packet | million packets/s | GB/s | least to most GB/s | allocations |")
  print("|---|---|---|---|---|---|")
  for (index, subject) in subjects.enumerated() {
    let sorted = times[index].sorted()
    let middle = sorted[rounds / 2]
    let bytes = Double(subject.stream.count)
    let packets = Double(outcomes[index].packets)
    print(
      "| \(padded(subject.name, 42)) | \(shown(middle / packets)) "
        + "| \(shown(packets * 1_000 / middle)) | \(shown(bytes / middle)) "
        + "| \(shown(bytes / sorted[rounds - 1])) to \(shown(bytes / sorted[0])) "
        + "| \(allocations[index]) |")
  }
} catch {
  preconditionFailure("a framer of the benchmark is wrong: \(error.key), \(error.expected)")
}
