internal import Glibc
internal import Synchronization

/// The sample worker on a loopback port, on a thread of its own.
///
/// Several gateways may be connected at once; they share one chat room.
public final class SampleWorkerServer: Sendable {
  /// The port it listens on, on 127.0.0.1.
  public let port: UInt16

  private struct Running {
    var thread: pthread_t
    /// Closing this end ends the thread.
    var stopper: Int32
  }

  private let running: Mutex<Running?>

  /// Listens and starts the thread; connections are accepted from the return on.
  ///
  /// - Parameter port: 0 for any free one.
  /// - Throws: ``SampleWorkerError``, for instance when the port is taken.
  public static func start(port: UInt16 = 0) throws(SampleWorkerError) -> SampleWorkerServer {
    let listener = try listenOnLoopback(port: port)
    do throws(SampleWorkerError) {
      let wake = try makePipe()
      let loop = SampleWorkerLoop(listener: listener.descriptor, stopSignal: wake.read)
      let thread = try startThread(loop, wake)
      return SampleWorkerServer(
        port: listener.port, running: Running(thread: thread, stopper: wake.write))
    } catch {
      close(listener.descriptor)
      throw error
    }
  }

  private init(port: UInt16, running: Running) {
    self.port = port
    self.running = Mutex(running)
  }

  deinit {
    stop()
  }

  /// Ends all calls, closes everything and waits for the thread.
  ///
  /// The calls end with UNAVAILABLE, as far as their sockets take it without waiting. A second
  /// call does nothing.
  public func stop() {
    let last = running.withLock { running in
      defer { running = nil }
      return running
    }
    guard let last else { return }
    close(last.stopper)
    pthread_join(last.thread, nil)
  }
}

/// Hands `loop` over to a new thread, which owns it and the descriptors from then on.
private func startThread(
  _ loop: SampleWorkerLoop, _ wake: (read: Int32, write: Int32)
) throws(SampleWorkerError) -> pthread_t {
  var thread = pthread_t()
  // SAFETY: exactly one of the thread and the branch below takes the reference back.
  let box = unsafe Unmanaged.passRetained(loop)
  let result = unsafe pthread_create(&thread, nil, runLoop, box.toOpaque())
  guard result == 0 else {
    unsafe box.release()
    close(wake.read)
    close(wake.write)
    throw SampleWorkerError(call: "pthread_create", code: result)
  }
  return thread
}

private func runLoop(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let box = unsafe box {
    unsafe Unmanaged<SampleWorkerLoop>.fromOpaque(box).takeRetainedValue().run()
  }
  return nil
}
