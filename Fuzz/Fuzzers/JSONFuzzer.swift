@testable import JSON
@testable import Store

/// Goal: JSON that strangers send is read as what it says, or refused at a place that exists; what
/// is read and written is read as the same.
enum JSONFuzzer {
  static func run(_ bytes: [UInt8]) {
    do throws(JSONValue.Malformed) {
      let value = try JSONValue(parsing: bytes)
      guard !value.hasReal else { return }
      var writer = JSONWriter()
      value.write(to: &writer)
      let again = try? JSONValue(parsing: writer.bytes)
      check(again?.sorted == value.sorted, "written and read it is another value")
    } catch {
      check(isPrintable(error.description) || !isASCII(bytes), "the problem spoils a terminal")
      if case .syntax(let line, let column, _) = error {
        check((1...bytes.count { $0 == 0x0a } + 1).contains(line) && column >= 1, "no such place")
      }
    }
    checkObject(bytes)
    checkLine(bytes)
  }

  private static func isASCII(_ bytes: [UInt8]) -> Bool {
    bytes.allSatisfy { (0x20..<0x7f).contains($0) }
  }

  private static func checkObject(_ bytes: [UInt8]) {
    guard let object = try? JSONObject(parsing: bytes) else { return }
    check(Set(object.members.map { Array($0.name.utf8) }).count == object.members.count, "a name")
    guard case .object(let members)? = try? JSONValue(parsing: bytes, depthMax: 1000) else {
      check(false, "an object for one reader and none for the other")
      return
    }
    check(members.count == object.members.count, "the readers differ in members")
  }

  private static func checkLine(_ bytes: [UInt8]) {
    guard var line = try? TransferLine(bytes, number: 7) else { return }
    let names = ["name", "at", "disabled", "hash", "account"]
    _ = try? line.string(names[0])
    _ = try? line.optionalInteger(names[1])
    _ = try? line.bool(names[2])
    if let bytes = try? line.bytes(names[3]) { check(bytes.count <= 1 << 19, "hexadecimal") }
    _ = try? line.account(names[4])
    do throws(StoreError) {
      try line.end()
    } catch {
      check(error.description.utf8.count < 2 << 20, "the problem has no end")
    }
  }
}

extension JSONValue {
  fileprivate var hasReal: Bool {
    switch self {
    case .object(let members): members.contains { $0.value.hasReal }
    case .array(let elements): elements.contains { $0.hasReal }
    case .real: true
    case .string, .integer, .bool, .null: false
    }
  }

  /// With members in the order of their names' bytes, as the parser has an order of its own.
  fileprivate var sorted: JSONValue {
    switch self {
    case .object(let members):
      .object(
        members.map { Member($0.name, $0.value.sorted) }
          .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
    case .array(let elements): .array(elements.map(\.sorted))
    case .string, .integer, .real, .bool, .null: self
    }
  }

  fileprivate func write(to writer: inout JSONWriter) {
    switch self {
    case .object(let members):
      writer.object { writer in
        for member in members {
          writer.key(member.name)
          member.value.write(to: &writer)
        }
      }
    case .array(let elements): writer.array { writer in elements.forEach { $0.write(to: &writer) } }
    case .string(let text): writer.string(text)
    case .integer(let value): writer.number(value)
    case .bool(let isTrue): writer.bool(isTrue)
    case .null, .real: writer.null()
    }
  }
}
