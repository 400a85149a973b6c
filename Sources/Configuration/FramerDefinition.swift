public import Auth
public import Framing

/// How a protocol is cut in both directions, and what is known of it.
public struct FramerDefinition: Equatable, Sendable {
  public var name: String
  /// What people call the protocol; empty when the definition does not say.
  public var title = ""
  /// Where servers usually listen.
  public var ports: [Int] = []
  /// Where the layout is published.
  public var sources: [String] = []
  public var clientToServer = Framer.raw
  /// Nil when the definition is of one direction alone.
  public var serverToClient: Framer?
  /// Where tools find the opcode of a packet.
  public var opcode: LengthField?
  /// How the first packets say who somebody is.
  public var login: LoginDescription?
  public var vectors: [FramerVector] = []

  public init(name: String) { self.name = name }

  /// Of a packet of the given direction, where tools find its opcode.
  public func opcode(in framer: Framer) -> LengthField? {
    if let opcode { return opcode }
    if case .table(let table) = framer { return table.opcode }
    return nil
  }
}

/// A stream, and how it has to be cut.
public struct FramerVector: Equatable, Sendable {
  public enum Direction: String, CaseIterable, Sendable {
    case clientToServer = "client_to_server"
    case serverToClient = "server_to_client"
  }

  public var name: String
  public var direction = Direction.clientToServer
  /// Each as it is on the wire.
  public var packets: [[UInt8]] = []
  /// What stands behind the packets and is none.
  public var rest: [UInt8] = []
  /// The ``Framing/FramingViolation/name`` that `rest` ends with, if it does.
  public var violation: String?
  /// The client counts as let in once so many packets have been cut.
  public var authenticatedAfter: Int?
  /// What the definition's login has to find in the packets, by the names of its fields.
  public var login: [String: String] = [:]

  public init(name: String) { self.name = name }
}
