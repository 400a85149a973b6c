/// Why there is no usable management token; descriptions say what to do about it.
public enum TokenError: Error, Equatable, CustomStringConvertible, Sendable {
  /// Where a token came from.
  public enum Source: Equatable, Sendable {
    case configuration
    case file(String)
  }

  /// Neither a token nor a file is configured.
  case missing
  /// Both a token and a file are configured.
  case givenTwice
  case tooShort(source: Source)
  case tooLong(source: Source)
  /// Something but visible ASCII.
  case unusableCharacter(source: Source)
  /// A folder, a FIFO, or the like.
  case notAFile(path: String)
  case cannotRead(path: String, errno: Int32)
  case cannotCreate(path: String, errno: Int32)

  public var description: String {
    switch self {
    case .missing: "management has no token: set token_file (or token)"
    case .givenTwice: "management has both token and token_file: remove one of them"
    case .tooShort(let source):
      "\(name(source)) is shorter than \(Token.byteCountMin) characters: \(remedy(source))"
    case .tooLong(let source):
      "\(name(source)) is longer than \(Token.byteCountMax) characters: \(remedy(source))"
    case .unusableCharacter(let source):
      "\(name(source)) has spaces or other characters than visible ASCII: \(remedy(source))"
    case .notAFile(let path): "the management token's path \(path) is not a regular file"
    case .cannotRead(let path, let code):
      "cannot read the management token file \(path): \(errorText(code)); "
        + "let the gateway's user read it"
    case .cannotCreate(let path, let code):
      "cannot create the management token file \(path): \(errorText(code)); "
        + "let the gateway's user write to its folder, or write a token into the file yourself"
    }
  }

  private func name(_ source: Source) -> String {
    switch source {
    case .configuration: "the management token"
    case .file(let path): "the management token in \(path)"
    }
  }

  private func remedy(_ source: Source) -> String {
    switch source {
    case .configuration: "choose another, or use token_file"
    case .file: "delete the file to have a random token made"
    }
  }
}

/// What an operator should know about how the token was come by.
public enum TokenNotice: Equatable, CustomStringConvertible, Sendable {
  /// A random token was made and written to `path`, readable by its owner alone.
  case created(path: String)
  /// Other users than its owner may read the file, or even write it.
  case readableByOthers(path: String, mode: UInt32)

  public var description: String {
    switch self {
    case .created(let path): "a random management token was written to \(path)"
    case .readableByOthers(let path, let mode):
      "the management token file \(path) is open to other users "
        + "(mode 0\(String(mode, radix: 8))): chmod 600 it"
    }
  }
}
