/// Why a text is no scenario, in words for whoever typed it.
package enum ScenarioError: Error, Equatable, CustomStringConvertible {
  /// A text of more than ``Scenario/textBytesMax``.
  case tooLong
  case unknownName(String)
  case unknownKnob(String)
  case notANumber(knob: String, text: String)
  case outOfRange(knob: String, least: Int, most: Int)
  /// It was to be an entry of a plan, such as `crashes.3` or `resets.0-4`.
  case notAnEntry(String)
  case twice(String)

  package var description: String {
    switch self {
    case .tooLong: "longer than \(Scenario.textBytesMax) bytes"
    case .unknownName(let name):
      "no scenario is called \"\(name)\"; `gatehouse sim --list` shows all"
    case .unknownKnob(let name):
      "no number is called \"\(name)\"; `gatehouse sim --list` shows all"
    case .notANumber(let knob, let text): "\(knob)=\(text): expected a whole number"
    case .outOfRange(let knob, let least, let most):
      "\(knob): expected a whole number from \(least) to \(most)"
    case .notAnEntry(let text):
      "\"\(text)\" names no entry of a plan: expected FAMILY.NUMBER or FAMILY.FIRST-LAST, such as "
        + "crashes.3 or resets.0-4"
    case .twice(let name): "\(name) is there twice"
    }
  }
}
