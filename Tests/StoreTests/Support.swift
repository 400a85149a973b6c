import Auth
import Foundation
import Primitives
import Testing

@testable import Store

/// A folder of a test's own, which goes with it.
final class TemporaryFolder {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.path + "/gatehouse-" + UUID().uuidString
    // Suites make it in a property; where it fails, every test in it tells so.
    mkdir(path, 0o700)
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      print("cannot remove \(path): \(error)")
    }
  }

  func file(_ name: String = "store.db") -> String { path + "/" + name }

  func open(
    _ name: String = "store.db", access: Database.Access = .readWrite,
    busyTimeout: Interval = .seconds(10)
  ) throws -> Database {
    try Database(path: file(name), access: access, busyTimeout: busyTimeout)
  }
}

/// What `body` throws; a failure of the test when it throws nothing.
func storeError(
  _ body: () throws -> Void, at location: SourceLocation = #_sourceLocation
) -> StoreError? {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: location)
  } catch let error as StoreError {
    return error
  } catch {
    Issue.record("\(error) was thrown", sourceLocation: location)
  }
  return nil
}

let anna = AccountName("Anna")!
let bert = AccountName("Bert")!

func prefix(_ text: String) -> AddressPrefix { AddressPrefix(text: text)! }

func addresses(_ text: String) -> Subject { .addresses(prefix(text)) }

func record(_ hash: String = "$argon2id$x", scheme: String = "argon2id") -> PasswordRecord {
  PasswordRecord(scheme: scheme, parameters: "", hash: hash)
}

func login(
  _ account: String?, _ outcome: String = "accepted", from address: String = "192.0.2.7"
) -> LoginRecord {
  LoginRecord(
    account: account, client: SocketAddress(ipv6: prefix(address).bytes, port: 50_112),
    listener: "game", outcome: outcome, detail: "")
}

/// `elements` one after the other, then nil.
func each<Element>(_ elements: [Element]) -> () throws(StoreError) -> Element? {
  var iterator = elements.makeIterator()
  return { () throws(StoreError) in iterator.next() }
}
