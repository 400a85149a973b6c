internal import Auth
internal import Gateway
internal import JSON
internal import Primitives

/// What commands ask a running gateway.
struct ManagementClient {
  private let http: HTTPClient

  /// With the address and the token that the configuration has.
  ///
  /// - Parameter secondsMax: how long the gateway may take to answer.
  init(_ call: Call, secondsMax: Int = 15) throws {
    guard let management = try StoreAccess.configuration(call).management else {
      throw CommandFailure(
        "the configuration has no [management], by which a running gateway could be asked")
    }
    http = HTTPClient(
      host: Self.reachable(management.host), port: management.port,
      token: try Self.token(management), stepSecondsMax: secondsMax)
  }

  /// What a gateway has answered, good or bad.
  struct Exchange {
    var status: Int
    var json: JSONValue
    fileprivate var authority: String

    /// - Throws: ``CommandFailure`` with the gateway's own words when it has refused.
    func whenGood() throws(CommandFailure) -> JSONValue {
      guard (200...299).contains(status) else { throw refusal }
      return json
    }

    fileprivate var refusal: CommandFailure {
      if status == 401 {
        return CommandFailure(
          "the gateway at \(authority) takes another token: is it another configuration's?")
      }
      let message = json["error"]?["message"]?.text ?? "status \(status)"
      let code = json["error"]?["code"]?.text
      let isUnknown = code == "unknown-session" || code == "unknown-listener"
      return CommandFailure(visible(message), isUnknown ? .nothingMatched : .failed)
    }
  }

  /// Asks, and takes the JSON apart, whatever the answer.
  func exchange(
    _ method: String, _ target: String, body: [UInt8] = []
  ) throws(CommandFailure) -> Exchange {
    guard let answer = try send(method, target, body: body) else { throw stopped }
    return try parsed(answer)
  }

  /// Asks, and takes the JSON apart.
  ///
  /// - Throws: ``CommandFailure``, with the gateway's own words when it refuses.
  func request(
    _ method: String, _ target: String, body: [UInt8] = []
  ) throws(CommandFailure) -> JSONValue {
    try exchange(method, target, body: body).whenGood()
  }

  /// As ``request(_:_:body:)``; nil when no gateway runs.
  func requestUnlessStopped(
    _ method: String, _ target: String
  ) throws(CommandFailure) -> JSONValue? {
    guard let answer = try send(method, target) else { return nil }
    return try parsed(answer).whenGood()
  }

  /// What was recorded, or why there is nothing more.
  enum Piece {
    case octets([UInt8])
    case ended(JSONValue)
  }

  /// Takes the next piece of a recording.
  func piece(_ target: String) throws(CommandFailure) -> Piece {
    guard let answer = try send("GET", target) else { throw stopped }
    if answer.status == 200 { return .octets(answer.body) }
    let exchange = try parsed(answer)
    if exchange.status == 410 { return .ended(exchange.json) }
    throw exchange.refusal
  }

  private var stopped: CommandFailure {
    CommandFailure("no gateway runs at \(http.authority)")
  }

  /// Nil when no gateway runs.
  private func send(
    _ method: String, _ target: String, body: [UInt8] = []
  ) throws(CommandFailure) -> HTTPClient.Answer? {
    do throws(HTTPClient.Failure) {
      return try http.request(method, target, body: body)
    } catch {
      switch error {
      case .notRunning: return nil
      case .broken(let message): throw CommandFailure(message)
      }
    }
  }

  private func parsed(_ answer: HTTPClient.Answer) throws(CommandFailure) -> Exchange {
    do throws(JSONValue.Malformed) {
      return Exchange(
        status: answer.status, json: try JSONValue(parsing: answer.body),
        authority: http.authority)
    } catch {
      throw CommandFailure(
        "\(http.authority) answers with status \(answer.status) and no JSON that is understood; is "
          + "it a gateway?")
    }
  }

  /// Where to connect to what listens on every address.
  static func reachable(_ host: String) -> String {
    switch host {
    case "0.0.0.0": "127.0.0.1"
    case "::": "::1"
    default: host
    }
  }

  private static func token(_ management: ManagementConfiguration) throws -> String {
    guard management.token.isEmpty else { return management.token }
    let path = management.tokenFile
    let bytes: [UInt8]
    switch readConfigurationFile(path: path) {
    case .failure(let failure):
      throw CommandFailure(
        "cannot read the management token in \(quoted(path)): \(failure.message); the gateway "
          + "makes the file when it starts, and its owner may read it")
    case .success(let content): bytes = content
    }
    let token = String(decoding: bytes.prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
    guard !token.isEmpty, token.utf8.count <= 1024,
      token.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
    else { throw CommandFailure("\(quoted(path)) does not hold a management token") }
    return token
  }

  /// `account=anna` or `address=192.0.2.0%2F24`.
  static func query(_ subject: Subject) -> String {
    switch subject {
    case .account(let name): "account=\(percentEncoded(name.text))"
    case .addresses(let prefix): "address=\(percentEncoded(prefix.description))"
    }
  }

  /// All but unreserved characters (RFC 3986 section 2.1).
  static func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return text.utf8.map { byte in
      let isUnreserved =
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."),
          UInt8(ascii: "_"), UInt8(ascii: "~"):
          true
        default: false
        }
      if isUnreserved { return String(Character(Unicode.Scalar(byte))) }
      return "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }.joined()
  }
}
