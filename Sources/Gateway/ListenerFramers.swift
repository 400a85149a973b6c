internal import Framing

/// Owns the framers of a listener, which its path points to.
struct ListenerFramers {
  let clientToServer: CompiledFramer
  let serverToClient: CompiledFramer

  init(_ listener: ListenerConfiguration) {
    do throws(FramerDefinitionError) {
      clientToServer = try CompiledFramer(
        listener.clientToServer, untilAuthenticated: listener.loginFramer)
      serverToClient = try CompiledFramer(listener.serverToClient)
    } catch {
      preconditionFailure("a listener's framers were not checked: \(error)")
    }
  }
}
