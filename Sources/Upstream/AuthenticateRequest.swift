public import Primitives

/// What a worker is asked about a client that has not been let in yet.
public struct AuthenticateRequest: Sendable {
  public var time: TimestampText
  public var uuid: SessionUUID
  public var clientAddress: String
  public var listener: String
  /// As the client gave it; empty when no field of its packets gives one.
  public var account: String
  /// The password, or whatever proves the account; never logged.
  public var secret: [UInt8]
  public var attributes: [(name: String, value: String)]
  /// The packets that the identity was read from, oldest first, headers included.
  public var packets: [[UInt8]]

  public init(
    time: TimestampText, uuid: SessionUUID, clientAddress: String, listener: String,
    account: String = "", secret: [UInt8] = [],
    attributes: [(name: String, value: String)] = [], packets: [[UInt8]] = []
  ) {
    self.time = time
    self.uuid = uuid
    self.clientAddress = clientAddress
    self.listener = listener
    self.account = account
    self.secret = secret
    self.attributes = attributes
    self.packets = packets
  }
}
