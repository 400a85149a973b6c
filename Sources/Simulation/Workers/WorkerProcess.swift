internal import Primitives
internal import Upstream

/// A worker's process: takes gateways' connections, answers, and has its bad days.
final class WorkerProcess {
  unowned let simulation: Simulation
  let number: Int
  let configuration: WorkerConfiguration
  let address: SocketAddress
  private var paths: [Int] = []

  init(_ simulation: Simulation, number: Int) {
    self.simulation = simulation
    self.number = number
    let port = UInt16(9000 + number)
    configuration = WorkerConfiguration(host: "worker-\(number)", port: port)
    address = SocketAddress(ipv4: 10, 0, 0, UInt8(number + 1), port: port)
    for _ in 0..<simulation.scenario.gateways {
      paths.append(
        simulation.network.addPath(latency: .milliseconds(1), jitter: .milliseconds(1)))
    }
  }

  var port: UInt16 { address.port }

  /// What its bytes to and from that gateway travel on.
  func path(to gateway: Int) -> Int { paths[gateway] }

  func act(_ alarm: WorkerAlarm) {}
  func arrived(_ kind: Arrival.Kind, on connection: Connection) {}

  /// That gateway reads and writes no more on it: what it had written and nobody read is lost.
  func gatewayClosed(_ connection: Connection) {}
}
