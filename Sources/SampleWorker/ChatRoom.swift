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
    return toOthers(uuid, "* \(name) came in\n")
      + [Delivery(recipient: uuid, bytes: Array(greeting.utf8))]
  }

  /// A session is over.
  public mutating func closed(_ uuid: String) -> [Delivery] {
    guard let member = remove(uuid) else { return [] }
    return toOthers(uuid, "* \(member.name) left\n")
  }

  /// A session is with another worker now, or its gateway went: nobody is told.
  public mutating func forget(_ uuid: String) {
    _ = remove(uuid)
  }

  /// Bytes of a session, any number of lines or less than one.
  ///
  /// Each recipient gets at most one delivery, however many lines there are.
  public mutating func received(_ bytes: [UInt8], from uuid: String) -> [Delivery] {
    let greeting = opened(uuid, resumed: false)
    guard var lines = members[uuid]?.lines else { return greeting }
    var replies = ""
    var said = ""
    for line in lines.append(bytes) where !line.isEmpty {
      switch Command(line) {
      case .say: said += "\(members[uuid]?.name ?? ""): \(line)\n"
      case .who: replies += who()
      case .rename(let name): rename(uuid, to: name, &replies, &said)
      case .unknown: replies += "* There is /name NEW and /who.\n"
      }
    }
    members[uuid]?.lines = lines
    let answer = Delivery(recipient: uuid, bytes: Array(replies.utf8))
    return greeting + toOthers(uuid, said) + (replies.isEmpty ? [] : [answer])
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
    _ uuid: String, to name: String, _ replies: inout String, _ said: inout String
  ) {
    guard let old = members[uuid]?.name else { return }
    guard !name.isEmpty, name.unicodeScalars.count <= Self.nameScalarsMax else {
      replies += "* A name is one word of at most \(Self.nameScalarsMax) characters.\n"
      return
    }
    guard !members.values.contains(where: { $0.name == name }) else {
      replies += "* \(name) is taken.\n"
      return
    }
    members[uuid]?.name = name
    replies += "* You are \(name) now.\n"
    said += "* \(old) is \(name) now\n"
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

  private func toOthers(_ uuid: String, _ text: String) -> [Delivery] {
    guard !text.isEmpty else { return [] }
    let bytes = Array(text.utf8)
    return order.filter { $0 != uuid }.map { Delivery(recipient: $0, bytes: bytes) }
  }

  private mutating func remove(_ uuid: String) -> Member? {
    guard let member = members.removeValue(forKey: uuid) else { return nil }
    order.removeAll { $0 == uuid }
    return member
  }
}
