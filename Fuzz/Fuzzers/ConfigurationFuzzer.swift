import Configuration
import Gateway

/// Goal: a text is right, and then within what the gateway relies on, or has problems that each are
/// one line at a place that exists.
enum ConfigurationFuzzer {
  static func run(_ bytes: [UInt8]) {
    let outcome = ConfigurationLoader.load(text: bytes, file: "f/gatehouse.toml")
    let lines = bytes.count { $0 == 10 } + 1
    let problems: [ConfigurationProblem]
    switch outcome {
    case .loaded(let configuration, let warnings):
      problems = warnings
      check(!configuration.listeners.isEmpty && !configuration.pools.isEmpty, "nothing to do")
      for listener in configuration.listeners {
        check(configuration.pools.indices.contains(listener.pool), "a pool that is not there")
        check(!listener.host.isEmpty && listener.port > 0, "no place to listen")
      }
    case .refused(let found):
      problems = found
      check(!found.isEmpty, "refused without a word")
    }
    check(problems.count <= ConfigurationLoader.problemsMax + 1, "\(problems.count) problems")
    for problem in problems {
      check((1...lines + 1).contains(problem.line), "line \(problem.line) of \(lines)")
      check(problem.column >= 1, "column \(problem.column)")
      check(isPrintable(problem.description), "the problem spoils a terminal")
    }
    check(ConfigurationLoader.load(text: bytes, file: "f/gatehouse.toml") == outcome, "another")
  }
}
