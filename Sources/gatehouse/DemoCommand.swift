internal import Commands
internal import Gateway
internal import Glibc
internal import Primitives
internal import Reactor
internal import SampleWorker
internal import Upstream

/// Where the demonstration listens; the port that PersistentParadoxPlex's clients know.
private let demoPort: UInt16 = 7999

/// Runs a gateway with a sample worker behind it: a line chat, over real gRPC on loopback.
///
/// - Returns: the process's exit status; see ``serve(configurationPath:)``.
func demo() -> Int32 {
  // Before the worker's thread is started, which would take the signals otherwise.
  Reactor.blockSignals()
  let worker: SampleWorkerServer
  do {
    worker = try SampleWorkerServer.start()
  } catch {
    writeError("gatehouse demo: the sample worker could not start: \(error)\n")
    return 1
  }
  defer { worker.stop() }
  var configuration = GatewayConfiguration()
  var pool = PoolConfiguration(name: "chat")
  pool.workers = [WorkerConfiguration(host: "127.0.0.1", port: worker.port)]
  configuration.pools = [pool]
  configuration.listeners = [
    ListenerConfiguration(name: "demo", host: "127.0.0.1", port: demoPort, pool: 0)
  ]
  // Lines are not answered; that somebody left is to be seen soon all the same.
  configuration.listeners[0].halfCloseTimeout = .seconds(1)
  configuration.shutdownGrace = .seconds(2)
  return serve(configuration, nil) {
    writeOutput(
      """

      Gatehouse is listening on 127.0.0.1:\(demoPort); a small line chat runs behind it.
      In two other terminals, type:

          nc 127.0.0.1 \(demoPort)

      and then lines: what one types, the other sees. "/name NEW" gives you a name, "/who" lists
      who is there. Ctrl-C here ends it.


      """)
  }
}
