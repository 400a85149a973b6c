import Auth
import Framing
import Primitives
import Testing

@testable import Gateway

/// Clients that show who they are with a packet of `L`, then name and password, each with a length
/// of one byte in front.
enum Logins {
  static let description = LoginDescription(parts: [part])

  static let part = LoginPart(
    match: [.bytes([0x4c], offset: 2)],
    fields: [
      LoginField(.account, .lengthPrefixed(.one), at: .offset(3)),
      LoginField(.secret, .lengthPrefixed(.one)),
    ])

  static func packet(_ account: String, _ secret: String) -> [UInt8] {
    Packets.make(
      Array("L".utf8) + [UInt8(account.utf8.count)] + account.utf8 + [UInt8(secret.utf8.count)]
        + secret.utf8)
  }
}

extension LoginInteger {
  static let one = LoginInteger(width: 1)
}

extension VirtualWorld {
  /// A gateway whose only listener asks for a password; `adjust` may say otherwise.
  static func withLogins(
    seed: UInt64 = 1, workers: Int = 1, sessionEvents: Bool = false,
    adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) -> VirtualWorld {
    let world = VirtualWorld(seed: seed, workers: workers, connects: false) { configuration in
      configuration.listeners[0].clientToServer = .short
      configuration.listeners[0].authentication = AuthenticationConfiguration(
        kind: .password, login: Logins.description)
      configuration.store = StoreConfiguration(path: "virtual")
      adjust(&configuration)
    }
    for worker in world.workers { worker.sessionEvents = sessionEvents }
    world.start()
    world.settle()
    return world
  }

  /// A client comes, says that it is `account`, and the store says yes.
  func logIn(_ account: String, from host: SocketAddress? = nil) -> Int {
    let client = connect(from: host)
    send(client, Logins.packet(account, "secret"))
    settle()
    answerClaim(.accepted(AccountName(account)!, attributes: []))
    settle()
    return client
  }

  /// The last lines of the login history, as `account outcome detail`.
  var history: [String] {
    records.compactMap { record in
      guard case .login(let login) = record else { return nil }
      return "\(login.account ?? "-") \(login.outcome) \(login.detail)"
    }
  }
}
