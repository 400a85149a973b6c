internal import Auth
internal import JSON

/// One line of an import: each of its members is asked for once, and none may be left.
struct TransferLine {
  let kind: String
  let number: Int
  private var members: [String: JSONValue] = [:]

  init(_ bytes: [UInt8], number: Int) throws(StoreError) {
    self.number = number
    guard bytes.count <= Transfer.lineByteCountMax else {
      throw .malformedLine(number, problem: "longer than \(Transfer.lineByteCountMax) bytes")
    }
    let value: JSONValue
    do throws(JSONValue.Malformed) {
      value = try JSONValue(parsing: bytes, depthMax: 2)
    } catch {
      throw .malformedLine(number, problem: error.description)
    }
    guard case .object(let members) = value else {
      throw .malformedLine(number, problem: "\(value.kind) instead of an object")
    }
    for member in members { self.members[member.name] = member.value }
    guard case .string(let kind) = self.members.removeValue(forKey: "kind") else {
      throw .malformedLine(number, problem: "has no kind")
    }
    self.kind = kind
  }

  func wrong(_ problem: String) -> StoreError { .malformedLine(number, problem: problem) }

  mutating func string(_ name: String) throws(StoreError) -> String {
    guard let text = try optionalString(name) else { throw wrong("\(name) is missing") }
    return text
  }

  mutating func optionalString(_ name: String) throws(StoreError) -> String? {
    switch members.removeValue(forKey: name) {
    case .string(let text): return text
    case nil, .null: return nil
    case .some(let value): throw wrong("\(name) must be a string, not \(value.kind)")
    }
  }

  mutating func integer(_ name: String) throws(StoreError) -> Int64 {
    guard let number = try optionalInteger(name) else { throw wrong("\(name) is missing") }
    return number
  }

  mutating func optionalInteger(_ name: String) throws(StoreError) -> Int64? {
    switch members.removeValue(forKey: name) {
    case .integer(let number): return number
    case nil, .null: return nil
    case .some(let value): throw wrong("\(name) must be a whole number, not \(value.kind)")
    }
  }

  mutating func bool(_ name: String) throws(StoreError) -> Bool {
    switch members.removeValue(forKey: name) {
    case .bool(let isTrue): return isTrue
    case nil: throw wrong("\(name) is missing")
    case .some(let value): throw wrong("\(name) must be a boolean, not \(value.kind)")
    }
  }

  mutating func bytes(_ name: String) throws(StoreError) -> [UInt8] {
    guard let bytes = Store.bytes(ofHexadecimal: try string(name)) else {
      throw wrong("\(name) must be hexadecimal digits")
    }
    return bytes
  }

  mutating func account(_ name: String) throws(StoreError) -> AccountName {
    let text = try string(name)
    guard let account = AccountName(text) else { throw wrong("\(name) is no account's name") }
    return account
  }

  /// To be called when all that is known has been asked for.
  func end() throws(StoreError) {
    guard let unknown = members.keys.min() else { return }
    throw wrong("a line of kind \(kind) has no \(unknown)")
  }
}
