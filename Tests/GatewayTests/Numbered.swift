import Auth
import Primitives
import Testing

@testable import Gateway

/// Packets that say whose they are and which: what is lost, doubled or late shows.
enum Numbered {
  /// A packet of the framer `.short`.
  static func packet(_ client: Int, _ number: Int, padding: Int = 0) -> [UInt8] {
    let head = [client, number >> 8, number & 0xff].map { UInt8($0) }
    return Packets.make(head + Array(repeating: 7, count: padding))
  }

  /// The numbers of a client's packets that a worker handled, in order.
  static func handled(_ requests: [VirtualWorker.Request], of client: Int) -> [Int] {
    requests.filter { $0.event == nil && Int($0.payload[2]) == client }
      .map { Int($0.payload[3]) << 8 | Int($0.payload[4]) }
  }

  /// The numbers of the packets that were echoed to a client.
  static func echoed(_ received: [UInt8]) -> [Int] {
    Packets.split(received).bodies.map { Int($0[1]) << 8 | Int($0[2]) }
  }
}

extension VirtualGroup {
  /// A client sends packets with these numbers.
  func send(_ client: Int, numbers: Range<Int>, padding: Int = 0) {
    for number in numbers { send(client, Numbered.packet(client, number, padding: padding)) }
  }

  func echoed(_ client: Int) -> [Int] { Numbered.echoed(clients[client].received) }

  /// What all workers handled of a client's packets, in their order, and what they took unhandled
  /// to their end.
  func accounted(_ client: Int) -> [Int] {
    workers.flatMap {
      Numbered.handled($0.packets, of: client) + Numbered.handled($0.lost, of: client)
    }.sorted()
  }

  /// The workers whose sessions a client has been with, by the packets they handled.
  func workers(of client: Int) -> [Int] {
    workers.indices.filter { !Numbered.handled(workers[$0].packets, of: client).isEmpty }
  }
}

extension VirtualGroup {
  /// A client comes, says that it is `account`, and the store says yes.
  func logIn(_ account: String, from host: SocketAddress? = nil) -> Int {
    let client = connect(from: host)
    send(client, Logins.packet(account, "secret"))
    settle()
    door.answerClaim(.accepted(AccountName(account)!, attributes: []))
    settle()
    return client
  }

  /// As ``init(seed:shards:workers:windowBytes:sessionEvents:adjust:)``, with a listener that asks for passwords.
  static func withLogins(
    shards: Int = 2, workers: Int = 2, adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) -> VirtualGroup {
    VirtualGroup(shards: shards, workers: workers) { configuration in
      configuration.listeners[0].authentication = AuthenticationConfiguration(
        kind: .password, login: Logins.description)
      configuration.store = StoreConfiguration(path: "virtual")
      adjust(&configuration)
    }
  }
}
