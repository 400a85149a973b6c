internal import Primitives

#if FAULTS
  /// What only a build with faults offers: `gatehouse sim` with a mistake put back.
  let faultOptions: [CommandOption] = [.fault]

  extension CommandOption {
    fileprivate static let fault = CommandOption(
      "fault", argument: "NAME", "put a mistake back that must be found; --list shows their names")
  }

  /// Runs `body` with the fault that was asked for, or as it is.
  func withFault<T>(_ call: Call, _ body: () throws -> T) throws -> T {
    guard let name = call.value(.fault) else { return try body() }
    guard let fault = Fault(rawValue: name) else {
      let names = Fault.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandFailure(
        "--fault \(quoted(name)): there is none of that name; there are \(names)",
        .wrongCommandLine)
    }
    return try Fault.$active.withValue(fault) { try body() }
  }

  /// For `gatehouse sim --list`.
  var faultList: String {
    "\nFaults, of which this build can have one:\n"
      + Fault.allCases.map { "  \($0.rawValue)\n" }.joined()
  }
#else
  let faultOptions: [CommandOption] = []

  func withFault<T>(_: Call, _ body: () throws -> T) throws -> T { try body() }

  let faultList = ""
#endif
