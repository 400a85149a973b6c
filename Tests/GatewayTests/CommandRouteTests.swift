import Auth
import Testing
import Upstream

@testable import Gateway

/// Goal: each command goes where it can be answered.
@Suite struct CommandRouteTests {
  private static let ofAll: [Command] = [
    .listWorkers, .listSessions(of: nil, cursor: 0, limit: 1), .metrics, .health,
  ]

  private static let ofDoor: [Command] = [
    .closeSession(.none), .closeSessions(of: .account(AccountName("anna")!)), .listListeners,
    .removeListener(name: "game", closesSessions: true),
    .explain(.account(AccountName("anna")!)), .takeRecorded(RecordingID(rawValue: 1)),
    .stopRecording(RecordingID(rawValue: 1)),
  ]

  private static let worker = WorkerConfiguration(host: "127.0.0.1", port: 9)

  @Test func whatAllHaveAPartOfIsAskedEverywhere() {
    for command in Self.ofAll { #expect(command.route(shards: 3) == .every, "\(command)") }
  }

  @Test func theDoorAnswersForWhatItKnows() {
    for command in Self.ofDoor { #expect(command.route(shards: 3) == .door, "\(command)") }
  }

  @Test func aNewWorkerIsPlaced() {
    let command = Command.addWorker(pool: "main", Self.worker)
    #expect(command.route(shards: 3) == .placed(Self.worker, pool: "main"))
  }

  @Test(arguments: [1, 2, 3, 4, 5, 7, 4_096] as [UInt32])
  func aWorkerIsAskedForWhereItIs(id: UInt32) {
    let worker = WorkerID(rawValue: id)
    #expect(Command.drainWorker(worker).route(shards: 3) == .shard(Int(id - 1) % 3))
    #expect(Command.removeWorker(worker).route(shards: 3) == .shard(Int(id - 1) % 3))
  }

  /// Goal: an id that nobody has is no reason to fall over.
  @Test func anIdThatNobodyHasIsAskedSomewhere() {
    for id in [0, UInt32.max] {
      guard case .shard(0..<3) = Command.drainWorker(WorkerID(rawValue: id)).route(shards: 3)
      else {
        Issue.record("\(id) is asked for nowhere")
        continue
      }
    }
  }

  @Test func oneShardIsAskedForEverything() {
    let others = [
      Command.addWorker(pool: nil, Self.worker), .removeWorker(WorkerID(rawValue: 7)),
    ]
    for command in Self.ofAll + Self.ofDoor + others {
      #expect(command.route(shards: 1) == .door, "\(command)")
    }
  }
}
