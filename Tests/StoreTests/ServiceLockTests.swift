import Auth
import Primitives
import Synchronization
import Testing

@testable import Store

/// Goal: while another program writes for long, those are let in for whom nothing has to be
/// written, and what is to be kept waits, also at the end.
///
/// The service's threads are not there: the test takes the login thread's turns.
@Suite struct ServiceLockTests {
  private let folder = TemporaryFolder()
  private let other: Database
  private let shared: StoreServiceShared
  private let verifier: LoginVerifier
  private let told = Told()

  private final class Told: Sendable {
    let verdicts = Mutex<[(UInt32, LoginVerdict)]>([])
    let failures = Mutex<[StoreError?]>([])
  }

  init() throws {
    other = try folder.open()
    for (secret, isSingleUse) in [("lasting", false), ("once", true)] {
      let name = AccountName(secret)!
      try other.addAccount(name, credential: nil, by: "o", now: 1)
      try other.addToken(
        hash: TokenSecret.hash(of: Array(secret.utf8)), account: name, label: "", expiresAt: nil,
        isSingleUse: isSingleUse, by: "o", now: 1)
    }
    var configuration = StoreServiceConfiguration(path: folder.file(), listeners: ["lobby"])
    configuration.busyTimeout = .milliseconds(60)
    let callbacks = StoreServiceCallbacks(
      deliver: { [told] answers in
        told.verdicts.withLock { $0 += answers.map { ($0.0.index, $0.1) } }
      },
      bans: { _, _ in },
      stateChanged: { [told] error in told.failures.withLock { $0.append(error) } })
    shared = StoreServiceShared(configuration, callbacks)
    verifier = LoginVerifier(shared, HashPool(shared))
    _ = verifier.turn()
  }

  private func ask(_ secret: String, _ index: UInt32) {
    shared.verify(
      LoginRequest(
        session: SessionID(index: index, generation: 1), kind: .token,
        credentials: Credentials(account: nil, secret: Array(secret.utf8), attributes: []),
        client: SocketAddress(ipv4: 192, 0, 2, 7, port: 4000), listener: "lobby"))
  }

  private func recordLogin() {
    shared.record(
      .login(
        LoginRecord(
          account: "Anna", client: SocketAddress(ipv4: 192, 0, 2, 7, port: 1), listener: "lobby",
          outcome: "accepted", detail: "")))
  }

  @Test func lastingTokensNeedNoLock() throws {
    try other.inTransaction { () throws(StoreError) in
      ask("once", 1)
      ask("lasting", 2)
      _ = verifier.turn()
    }
    let verdicts = told.verdicts.withLock { $0 }
    try #require(verdicts.map(\.0) == [2, 1])
    #expect(verdicts[0].1 == .accepted(AccountName("lasting")!, attributes: []))
    guard case .unavailable = verdicts[1].1 else {
      Issue.record("\(verdicts[1].1)")
      return
    }
  }

  @Test func whatWaitsForAMomentIsNoFailure() throws {
    recordLogin()
    try other.inTransaction { () throws(StoreError) in #expect(!verifier.writeAll()) }
    #expect(told.failures.withLock { $0 } == [])
    #expect(verifier.writeAll())
    #expect(try other.logins(of: nil, limit: 9).count == 1)
  }

  @Test func whatWaitsForLongIsAFailureUntilItIsWritten() throws {
    recordLogin()
    try other.inTransaction { () throws(StoreError) in
      while told.failures.withLock({ $0.isEmpty }) { #expect(!verifier.writeAll()) }
    }
    #expect(verifier.writeAll())
    #expect(told.failures.withLock { $0 } == [.busy(path: folder.file()), nil])
    #expect(try other.logins(of: nil, limit: 9).count == 1)
  }

  @Test func theEndWaitsForTheLock() throws {
    recordLogin()
    ask("lasting", 1)
    _ = verifier.turn()
    shared.stop()
    try other.inTransaction { () throws(StoreError) in
      #expect(verifier.turn() != nil)
      #expect(verifier.turn() != nil)
    }
    #expect(verifier.turn() == nil)
    #expect(try other.logins(of: nil, limit: 9).count == 1)
    let token = try #require(
      try other.tokens(of: AccountName("lasting")!, includingEnded: true, limit: 1, now: 1).first)
    #expect(token.useCount == 1)
  }

  @Test func theEndIsNotForEver() throws {
    recordLogin()
    shared.stop()
    try other.inTransaction { () throws(StoreError) in
      #expect(verifier.turn() != nil)
      shared.isGivenUp.store(true, ordering: .releasing)
      #expect(verifier.turn() == nil)
    }
    #expect(shared.statistics.recordsWaiting == 1)
  }
}

extension LoginVerifier {
  /// - Returns: whether nothing is left.
  fileprivate func writeAll() -> Bool {
    repeat { guard write() else { return false } } while isUnwritten
    return true
  }
}
