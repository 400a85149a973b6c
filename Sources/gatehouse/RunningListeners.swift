internal import Commands
internal import Configuration
internal import Gateway
internal import JSON
internal import Management
internal import Reactor
internal import Synchronization

/// Adds listeners to a running gateway, takes them away, and keeps those that are to be kept.
///
/// Everything that can be wrong is found before the shard hears of it: what it takes in is read,
/// checked, listened for and saved. Whatever fails is undone.
final class RunningListeners: Sendable {
  private let configuration: GatewayConfiguration
  private let reader: ListenerReader
  private let file: SavedListenersFile
  private let group: ShardGroup
  /// What the file holds.
  ///
  /// Locked while the file and the shard are changed, so that they agree.
  private let saved: Mutex<[SavedListener]>

  private static let timeoutMilliseconds: UInt32 = 5_000

  init(_ loaded: LoadedConfiguration, _ group: ShardGroup) {
    configuration = loaded.configuration
    reader = loaded.reader
    file = SavedListenersFile(path: loaded.configuration.savedListenersFile)
    self.group = group
    saved = Mutex(loaded.saved)
  }

  var operations: ListenerOperations {
    ListenerOperations(
      add: { json, saves in
        do throws(ListenerFailure) {
          return .success(try self.add(json, saves: saves))
        } catch {
          return .failure(error)
        }
      },
      remove: { name, closesSessions in
        do throws(ListenerFailure) {
          return .success(try self.remove(name, closesSessions: closesSessions))
        } catch {
          return .failure(error)
        }
      })
  }

  // MARK: Adding

  private func add(_ json: JSONValue, saves: Bool) throws(ListenerFailure) -> AddedListener {
    let running = try list()
    guard running.count < Shard.listenersMax else { throw .refused(.tooManyListeners) }
    let listener: ListenerConfiguration
    let warnings: [String]
    switch reader.read(
      json, origin: saves ? .saved : .runtime, beside: neighbours(running, saves: saves))
    {
    case .refused(let problems):
      throw .invalid(
        problems.map { problem in
          // One that stands in a framer's file.
          let place =
            problem.file.isEmpty ? "" : " (\(problem.file):\(problem.line):\(problem.column))"
          return ListenerFailure.Problem(key: problem.key, message: problem.whatIsWrong + place)
        })
    case .read(let read, let notes):
      listener = read
      warnings = notes.map(\.text)
    }
    let socket = try open(listener)
    let result: Result<ListenerStatus, ListenerFailure> = saved.withLock { saved in
      do throws(ListenerFailure) {
        return .success(try take(listener, socket, saves ? json : nil, &saved))
      } catch {
        return .failure(error)
      }
    }
    return AddedListener(status: try result.get(), warnings: warnings)
  }

  /// Saves the listener, if there is something to save, and hands it to the shard.
  private func take(
    _ listener: ListenerConfiguration, _ socket: ListeningSocket, _ json: JSONValue?,
    _ saved: inout [SavedListener]
  ) throws(ListenerFailure) -> ListenerStatus {
    let before = saved
    if let json {
      guard !saved.contains(where: { $0.name == listener.name }) else {
        throw .refused(.listenerNameTaken(sessions: nil))
      }
      // All of them are to have room when the gateway starts anew.
      let configured = configuration.listeners.count { $0.origin == .configuration }
      guard configured + saved.count < Shard.listenersMax else {
        throw .refused(.tooManyListeners)
      }
      try save(saved + [SavedListener(name: listener.name, json: json)], &saved)
    }
    let reply = group.add(
      listener, on: socket, timeoutMilliseconds: Self.timeoutMilliseconds)
    if case .listenerAdded(let status)? = reply { return status }
    if json != nil { try save(before, &saved) }
    throw Self.failure(reply)
  }

  private func open(_ listener: ListenerConfiguration) throws(ListenerFailure) -> ListeningSocket {
    do throws(ListenFailure) {
      return try ListeningSocket(for: listener)
    } catch {
      switch error {
      case .inUse:
        throw .cannotListen(.portInUse, "\(error), by \(try owner(of: listener))")
      case .portNotPermitted: throw .cannotListen(.portNotPermitted, "\(error)")
      case .notLocal: throw .cannotListen(.addressNotLocal, "\(error)")
      case .unresolved: throw .cannotListen(.unresolved, "\(error)")
      case .system: throw .cannotListen(.other, "\(error)")
      }
    }
  }

  /// Who has a listener's address, for people: one of the gateway's own that came meanwhile, or
  /// somebody else.
  private func owner(of listener: ListenerConfiguration) throws(ListenerFailure) -> String {
    let all = try list().filter { $0.state == .listening }.map {
      ListenerReader.Neighbour(
        name: $0.name, host: $0.host, port: $0.port,
        description: "listener \"\($0.name)\" (\($0.address))")
    }
    let owner =
      all.first { $0.collides(host: listener.host, port: listener.port) }
      ?? all.first { $0.mayCollide(host: listener.host, port: listener.port) }
    return owner?.description ?? "another process"
  }

  /// What a new listener must not get in the way of: now, and if it is saved, when the gateway
  /// starts anew.
  private func neighbours(
    _ running: [ListenerStatus], saves: Bool
  ) -> [ListenerReader.Neighbour] {
    var neighbours = running.filter { $0.state == .listening }.map {
      ListenerReader.Neighbour(
        name: $0.name, host: $0.host, port: $0.port, description: "listener \"\($0.name)\"")
    }
    let kept = SavedListeners.neighbours(of: configuration)
    // Those that listen were named above, in fewer words.
    neighbours += kept.filter { saves || $0.name == nil }
    return neighbours
  }

  // MARK: Removing

  private func remove(
    _ name: String, closesSessions: Bool
  ) throws(ListenerFailure) -> RemovedListener {
    let result: Result<ListenerStatus, ListenerFailure> = saved.withLock { saved in
      do throws(ListenerFailure) {
        return .success(try remove(name, closesSessions: closesSessions, &saved))
      } catch {
        return .failure(error)
      }
    }
    let status = try result.get()
    return RemovedListener(status: status, comesBack: status.origin == .configuration)
  }

  private func remove(
    _ name: String, closesSessions: Bool, _ saved: inout [SavedListener]
  ) throws(ListenerFailure) -> ListenerStatus {
    let before = saved
    let others = saved.filter { $0.name != name }
    if others.count < saved.count { try save(others, &saved) }
    let reply = group.perform(
      .removeListener(name: name, closesSessions: closesSessions),
      timeoutMilliseconds: Self.timeoutMilliseconds, isAnsweredAtOnce: true)
    if case .listenerRemoved(let status)? = reply { return status }
    if saved.count < before.count { try save(before, &saved) }
    throw Self.failure(reply)
  }

  // MARK: Both

  private func save(
    _ listeners: [SavedListener], _ saved: inout [SavedListener]
  ) throws(ListenerFailure) {
    do throws(SavedListenersFile.Failure) {
      try file.write(listeners)
    } catch {
      throw .cannotSave(error.message)
    }
    saved = listeners
  }

  private func list() throws(ListenerFailure) -> [ListenerStatus] {
    let reply = group.perform(
      .listListeners, timeoutMilliseconds: Self.timeoutMilliseconds)
    guard case .listeners(let listeners)? = reply else { throw Self.failure(reply) }
    return listeners
  }

  private static func failure(_ reply: Reply?) -> ListenerFailure {
    guard case .failed(let error)? = reply else { return .unanswered }
    return .refused(error)
  }
}
