internal import Glibc

/// Waits for sockets and moves bytes between them and a ``ChatWorker``; decides nothing.
final class SampleWorkerLoop {
  /// Gateways at a time; more wait in the accept queue.
  static let connectionsMax = 64
  /// How long no connection is accepted after the process ran out of descriptors.
  static let acceptPauseMilliseconds: Int32 = 100

  private struct Connection {
    var id: ChatWorker.ConnectionID
    var descriptor: Int32
    /// Taken from the worker, not written yet.
    var unwritten: ArraySlice<UInt8> = []
  }

  private let listener: Int32
  private let stopSignal: Int32
  private let worker = ChatWorker()
  private var connections: [Connection] = []
  private var isAcceptPaused = false
  private var readBuffer = [UInt8](repeating: 0, count: 65_536)

  /// - Parameters:
  ///   - listener: a listening socket; closed when the loop ends.
  ///   - stopSignal: the read end of a pipe; the loop ends when its other end is closed.
  init(listener: Int32, stopSignal: Int32) {
    self.listener = listener
    self.stopSignal = stopSignal
  }

  func run() {
    while turn() {}
    worker.shutDown()
    while flushAll() {}
    for connection in connections { close(connection.descriptor) }
    close(listener)
    close(stopSignal)
  }

  /// Waits once and handles what happened; false when the loop is to end.
  private func turn() -> Bool {
    var waits = [pollfd(fd: stopSignal, events: Int16(POLLIN), revents: 0)]
    let accepts = connections.count < Self.connectionsMax && !isAcceptPaused
    // A negative descriptor is not waited for.
    waits.append(pollfd(fd: accepts ? listener : -1, events: Int16(POLLIN), revents: 0))
    for connection in connections { waits.append(interest(connection)) }
    let timeout = isAcceptPaused ? Self.acceptPauseMilliseconds : -1
    isAcceptPaused = false
    guard unsafe poll(&waits, nfds_t(waits.count), timeout) >= 0 else { return errno == EINTR }
    guard waits[0].revents == 0 else { return false }

    worker.time = timestamp()
    for (index, wait) in waits.dropFirst(2).enumerated().reversed()
    where wait.revents & ~Int16(POLLOUT) != 0 {
      read(index)
    }
    // Bytes of one connection may have made output for every other, and so may the end of a
    // congestion. Ends because no pass reads from a socket.
    while flushAll() {}
    if waits[1].revents != 0 { accept() }
    return true
  }

  private func interest(_ connection: Connection) -> pollfd {
    var events: Int16 = 0
    let isBlocked = !connection.unwritten.isEmpty
    if isBlocked { events |= Int16(POLLOUT) }
    // While the socket takes nothing, reading would only pile up more answers. While it is the
    // HTTP/2 window that is used up, reading must go on: the window's updates come that way.
    if !(isBlocked && worker.isCongested(connection.id)) { events |= Int16(POLLIN) }
    return pollfd(fd: connection.descriptor, events: events, revents: 0)
  }

  private func accept() {
    do {
      guard let descriptor = try acceptConnection(listener) else { return }
      do {
        connections.append(Connection(id: try worker.connect(), descriptor: descriptor))
        flush(connections.count - 1)
      } catch {
        // No memory for one more; the gateway will try again.
        close(descriptor)
      }
    } catch {
      isAcceptPaused = true
    }
  }

  /// One read, so that a busy gateway does not keep the others waiting.
  private func read(_ index: Int) {
    let connection = connections[index]
    let count = unsafe recv(connection.descriptor, &readBuffer, readBuffer.count, 0)
    guard count > 0 else {
      if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
      remove(index)
      return
    }
    do {
      try worker.receive(Array(readBuffer[..<count]), on: connection.id)
    } catch {
      flush(index, thenClose: true)
    }
  }

  /// Writes to every connection what it takes; false when nothing moved.
  private func flushAll() -> Bool {
    var hasMoved = false
    for index in connections.indices.reversed() {
      hasMoved = flush(index) || hasMoved
    }
    return hasMoved
  }

  /// Writes until nothing is left or the socket takes no more; false when nothing moved.
  @discardableResult
  private func flush(_ index: Int, thenClose: Bool = false) -> Bool {
    var hasMoved = false
    do {
      while try write(index) { hasMoved = true }
    } catch {
      remove(index)
      return true
    }
    let isWritten = connections[index].unwritten.isEmpty
    if thenClose || (isWritten && worker.isFinished(connections[index].id)) { remove(index) }
    return hasMoved
  }

  /// Writes once; false when there is nothing left or the socket takes no more.
  private func write(_ index: Int) throws -> Bool {
    if connections[index].unwritten.isEmpty {
      connections[index].unwritten = try worker.takeOutput(of: connections[index].id)[...]
    }
    let connection = connections[index]
    guard !connection.unwritten.isEmpty else { return false }
    let written = unsafe connection.unwritten.withUnsafeBytes {
      unsafe send(connection.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    guard written >= 0 else {
      if errno == EAGAIN { return false }
      if errno == EINTR { return true }
      throw SampleWorkerError(call: "send", code: errno)
    }
    connections[index].unwritten = connection.unwritten.dropFirst(written)
    return true
  }

  private func remove(_ index: Int) {
    let connection = connections.remove(at: index)
    worker.disconnect(connection.id)
    close(connection.descriptor)
  }
}
