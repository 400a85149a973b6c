internal import JSON
internal import Store

/// How a command ended, as the process's exit status.
enum ExitStatus: Int32 {
  case done = 0
  /// It was asked rightly and could not be done.
  case failed = 1
  /// The command line is wrong; nothing was done.
  case wrongCommandLine = 2
  /// There was nothing that the command could have been about.
  case nothingMatched = 3
}

/// Why a command can't do what it was asked to, for whoever typed it.
struct CommandFailure: Error, Equatable {
  /// Without a line break at its end; what came from outside is ``quoted(_:)``.
  var message: String
  var status = ExitStatus.failed

  init(_ message: String, _ status: ExitStatus = .failed) {
    self.message = message
    self.status = status
  }

  /// Whatever else was thrown, in the words that it has for itself.
  init(_ error: any Error) {
    self = (error as? CommandFailure) ?? CommandFailure("\(error)")
  }
}

/// `text` in quotation marks, without anything that a terminal would obey.
func quoted(_ text: String) -> String {
  let shown = text.unicodeScalars.prefix(200)
  let isCut = shown.endIndex != text.unicodeScalars.endIndex
  return "\"\(visible(String(shown)))\(isCut ? "…" : "")\""
}

/// `text` with its control characters written out.
func visible(_ text: String) -> String {
  // Quotation marks and backslashes alone are no danger, and names are full of them.
  guard text.unicodeScalars.contains(where: isInvisible) else { return text }
  var bytes: [UInt8] = []
  appendEscaped(text, to: &bytes)
  return String(decoding: bytes, as: UTF8.self)
}

private func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
  guard scalar.value >= 0x7f else { return scalar.value < 0x20 }
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator: return true
  default: return false
  }
}

/// `text` as one word of a POSIX shell (XCU section 2.2), so that a shown command can be copied.
func shellWord(_ text: String) -> String {
  let isPlain = text.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"),
      UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "@"),
      UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "%"):
      true
    default: false
    }
  }
  if isPlain && !text.isEmpty { return text }
  var word = "'"
  for character in text { word += character == "'" ? #"'\''"# : String(character) }
  return word + "'"
}
