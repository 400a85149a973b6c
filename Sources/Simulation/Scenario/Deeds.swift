internal import Auth
internal import Gateway
internal import Primitives

/// What has been done to a simulation, and what of it has to be undone.
final class Deeds {
  /// Indexed like ``DeedKind/allCases``.
  private(set) var counts = [Int](repeating: 0, count: DeedKind.allCases.count)
  /// Nothing is done any more; what was done has been undone.
  var isCalm = false
  /// Paths that are slow, with their delays before.
  var slowed: [(path: Int, latency: Interval, jitter: Interval)] = []
  /// How many gateways had each number before the one that has it.
  var generations: [Int]
  /// Those of them that are to be replaced once they have ended.
  var isEnding: [Bool]
  /// Bans that operators have put into the database and that nobody has lifted yet, oldest first.
  var bans: [CommittedBan] = []
  /// Repairs of the database, the latest ones: a loss of power may take them back.
  private(set) var storeRepairs: [Repair] = []
  /// Who waits for an answer of a gateway; never gone through.
  private var waiting: [UInt64: (Reply, VirtualGateway) -> Void] = [:]

  /// What operators and the disk do that only the store knows how; each returns whether it did
  /// anything.
  var ban: ((_ random: inout SeededRandom, _ lasting: Interval) -> Bool)?
  var diskFault: ((_ random: inout SeededRandom, _ lasting: Interval) -> Bool)?
  /// Ends all faults of the disk.
  var calmDisk: (() -> Void)?

  /// When the last of the faults of one kind and place ends; never gone through.
  private var ends: [RepairPlace: Instant] = [:]

  init(_ scenario: Scenario) {
    generations = [Int](repeating: 0, count: scenario.gateways)
    isEnding = [Bool](repeating: false, count: scenario.gateways)
  }

  func count(_ kind: DeedKind) { counts[kind.order] += 1 }

  /// A fault begins that a repair is to end then.
  func willEnd(_ repair: Repair, at instant: Instant) {
    guard let place = repair.place else { return }
    ends[place] = max(ends[place] ?? instant, instant)
  }

  /// Whether a later fault of the same kind and place goes on.
  func isTooEarly(for repair: Repair, at now: Instant) -> Bool {
    guard let place = repair.place, let end = ends[place] else { return false }
    return now < end
  }

  func noteStoreRepair(_ repair: Repair) {
    if storeRepairs.count == 256 { storeRepairs.removeFirst() }
    storeRepairs.append(repair)
  }

  func wait(for token: UInt64, _ body: @escaping (Reply, VirtualGateway) -> Void) {
    waiting[token] = body
  }

  func answered(_ token: UInt64, _ reply: Reply, by gateway: VirtualGateway) {
    waiting.removeValue(forKey: token)?(reply, gateway)
  }
}

extension DeedKind {
  /// Its place among all.
  var order: Int { Self.allCases.firstIndex(of: self)! }
}

/// A ban that the database has taken.
struct CommittedBan {
  var subject: Subject
  /// Nil for all.
  var listener: String?
  /// Unix seconds; nil is for ever.
  var until: Int64?
}

/// What ends a deed that lasts.
enum Repair {
  case light(path: Int, to: End)
  case restoreDelay(path: Int)
  case restartWorker(Int)
  case goOn(worker: Int)
  case takePackets(worker: Int)
  case sendAnswers(worker: Int)
  case beReady(worker: Int)
  case beReachable(worker: Int)
  case beNormal(worker: Int)
  case giveDescriptors(gateway: Int)
  case replaceGateway(Int)
  case addWorkers(gateway: Int)
  case addListener(Int, gateway: Int)
  case takeRecorded(RecordingID, gateway: Int, timesLeft: Int)
  case liftBan(Subject, listener: String?)
  case enable(AccountName)
  case calmDisk
}

/// What a repair mends, where several faults may have broken it.
struct RepairPlace: Hashable {
  var kind: UInt8
  var number: Int
}

extension Repair {
  /// Nil where faults do not overlap, or each has a repair of its own.
  var place: RepairPlace? {
    switch self {
    case .light(let path, let end):
      RepairPlace(kind: end == .gateway ? 0 : 1, number: path)
    case .restartWorker(let worker): RepairPlace(kind: 2, number: worker)
    case .goOn(let worker): RepairPlace(kind: 3, number: worker)
    case .takePackets(let worker): RepairPlace(kind: 4, number: worker)
    case .sendAnswers(let worker): RepairPlace(kind: 5, number: worker)
    case .beReady(let worker): RepairPlace(kind: 6, number: worker)
    case .beReachable(let worker): RepairPlace(kind: 7, number: worker)
    case .beNormal(let worker): RepairPlace(kind: 8, number: worker)
    case .giveDescriptors(let gateway): RepairPlace(kind: 9, number: gateway)
    default: nil
    }
  }
}
