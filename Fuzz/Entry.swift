/// What libFuzzer calls with each input; which fuzzer it is for says the program's name.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  fuzzer([UInt8](UnsafeBufferPointer(start: start, count: count)))
  return 0
}

private let fuzzer: @Sendable ([UInt8]) -> Void = {
  let program = CommandLine.arguments[0]
  let name = program.split(separator: "/").last.map { String($0) } ?? program
  guard let fuzzer = allFuzzers[name] else { fatalError("there is no fuzzer \(name)") }
  return fuzzer
}()
