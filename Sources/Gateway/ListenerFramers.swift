internal import Framing

/// Owns the framers of a listener, which its path points to.
public struct ListenerFramers: Sendable {
  let clientToServer: CompiledFramer
  let serverToClient: CompiledFramer

  /// Lays them out for the packet path, which takes a while for large tables.
  ///
  /// - Precondition: they can be laid out.
  public init(_ listener: ListenerConfiguration) {
    do throws(FramerDefinitionError) {
      clientToServer = try CompiledFramer(
        listener.clientToServer, untilAuthenticated: listener.loginFramer)
      serverToClient = try CompiledFramer(listener.serverToClient)
    } catch {
      preconditionFailure("a listener's framers were not checked: \(error)")
    }
  }
}
