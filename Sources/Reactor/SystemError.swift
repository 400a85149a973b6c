internal import Glibc

/// A system call that failed where the gateway can't go on without it.
public struct SystemError: Error, CustomStringConvertible, Sendable {
  /// What was attempted, for people.
  public var attempt: String
  public var code: Int32

  /// Takes the calling thread's `errno`.
  init(_ attempt: String) {
    self.attempt = attempt
    code = errno
  }

  init(_ attempt: String, code: Int32) {
    self.attempt = attempt
    self.code = code
  }

  public var description: String { "\(attempt): \(errorText(code))" }
}

func errorText(_ code: Int32) -> String {
  var text = [CChar](repeating: 0, count: 128)
  guard unsafe strerror_r(code, &text, text.count) == 0 else { return "error \(code)" }
  return unsafe text.withUnsafeBufferPointer { unsafe String(cString: $0.baseAddress!) }
}
