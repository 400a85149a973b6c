internal import Gateway
internal import Primitives
internal import Upstream

/// What a gateway has certainly read of its workers' answers.
extension Oracle {
  /// Notes which answers to open sessions a gateway has read; those must come, if the end does.
  ///
  /// Only where the gateway counts as many messages of a worker as that has sent on all its
  /// streams, and nothing is on its way between shards: nothing of them is on its way.
  func noteReadAnswers(_ account: GatewayAccount) {
    guard account.gateway.isQuiet, account.answersNotedAt + .milliseconds(20) <= now,
      simulation.deeds.counts[DeedKind.lie.order] == 0
    else { return }
    account.answersNotedAt = now
    let waiting = account.open.filter { $0.isIn && $0.answers.isWaiting }
    guard !waiting.isEmpty else { return }
    for (status, own) in streamsByWorker(of: account) {
      guard status.messagesReceived == UInt64(own.reduce(0) { $0 + $1.sentCount }) else { continue }
      for record in waiting where figures(of: record)?.isClosing == false {
        for stream in own { record.answers.wasRead(on: stream.number) }
      }
    }
  }

  /// What a gateway says of each of its workers that there is, with the streams that the two have
  /// had.
  func streamsByWorker(
    of account: GatewayAccount
  ) -> [(status: WorkerStatus, own: [StreamRecord])] {
    account.gateway.metrics().workers.compactMap { status in
      let worker = simulation.workers.first { $0.configuration.authority == status.endpoint }
      guard let worker else { return nil }
      return (status, streams.filter { $0.account === account && $0.worker == worker.number })
    }
  }
}
