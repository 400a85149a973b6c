/// One thing that happens in a simulation.
enum Event {
  /// A loop of a gateway wakes up, unless it was told to since: then `serial` is not its newest.
  case gatewayTurn(gateway: Int, shard: Int, serial: UInt64)
  /// Something reached one end of a connection.
  case arrival(Arrival)
  /// A client does what comes next on its plan.
  case client(Int)
  /// A worker does what comes next for it: answers that were late, a restart.
  case worker(Int, WorkerAlarm)
  /// An entry of the scenario's plan: a fault, or an operator's deed.
  case deed(Int)
  /// A gateway's store does what is due, unless it was told to since.
  case storeTurn(gateway: Int, serial: UInt64)
  /// Another thread of a gateway's process tells a loop something.
  case mail(gateway: Int, instance: Int, shard: Int, Mail)
  /// A gateway that could not read its bans tries again.
  case startGateway(Int)
  /// What a deed did is undone.
  case repair(Repair)
  /// The oracle looks at what only shows over time.
  case check
}

/// What a worker asked to be woken up for; the worker gives it its meaning.
struct WorkerAlarm {
  var kind: UInt8
  var value: UInt64
}
