internal import Gateway
internal import Glibc
internal import Primitives

/// Listening sockets: where they are in the list is their listener's number in the shard.
extension Reactor {
  struct Listener {
    /// -1 when there is no such listener, or it takes nobody any more.
    var fd: Int32 = -1
  }

  /// Clients beyond it wait to be accepted.
  var clientsMax: Int { max(1, descriptorsForClients - listeners.count { $0.fd >= 0 }) }

  /// Takes over a socket that was opened on another thread, or leaves it as it is.
  mutating func add(
    _ listener: ListenerConfiguration, _ framers: ListenerFramers, on socket: ListeningSocket
  ) -> Reply {
    let slot: Int
    do throws(CommandError) {
      slot = try shard.addListener(listener, framers: framers, effects: &effects)
    } catch {
      return .failed(error)
    }
    while listeners.count <= slot { listeners.append(Listener()) }
    let fd = socket.take()
    listeners[slot] = Listener(fd: fd)
    guard epoll.add(fd, .listener(slot), .readable) else {
      let detail = errorText(errno)
      // Answers nobody: this is its answer.
      shard.handle(
        .removeListener(name: listener.name, closesSessions: true), token: 0, now: now,
        effects: &effects)
      return .failed(.systemRefused(detail))
    }
    return .listenerAdded(shard.status(ofListener: slot))
  }

  mutating func stopListening(_ slot: Int) {
    guard listeners[slot].fd >= 0 else { return }
    Sockets.close(listeners[slot].fd, abort: false)
    listeners[slot] = Listener()
    acceptPauses.forget(slot)
  }

  mutating func stopAccepting() {
    for slot in listeners.indices { stopListening(slot) }
    acceptPauses = AcceptPauses()
  }
}
