extension Trace {
  /// Adds to the digest that an event of the queue has its turn.
  func mix(_ event: Event) {
    switch event {
    case .gatewayTurn(let gateway, let shard, let serial):
      mix(1, gateway | shard << 8, Int(truncatingIfNeeded: serial))
    case .arrival(let arrival):
      mix(2, arrival.connection, arrival.end == .gateway ? 0 : 1)
    case .client(let number): mix(3, number, 0)
    case .worker(let number, let alarm):
      mix(4, number, Int(alarm.kind) ^ Int(truncatingIfNeeded: alarm.value &* 256))
    case .deed(let number): mix(5, number, 0)
    case .repair: mix(6, 0, 0)
    case .check: mix(7, 0, 0)
    case .storeTurn(let gateway, let serial): mix(8, gateway, Int(truncatingIfNeeded: serial))
    case .mail(let gateway, let instance, let shard, _): mix(9, gateway | shard << 8, instance)
    case .startGateway(let gateway): mix(10, gateway, 0)
    }
  }
}
