public import Auth

/// A line of a list of accounts that is not taken; lines count from 1.
public struct LegacyListError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Problem: Equatable, Sendable {
    /// More than ``LegacyList/lineByteCountMax`` bytes.
    case lineTooLong
    case notUTF8
    /// No colon, or too few columns.
    case noHash
    case badName
    case hash(LegacyHashError)
    /// The CSV's first line names no column for this.
    case columnMissing(String)
    /// The CSV's first line names two columns for this.
    case columnTwice(String)
    /// A quotation mark within an unquoted value, something behind a closing one, or none.
    case badQuotes
    /// The column `format` of a CSV says what is none.
    case unknownFormat
  }

  public var line: Int
  public var problem: Problem

  public var description: String {
    let text =
      switch problem {
      case .lineTooLong: "it is longer than \(LegacyList.lineByteCountMax) bytes"
      case .notUTF8: "it is not UTF-8; convert the list, for example with iconv"
      case .noHash: "there is no hash behind the name"
      case .badName: "the name is not 1 to 64 bytes without control characters"
      case .hash(let error): error.description
      case .columnMissing(let name): "the heading names no column \"\(name)\""
      case .columnTwice(let name): "the heading names the column \"\(name)\" twice"
      case .badQuotes: "its quotation marks don't match"
      case .unknownFormat: "the column \"format\" names no format"
      }
    return "line \(line): \(text)"
  }
}

/// Reads a list of accounts with their hashes, as other programs write it, piece by piece.
///
/// Give it pieces of the file with ``add(_:)``, in between take entries with ``next()`` until that
/// is nil, and ``end()`` it before the last ones. Holds one line and the piece that was added last.
///
/// The forms:
/// - ``Form/lines``: `name:hash` or `name:hash:salt`; so are htpasswd's files. Lines that are empty
/// or   begin with `#` are passed over.
/// - ``Form/csv``: values between commas, semicolons or tabs, whichever the first line has; a value
///   with one of them is between quotation marks, and a mark in it is doubled (RFC 4180, but for
/// line   ends in values). The first line names the columns: `name` (or `username`, `account`,
/// `login`,   `user`), `hash` (or `password`, `password_hash`, `passwd`), and if need be `salt` and
/// `format`;   others do not matter.
public struct LegacyList: Sendable {
  public enum Form: String, CaseIterable, Sendable { case lines, csv }

  public struct Entry: Equatable, Sendable {
    public var line: Int
    public var name: AccountName
    public var hash: LegacyHash
  }

  /// The longest line, in bytes.
  public static let lineByteCountMax = 4096

  private let form: Form
  private let format: LegacyFormat
  private var piece: ArraySlice<UInt8> = []
  /// The beginning of a line whose end is not there yet; no longer than a line and a byte.
  private var begun: [UInt8] = []
  private var isEnded = false
  private var line = 0
  private var columns: LegacyColumns?

  /// - Parameter format: of hashes that do not say themselves what they are.
  public init(form: Form, format: LegacyFormat = .automatic) {
    self.form = form
    self.format = format
  }

  /// - Precondition: ``next()`` has returned nil since the last time.
  public mutating func add(_ piece: [UInt8]) {
    precondition(self.piece.isEmpty && !isEnded)
    self.piece = piece[...]
  }

  /// Says that nothing more comes.
  public mutating func end() { isEnded = true }

  /// The next entry; nil when more has to be added or, at the end, there is none.
  ///
  /// - Throws: what is wrong with a line. After it the next line can be asked for, unless
  ///   ``canGoOn`` is false.
  public mutating func next() throws(LegacyListError) -> Entry? {
    while let bytes = nextLine() {
      do throws(LegacyListProblem) {
        if let entry = try entry(bytes) { return entry }
      } catch {
        throw LegacyListError(line: line, problem: error.problem)
      }
    }
    return nil
  }

  /// False when the columns of a CSV are not known, so that no line can be read.
  public var canGoOn: Bool { form == .lines || columns != nil || line == 0 }

  /// A line without its end; of one that is too long, as much as shows it.
  private mutating func nextLine() -> [UInt8]? {
    let newline = piece.firstIndex(of: UInt8(ascii: "\n"))
    let rest = piece[..<(newline ?? piece.endIndex)]
    begun += rest.prefix(Self.lineByteCountMax + 1 - begun.count)
    if let newline {
      piece = piece[(newline + 1)...]
    } else {
      piece = []
      guard isEnded, !begun.isEmpty else { return nil }
    }
    defer { begun = [] }
    line += 1
    if line == 1, begun.starts(with: [0xef, 0xbb, 0xbf]) { begun.removeFirst(3) }
    if begun.last == UInt8(ascii: "\r") { begun.removeLast() }
    return begun
  }

