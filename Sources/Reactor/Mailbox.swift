public import Auth
internal import CLinux
public import Gateway
internal import Glibc
public import Primitives
internal import Synchronization
internal import Threading
internal import Upstream

/// The way into a shard's thread from any other: what is posted here is handled in its next turn.
public final class Mailbox: Sendable {
  enum Message: Sendable {
    case command(Command, token: UInt64)
    case addListener(ListenerConfiguration, ListenerFramers, ListeningSocket, token: UInt64)
    case verdicts([(SessionID, LoginVerdict)])
    case bans(BanTable, event: Int64)
    case banRecorded(TemporaryBan, event: Int64)
    case accountsKnown([AccountName])
    case resolved(LinkIndex, serial: UInt32, Resolver.Outcome)
    /// What another shard tells, with the sockets of the sessions that it brings: theirs in order,
    /// -1 for one that could not be kept.
    case shard(ShardMessage, from: Int, sockets: [Int32])
    /// A socket was closed elsewhere, for which the door waits.
    case descriptorFreed
    /// Another shard has shut down.
    case shardFinished
    /// The gateway has ended, and the shard's thread is to end too.
    case end
  }

  /// One thread's wait for a reply.
  fileprivate final class Wait: Sendable {
    let semaphore = Semaphore()
    let reply = Mutex<Reply?>(nil)

    func reply(within milliseconds: UInt32) -> Reply? {
      semaphore.wait(milliseconds: milliseconds) ? reply.withLock { $0 } : nil
    }
  }

  /// A command that was posted; its asker has to wait for the answer.
  struct Question {
    fileprivate let wait: Wait
    fileprivate let token: UInt64
  }

  private struct State {
    var messages: [Message] = []
    var waits: [UInt64: Wait] = [:]
    var lastToken: UInt64 = 0
    var isClosed = false
  }

  /// Commands that may wait for their reply at one time.
  private static let waitsMax = 1024
  /// More than any turn of the shard takes.
  private static let turnMilliseconds: UInt32 = 60_000

  /// Becomes readable when there is something in the mailbox.
  let fd: Int32
  private let state = Mutex(State())

  /// - Throws: ``SystemError`` when there is no descriptor left.
  public init() throws(SystemError) {
    fd = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    if fd < 0 { throw SystemError("eventfd") }
  }

  deinit { Glibc.close(fd) }

  /// Has the shard carry out a command and waits for its answer; from any thread but the shard's.
  ///
  /// - Parameter isAnsweredAtOnce: the shard answers in the turn in which it takes the command; one
  ///   that it has taken is then waited for, so that nil means that nothing was done.
  /// - Returns: nil when there was none within `timeoutMilliseconds`; a command that the shard has
  ///   not seen by then it never will.
  public func perform(
    _ command: Command, timeoutMilliseconds: UInt32, isAnsweredAtOnce: Bool = false
  ) -> Reply? {
    guard let question = ask(command) else { return nil }
    return reply(
      to: question, within: timeoutMilliseconds, isAnsweredAtOnce: isAnsweredAtOnce)
  }

  /// Posts a command; nil when the shard has ended, or too many wait for it.
  ///
  /// ``reply(to:within:isAnsweredAtOnce:)`` has to follow.
  func ask(_ command: Command) -> Question? {
    guard let question = beginWait() else { return nil }
    post(.command(command, token: question.token))
    return question
  }

  /// The second half of ``perform(_:timeoutMilliseconds:isAnsweredAtOnce:)``.
  func reply(
    to question: Question, within timeoutMilliseconds: UInt32, isAnsweredAtOnce: Bool = false
  ) -> Reply? {
    defer { endWait(question.token) }
    if let reply = question.wait.reply(within: timeoutMilliseconds) { return reply }
    let isTaken = !withdraw(question.token)
    return question.wait.reply(
      within: isTaken && isAnsweredAtOnce ? Self.turnMilliseconds : 0)
  }

  /// Has the shard take in a listener and waits for its answer; from any thread but the shard's.
  ///
  /// The shard takes the socket over when the answer is ``Reply/listenerAdded(_:)``, and in no
  /// other case.
  ///
  /// - Returns: nil when the shard has not seen it within `timeoutMilliseconds`; it never will.
  public func add(
    _ listener: ListenerConfiguration, on socket: ListeningSocket, timeoutMilliseconds: UInt32
  ) -> Reply? {
    guard let question = beginWait() else { return nil }
    post(.addListener(listener, ListenerFramers(listener), socket, token: question.token))
    // Once its turn has begun, the answer is on its way.
    return reply(to: question, within: timeoutMilliseconds, isAnsweredAtOnce: true)
  }

  /// Takes a message back that the shard has not seen.
  private func withdraw(_ token: UInt64) -> Bool {
    state.withLock { state in
      let before = state.messages.count
      state.messages.removeAll { message in
        switch message {
        case .command(_, token), .addListener(_, _, _, token): true
        default: false
        }
      }
      return state.messages.count < before
    }
  }

  private func beginWait() -> Question? {
    let wait = Wait()
    return state.withLock { state in
      guard !state.isClosed, state.waits.count < Self.waitsMax else { return nil }
      state.lastToken += 1
      state.waits[state.lastToken] = wait
      return Question(wait: wait, token: state.lastToken)
    }
  }

  private func endWait(_ token: UInt64) {
    state.withLock { _ = $0.waits.removeValue(forKey: token) }
  }

  /// The shard has ended: whoever waits, or asks from here on, gets no answer.
  public func close() {
    let waits = state.withLock { state in
      state.isClosed = true
      return Array(state.waits.values)
    }
    for wait in waits { wait.semaphore.signal() }
  }

  /// Claims were verified.
  public func post(_ verdicts: [(SessionID, LoginVerdict)]) { post(.verdicts(verdicts)) }

  /// The bans in force have changed, by the store's events up to this one.
  public func post(_ bans: BanTable, event: Int64) { post(.bans(bans, event: event)) }

  /// The store has recorded a ban that a rule made.
  public func post(recorded ban: TemporaryBan, event: Int64) {
    post(.banRecorded(ban, event: event))
  }

  /// Accounts that logged in lately, as the store knows when it has started.
  public func post(accountsKnown accounts: [AccountName]) { post(.accountsKnown(accounts)) }

  func post(_ message: Message) { post([message]) }

  /// Posts several at once; at least one.
  func post(_ messages: [Message]) {
    let wasEmpty = state.withLock { state in
      defer { state.messages += messages }
      return state.messages.isEmpty
    }
    if wasEmpty { eventfd_write(fd, 1) }
  }

  /// Everything that was posted, oldest first.
  func take() -> [Message] {
    var count: eventfd_t = 0
    unsafe eventfd_read(fd, &count)
    return state.withLock { state in
      defer { state.messages = [] }
      return state.messages
    }
  }

  func answer(_ token: UInt64, _ reply: Reply) {
    guard let wait = state.withLock({ $0.waits[token] }) else { return }
    wait.reply.withLock { $0 = reply }
    wait.semaphore.signal()
  }
}
