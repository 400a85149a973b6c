import Auth
import Foundation
@testable import Gateway
import Management
import Primitives
import Synchronization
import Upstream

/// Stands in for the shard, and talks to a real server over a real socket.
final class FakeGateway: Sendable {
  static let token = "0123456789abcdef-secret"

  private struct State {
    var reply: @Sendable (Command) -> Reply?
    var asked: [(command: Command, timeoutMilliseconds: UInt32)] = []
  }

  private final class Shard: Sendable {
    let state: Mutex<State>
    init(_ reply: @escaping @Sendable (Command) -> Reply?) { state = Mutex(State(reply: reply)) }
  }

  private let shard: Shard
  /// What the server has logged.
  private let lines: Lines
  let server: ManagementServer

  private final class Lines: Sendable {
    let all = Mutex<[String]>([])
  }

  /// - Parameters:
  ///   - records: the configuration lets what clients send be recorded.
  ///   - reply: what the shard answers; called on the server's threads.
  init(
    records: Bool = false, listeners: ListenerOperations = .none,
    _ reply: @escaping @Sendable (Command) -> Reply?
  ) throws {
    let shard = Shard(reply)
    self.shard = shard
    let lines = Lines()
    self.lines = lines
    var configuration = ManagementConfiguration()
    configuration.port = 0
    configuration.token = Self.token
    configuration.recording = records
    server = try ManagementServer(
      configuration, token: try Token.load(configuration).token, logLinesDropped: { 7 },
      moreMetrics: {
        [ExtraMetric(name: "gatehouse_store_busy", kind: .gauge, help: "Help.", value: 8)]
      },
      log: { level, name, fields in
        let text = fields.map { " \($0)=\($1)" }.joined()
        lines.all.withLock { $0.append("\(level.name) \(name)\(text)") }
      },
      listeners: listeners
    ) { command, timeout in
      let reply = shard.state.withLock { state in
        state.asked.append((command, timeout))
        return state.reply
      }
      return reply(command)
    }
  }

  convenience init(_ reply: Reply?) throws { try self.init { _ in reply } }

  var asked: [(command: Command, timeoutMilliseconds: UInt32)] {
    shard.state.withLock { $0.asked }
  }

  var logged: [String] { lines.all.withLock { $0 } }

  func request(
    _ method: String, _ target: String, body: String = "", token: String? = FakeGateway.token
  ) throws -> Answer {
    let connection = try RawConnection(port: server.port)
    var text = "\(method) \(target) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    if let token { text += "Authorization: Bearer \(token)\r\n" }
    if !body.isEmpty || method == "POST" { text += "Content-Length: \(body.utf8.count)\r\n" }
    connection.send(text + "\r\n" + body)
    return try Answer(connection.receive())
  }
}

func worker(
  _ state: WorkerStatus.State = .ready, id: UInt32 = 3, lastEnd: LinkEndReason? = nil,
  detail: String = ""
) -> WorkerStatus {
  WorkerStatus(
    id: WorkerID(rawValue: id), pool: "main", endpoint: "127.0.0.1:45888", state: state,
    sessions: 2, queuedBytes: 10, packetsSent: 11, messagesReceived: 12, reconnects: 13,
    lastEnd: lastEnd, lastEndDetail: detail)
}

let sessionUUID = SessionUUID(text: "0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b")!

let clientAddress = SocketAddress(ipv4: 192, 0, 2, 7, port: 50_112)

func session(account: AccountName? = nil, isPending: Bool = false) -> SessionStatus {
  SessionStatus(
    slot: 0, uuid: sessionUUID, client: clientAddress, account: account, isPending: isPending,
    listener: "game",
    worker: WorkerID(rawValue: 3),
    age: .milliseconds(1_500), idle: .milliseconds(20), packetsIn: 1, bytesIn: 2, messagesOut: 3,
    bytesOut: 4, queuedBytes: 5)
}