  private mutating func entry(_ bytes: [UInt8]) throws(LegacyListProblem) -> Entry? {
    guard bytes.count <= Self.lineByteCountMax else { throw .init(.lineTooLong) }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .init(.notUTF8) }
    switch form {
    case .lines:
      if bytes.isEmpty || bytes[0] == UInt8(ascii: "#") { return nil }
      let fields = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count >= 2, !fields[1].isEmpty else { throw .init(.noHash) }
      return try entry(
        name: String(fields[0]), hash: String(fields[1]),
        salt: fields.count == 3 ? String(fields[2]) : "", format)
    case .csv:
      guard let columns else {
        self.columns = try LegacyColumns(heading: text)
        return nil
      }
      if bytes.isEmpty { return nil }
      return try entry(columns, try columns.values(of: text))
    }
  }

  private func entry(
    _ columns: LegacyColumns, _ values: [String]
  ) throws(LegacyListProblem) -> Entry {
    func value(_ index: Int?) -> String {
      index.flatMap { $0 < values.count ? values[$0] : nil } ?? ""
    }
    let hash = value(columns.hash)
    guard !hash.isEmpty else { throw .init(.noHash) }
    var format = format
    let formatName = value(columns.format)
    if !formatName.isEmpty {
      guard let named = LegacyFormat(formatName) else { throw .init(.unknownFormat) }
      format = named
    }
    return try entry(name: value(columns.name), hash: hash, salt: value(columns.salt), format)
  }

  private func entry(
    name: String, hash: String, salt: String, _ format: LegacyFormat
  ) throws(LegacyListProblem) -> Entry {
    guard let account = AccountName(name) else { throw .init(.badName) }
    do throws(LegacyHashError) {
      let legacy = try LegacyHash(
        parsing: hash, format: format, salt: Array(salt.utf8), account: account)
      return Entry(line: line, name: account, hash: legacy)
    } catch {
      throw .init(.hash(error))
    }
  }
}

/// A problem on its way to where the line's number is known.
private struct LegacyListProblem: Error {
  var problem: LegacyListError.Problem
  init(_ problem: LegacyListError.Problem) { self.problem = problem }
}

/// Where in a CSV's lines what stands.
private struct LegacyColumns: Sendable {
  private static let names: [String: [String]] = [
    "name": ["name", "username", "account", "login", "user"],
    "hash": ["hash", "password", "password_hash", "passwd"],
    "salt": ["salt"],
    "format": ["format"],
  ]

  let separator: UInt8
  let name: Int
  let hash: Int
  let salt: Int?
  let format: Int?

  init(heading: String) throws(LegacyListProblem) {
    let separators = [UInt8(ascii: "\t"), UInt8(ascii: ";"), UInt8(ascii: ",")]
    separator = separators.first { heading.utf8.contains($0) } ?? UInt8(ascii: ",")
    let titles = try Self.values(of: heading, separator).map { $0.lowercased() }
    name = try Self.required("name", in: titles)
    hash = try Self.required("hash", in: titles)
    salt = try Self.index(of: "salt", in: titles)
    format = try Self.index(of: "format", in: titles)
  }

  func values(of line: String) throws(LegacyListProblem) -> [String] {
    try Self.values(of: line, separator)
  }

  private static func required(
    _ wanted: String, in titles: [String]
  ) throws(LegacyListProblem) -> Int {
    guard let index = try index(of: wanted, in: titles) else {
      throw .init(.columnMissing(wanted))
    }
    return index
  }

  private static func index(
    of wanted: String, in titles: [String]
  ) throws(LegacyListProblem) -> Int? {
    let names = names[wanted, default: []]
    let found = titles.indices.filter { names.contains(titles[$0]) }
    guard found.count <= 1 else { throw .init(.columnTwice(wanted)) }
    return found.first
  }

  private static func values(
    of line: String, _ separator: UInt8
  ) throws(LegacyListProblem) -> [String] {
    let quote = UInt8(ascii: "\"")
    var values: [String] = []
    var rest = Array(line.utf8)[...]
    while true {
      var value: [UInt8] = []
      if rest.first == quote {
        rest = rest.dropFirst()
        while true {
          guard let byte = rest.popFirst() else { throw .init(.badQuotes) }
          if byte != quote {
            value.append(byte)
          } else if rest.first == quote {
            value.append(quote)
            rest = rest.dropFirst()
          } else {
            break
          }
        }
        guard rest.isEmpty || rest.first == separator else { throw .init(.badQuotes) }
      } else {
        value = Array(rest.prefix { $0 != separator })
        guard !value.contains(quote) else { throw .init(.badQuotes) }
        rest = rest.dropFirst(value.count)
      }
      values.append(String(decoding: value, as: UTF8.self))
      guard rest.popFirst() == separator else { return values }
    }
  }
}
