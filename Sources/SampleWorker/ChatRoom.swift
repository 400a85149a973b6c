/// A room in which everybody reads what the others type.
///
/// A pure value: what happened to a session goes in, bytes for sessions come out. Clients send
/// UTF-8 lines that end in LF or CR LF, cut by TCP anywhere; what they are sent are lines that end
/// in LF. Sessions that are first heard of by their packet (the gateway sends no events) come in
/// with it.
public struct ChatRoom: Sendable {
  /// Sessions in the room; those beyond are told that it is full.
  public static let sessionsMax = 4096
  /// The longest name, in Unicode scalars.
  public static let nameScalarsMax = 20
  /// The longest delivery, in bytes; a packet of tiny lines grows by their speaker's names.
  public static let deliveryBytesMax = 16_384
  /// How many names `/who` shows.
  public static let namesShownMax = 50

  /// Bytes for one client.
  public struct Delivery: Equatable, Sendable {
    public var recipient: String
    public var bytes: [UInt8]

    public init(recipient: String, bytes: [UInt8]) {
      self.recipient = recipient
      self.bytes = bytes
    }
  }

  private struct Member {
    var name: String
    var lines = LineGatherer()
  }

  private var members: [String: Member] = [:]
  /// In the order of coming, because a dictionary's order differs from run to run.
  private var order: [String] = []

  public init() {}

  /// How many sessions are in the room.
  public var count: Int { order.count }

  /// A session came; a resumed one was in a room like this before and needs no greeting.
  public mutating func opened(_ uuid: String, resumed: Bool) -> [Delivery] {
    guard members[uuid] == nil else { return [] }
    guard order.count < Self.sessionsMax else { return [full(uuid)] }
    let name = "guest-\(uuid.prefix(4))"
    members[uuid] = Member(name: name)
    order.append(uuid)
    guard !resumed else { return [] }
    let greeting = """
      Welcome, \(name). \(order.count) here. Type a line and press Enter.
      /name NEW changes your name, /who lists who is here.

      """
    return toOthers(uuid, Array("* \(name) came in\n".utf8))
      + [Delivery(recipient: uuid, bytes: Array(greeting.utf8))]
  }

  /// A session is over.
  public mutating func closed(_ uuid: String) -> [Delivery] {
    guard let member = remove(uuid) else { return [] }
    return toOthers(uuid, Array("* \(member.name) left\n".utf8))
  }

  /// A session is with another worker now, or its gateway went: nobody is told.
  public mutating func forget(_ uuid: String) {
    _ = remove(uuid)
  }

  /// Bytes of a session, any number of lines or less than one.
  ///
  /// A recipient gets one delivery for all of them, cut between lines where it would pass
  /// ``deliveryBytesMax``.
  public mutating func received(_ bytes: [UInt8], from uuid: String) -> [Delivery] {
    let greeting = opened(uuid, resumed: false)
    guard var lines = members[uuid]?.lines else { return greeting }
    var replies = Page()
    var said = Page()
    for line in lines.append(bytes) where !line.isEmpty {
      switch Command(line) {
      case .say: said.add("\(members[uuid]?.name ?? ""): \(line)\n")
      case .who: replies.add(who())
      case .rename(let name): rename(uuid, to: name, &replies, &said)
      case .unknown: replies.add("* There is /name NEW and /who.\n")
      }
    }
    members[uuid]?.lines = lines
    let answers = replies.pieces.map { Delivery(recipient: uuid, bytes: $0) }
    return greeting + said.pieces.flatMap { toOthers(uuid, $0) } + answers
  }

  /// Lines, gathered into pieces of at most ``ChatRoom/deliveryBytesMax``.
  private struct Page {
    var pieces: [[UInt8]] = []

    /// - Precondition: a line is far shorter than a piece.
    mutating func add(_ line: String) {
      // The last piece is not bound to a name: that would copy it for each line.
      let usedBytes = pieces.last?.count ?? ChatRoom.deliveryBytesMax
      if usedBytes + line.utf8.count > ChatRoom.deliveryBytesMax { pieces.append([]) }
      pieces[pieces.count - 1] += Array(line.utf8)
    }
  }

  private enum Command {
    case say
    case who
    case rename(String)
    case unknown

    init(_ line: String) {
      let words = line.split(separator: " ")
      switch words[0] {
      case "/who": self = .who
      case "/name": self = .rename(words.count == 2 ? String(words[1]) : "")
      default: self = line.hasPrefix("/") ? .unknown : .say
      }
    }
  }

  private mutating func rename(
    _ uuid: String, to name: String, _ replies: inout Page, _ said: inout Page
  ) {
    guard let old = members[uuid]?.name else { return }
    guard !name.isEmpty, name.unicodeScalars.count <= Self.nameScalarsMax else {
      replies.add("* A name is one word of at most \(Self.nameScalarsMax) characters.\n")
      return
    }
    guard !members.values.contains(where: { $0.name == name }) else {
      replies.add("* \(name) is taken.\n")
      return
    }
    members[uuid]?.name = name
    replies.add("* You are \(name) now.\n")
    said.add("* \(old) is \(name) now\n")
  }

  private func who() -> String {
    let names = order.prefix(Self.namesShownMax).compactMap { members[$0]?.name }
    let rest = order.count - names.count
    let more = rest > 0 ? " and \(rest) more" : ""
    return "* \(order.count) here: \(names.joined(separator: ", "))\(more)\n"
  }

  private func full(_ uuid: String) -> Delivery {
    Delivery(recipient: uuid, bytes: Array("* The room is full. Try again later.\n".utf8))
  }

  private func toOthers(_ uuid: String, _ bytes: [UInt8]) -> [Delivery] {
    order.filter { $0 != uuid }.map { Delivery(recipient: $0, bytes: bytes) }
  }

  private mutating func remove(_ uuid: String) -> Member? {
    guard let member = members.removeValue(forKey: uuid) else { return nil }
    order.removeAll { $0 == uuid }
    return member
  }
}
