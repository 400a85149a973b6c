internal import Auth
internal import Framing
internal import Gateway
internal import Primitives
internal import Upstream

/// What reaches a gateway's loop by its mailbox, from other threads.
enum Mail {
  case command(Command, token: UInt64)
  case addListener(ListenerConfiguration, token: UInt64)
  case verdict(SessionID, LoginVerdict)
  case bans(BanTable, event: Int64)
  case banRecorded(TemporaryBan, event: Int64)
  case accountsKnown([AccountName])
  /// A name was looked up; nil when it could not be.
  case resolved(LinkIndex, serial: Int, SocketAddress?)
  /// Of another shard of the same gateway, with the sockets of the sessions that it brings.
  case message(ShardMessage, from: Int, sockets: [Connection])
  /// SIGTERM.
  case terminate
}
