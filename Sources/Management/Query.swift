internal import Auth
internal import Primitives

/// The arguments of a request's query, percent-decoded.
struct Query {
  struct Argument {
    var name: String
    /// Nil when there is none, or when it is not UTF-8.
    var value: String?
  }

  /// What is wrong with an argument.
  struct Problem: Error {
    var name: String
    var text: String
  }

  var arguments: [Argument] = []

  /// Throws when there is an argument of another name: it may be a misspelt one.
  func allow(_ names: [String]) throws(Problem) {
    for argument in arguments where !names.contains(argument.name) {
      let known = names.joined(separator: ", ")
      throw Problem(
        name: argument.name, text: names.isEmpty ? "is unknown" : "is unknown; known are \(known)")
    }
  }

  /// The value of an argument, or nil when it is not there.
  func value(_ name: String) throws(Problem) -> String? {
    let found = arguments.filter { $0.name == name }
    guard let first = found.first else { return nil }
    guard found.count == 1 else { throw Problem(name: name, text: "must be given once") }
    guard let value = first.value else {
      throw Problem(name: name, text: "must have a value, in UTF-8")
    }
    return value
  }

  /// Whom `account` or `address` names; nil when neither is there.
  func subject() throws(Problem) -> Subject? {
    let account = try value("account")
    let address = try value("address")
    switch (account, address) {
    case (nil, nil): return nil
    case (_?, _?): throw Problem(name: "account", text: "can't be given together with address")
    case (let text?, nil):
      guard let name = AccountName(text) else {
        throw Problem(
          name: "account",
          text: "must be an account's name: 1 to \(AccountName.byteCountMax) bytes of UTF-8, "
            + "no control characters, no space at either end")
      }
      return .account(name)
    case (nil, let text?): return .addresses(try Self.prefix(text))
    }
  }

  /// The subject, where there has to be one.
  func requiredSubject() throws(Problem) -> Subject {
    if let subject = try subject() { return subject }
    throw Problem(name: "account", text: "or address must be given")
  }

  private static func prefix(_ text: String) throws(Problem) -> AddressPrefix {
    if let prefix = AddressPrefix(text: text) { return prefix }
    guard let cleared = AddressPrefix(text: text, clearingHostBits: true) else {
      throw Problem(
        name: "address", text: "must be an address, or a prefix such as 192.0.2.0/24")
    }
    throw Problem(name: "address", text: "has bits behind its prefix: \(cleared) has none")
  }
}
