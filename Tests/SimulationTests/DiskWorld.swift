import Auth
import Primitives
import Simulation
import Store

/// A virtual disk with a fixture, a store on it, and a driver that calls it when it wants.
final class DiskWorld {
  let disk: VirtualDisk
  let contents: StoreContents
  private(set) var store: VirtualStore
  private(set) var now = Instant(nanoseconds: 0)
  private(set) var told: [VirtualStore.TimedOutput] = []
  private var lastSession: UInt32 = 0

  static let path = StoreFixture.path

  init(
    _ fixture: StoreFixture = .empty, seed: UInt64 = 1, hashThreads: Int = 2,
    hashTime: Interval = .milliseconds(50)
  ) throws {
    contents = fixture.contents
    disk = VirtualDisk(seed: seed, image: try fixture.image())
    store = Self.makeStore(disk, seed, hashThreads, hashTime)
  }

  static func makeStore(
    _ disk: VirtualDisk, _ seed: UInt64, _ hashThreads: Int = 2,
    _ hashTime: Interval = .milliseconds(50)
  ) -> VirtualStore {
    VirtualStore(
      disk: disk, configuration: StoreServiceConfiguration(path: path, listeners: ["game"]),
      seed: seed, hashThreads: hashThreads, hashTime: hashTime)
  }

  var unixMilliseconds: Int64 {
    StoreFixture.unixSeconds * 1000 + Int64(now.nanoseconds / 1_000_000)
  }
  var unixSeconds: Int64 { unixMilliseconds / 1000 }

  @discardableResult
  func start() throws -> BanTable {
    try store.start(now: now, unixMilliseconds: unixMilliseconds).bans
  }

  /// As a new process on the same disk.
  func restart(seed: UInt64 = 2) throws {
    store = Self.makeStore(disk, seed)
    try start()
  }

  /// Lets time pass, and calls the store whenever it is due.
  func run(for interval: Interval) {
    let end = now + interval
    while let due = store.nextDeadline, due <= end {
      now = max(now, due)
      store.turn(now: now, unixMilliseconds: unixMilliseconds)
      told += store.takeOutputs()
    }
    now = end
  }

  func forgetWhatWasTold() { told = [] }

  @discardableResult
  func operate<R>(_ work: (Database) throws(StoreError) -> R) throws -> R {
    try disk.operate(on: Self.path, unixMilliseconds: unixMilliseconds, work).result
  }

  @discardableResult
  func verify(_ kind: LoginRequest.Kind, _ account: String?, _ secret: [UInt8]) -> SessionID {
    lastSession += 1
    let session = SessionID(index: lastSession, generation: 1)
    store.verify(
      LoginRequest(
        session: session, kind: kind, credentials: Credentials(account: account, secret: secret),
        client: SocketAddress(ipv4: 192, 0, 2, 7, port: 4000), listener: "game"))
    return session
  }

  func verify(_ credential: StoreCredential) -> SessionID {
    verify(
      credential.kind == .password ? .password : .token, credential.account, credential.secret)
  }

  /// The verdict on a session, and when it was told.
  func verdict(of session: SessionID) -> (LoginVerdict, at: Instant)? {
    for item in told {
      if case .verdict(session, let verdict) = item.output { return (verdict, item.at) }
    }
    return nil
  }

  /// What was told, as text.
  var story: [String] {
    told.map { item in
      let text =
        switch item.output {
        case .verdict(let session, let verdict): "\(session.index) \(verdict)"
        case .bans(let table, let event): "bans \(table.count) \(event)"
        case .recorded(let ban, let event): "recorded \(ban.rule) \(event)"
        case .known(let names): "known \(names)"
        case .stateChanged(let error): "state \(error.map { $0.description } ?? "good")"
        case .replaced(let before, let now): "replaced \(before) \(now)"
        }
      return "\(item.at.nanoseconds) \(text)"
    }
  }
}
