extension Subcommand {
  /// What `gatehouse COMMAND --help` shows.
  var help: String {
    var text = "Usage: \(program)"
    if !operands.isEmpty { text += " \(operands)" }
    if !options.isEmpty { text += " [OPTION]..." }
    text += "\n\n\(explanation)\n"
    if !examples.isEmpty {
      text += "\nExamples:\n" + examples.map { "  \($0)\n" }.joined()
    }
    return text + "\nOptions:\n" + optionLines(options + [.help])
  }
}

/// Options one a line, with what they mean in a column of its own.
func optionLines(_ options: [CommandOption]) -> String {
  let forms = options.map { option in
    (option.letter.map { "-\($0), " } ?? "    ") + "--\(option.name)"
      + (option.argument.map { " \($0)" } ?? "")
  }
  return aligned(Array(zip(forms, options.map(\.help))))
}

/// Two columns; what comes after the second's beginning goes on below it.
func aligned(_ lines: [(String, String)]) -> String {
  let columnsMax = 100
  let width = lines.reduce(0) { max($0, $1.0.count) }
  return lines.map { form, meaning in
    var text = "  \(form)\(String(repeating: " ", count: width - form.count))  "
    let indent = text.count
    var column = indent
    for (index, word) in meaning.split(separator: " ").enumerated() {
      if index > 0 {
        if column + 1 + word.count > columnsMax {
          text += "\n" + String(repeating: " ", count: indent)
          column = indent
        } else {
          text += " "
          column += 1
        }
      }
      text += word
      column += word.count
    }
    return text + "\n"
  }.joined()
}
