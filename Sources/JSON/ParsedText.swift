internal import CJansson

/// Why a text is not JSON; line and column count from 1.
struct SyntaxProblem: Error {
  var line: Int
  var column: Int
  var text: String
}

/// Lets `body` see jansson's value of a JSON text: UTF-8, each name of an object once.
///
/// - Parameter flags: more of jansson's.
func withParsedText<R, E: Error>(
  _ bytes: [UInt8], flags: Int = 0, _ body: (UnsafeMutablePointer<json_t>) throws(E) -> R
) throws(E) -> Result<R, SyntaxProblem> {
  var failure = json_error_t()
  // SAFETY: the buffer outlives the call; jansson copies what it keeps.
  let root = unsafe bytes.withUnsafeBytes { buffer in
    unsafe json_loadb(
      buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count,
      Int(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY) | flags, &failure)
  }
  guard let root = unsafe root else {
    let text = unsafe withUnsafeBytes(of: failure.text) { text in
      unsafe String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }
    return .failure(
      SyntaxProblem(
        line: max(1, Int(failure.line)), column: max(1, Int(failure.column)), text: text))
  }
  defer { unsafe json_decref(root) }
  return .success(try unsafe body(root))
}

/// What a kind of value is called, with an article.
func kindName(_ type: json_type) -> String {
  switch type {
  case JSON_OBJECT: "an object"
  case JSON_ARRAY: "an array"
  case JSON_STRING: "a string"
  case JSON_INTEGER: "a whole number"
  case JSON_REAL: "a number with a fraction"
  case JSON_TRUE, JSON_FALSE: "a boolean"
  default: "null"
  }
}
