import Auth
import Foundation
import Primitives
import Synchronization
import Testing
import Threading

@testable import Store

/// A folder that goes with the test, and a service on a database in it.
final class ServiceHarness {
  /// What a service told, in order; a test waits for it instead of sleeping.
  final class Told: Sendable {
    enum Item: Sendable {
      case verdict(SessionID, LoginVerdict)
      case bans(BanTable)
      case known([AccountName])
      case state(StoreError?)
    }

    private let items = Mutex<[Item]>([])
    private let news = Semaphore()

    func add(_ item: Item) {
      items.withLock { $0.append(item) }
      news.signal()
    }

    /// Takes out the first item that `pick` wants, or waits for it.
    func next<R>(_ what: String, _ pick: (Item) -> R?) throws -> R {
      while true {
        let found: R? = items.withLock { items in
          for (index, item) in items.enumerated() {
            guard let result = pick(item) else { continue }
            items.remove(at: index)
            return result
          }
          return nil
        }
        if let found { return found }
        try #require(news.wait(milliseconds: 20_000), "nobody told \(what)")
      }
    }

    func count(_ wanted: (Item) -> Bool) -> Int { items.withLock { $0.count(where: wanted) } }
  }

  static let cheap = PasswordParameters(opsLimit: 1, memoryBytes: 8 << 10)

  let folder: URL
  let told = Told()
  private(set) var service: StoreService?
  private(set) var bansAtStart = BanTable.empty
  private var lastIndex: UInt32 = 0

  var path: String { folder.appendingPathComponent("store.db").path }

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("gatehouse-service-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    if let service { #expect(service.stop(timeoutMilliseconds: 20_000)) }
    do {
      try FileManager.default.removeItem(at: folder)
    } catch {
      Issue.record(error)
    }
  }

  /// A connection of another program's, so to speak.
  func database() throws -> Database { try Database(path: path) }

  /// Removes the file and its companions, which a service that finds it gone may do as well.
  func removeDatabase() {
    for suffix in ["", "-wal", "-shm"] {
      if unlink(path + suffix) != 0, errno != ENOENT {
        Issue.record("cannot remove \(path)\(suffix): error \(errno)")
      }
    }
  }

  func start(_ change: (inout StoreServiceConfiguration) -> Void = { _ in }) throws -> StoreService
  {
    var configuration = StoreServiceConfiguration(path: path, listeners: ["lobby", "arena"])
    configuration.passwords = Self.cheap
    configuration.passwordThreads = 2
    change(&configuration)
    let callbacks = StoreServiceCallbacks(
      deliver: { [told] in for (session, verdict) in $0 { told.add(.verdict(session, verdict)) } },
      bans: { [told] bans, _ in told.add(.bans(bans)) },
      known: { [told] in told.add(.known($0)) },
      stateChanged: { [told] in told.add(.state($0)) })
    let (service, bans, _) = try StoreService.start(configuration, callbacks)
    self.service = service
    bansAtStart = bans
    return service
  }

  /// Writes what waits and ends the service.
  func stop() throws {
    let service = try #require(service)
    #expect(service.stop(timeoutMilliseconds: 20_000))
    self.service = nil
  }

  func request(
    _ kind: LoginRequest.Kind, account: String? = nil, secret: String
  ) -> LoginRequest {
    lastIndex += 1
    return LoginRequest(
      session: SessionID(index: lastIndex, generation: 1), kind: kind,
      credentials: Credentials(
        account: account, secret: Array(secret.utf8),
        attributes: [.init(name: "version", value: "7")]),
      client: SocketAddress(ipv4: 192, 0, 2, 7, port: 4000), listener: "lobby")
  }

  /// What the service answers.
  func verdict(_ request: LoginRequest) throws -> LoginVerdict {
    let service = try #require(service)
    service.verify(request)
    service.wake()
    return try verdict(of: request.session)
  }

  func verdict(of session: SessionID) throws -> LoginVerdict {
    try told.next("a verdict") { item in
      if case .verdict(session, let verdict) = item { verdict } else { nil }
    }
  }

  func state() throws -> StoreError? {
    try told.next("a state") { item in
      if case .state(let error) = item { .some(error) } else { nil }
    }
  }

  /// Waits for a table that has what is looked for.
  func bans(_ isRight: (BanTable) -> Bool) throws {
    try told.next("the bans") { item in
      if case .bans(let table) = item, isRight(table) { () } else { nil }
    }
  }

  static func accepted(_ name: String) -> LoginVerdict {
    .accepted(AccountName(name)!, attributes: [.init(name: "version", value: "7")])
  }
}
