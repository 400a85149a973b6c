import Testing
import Upstream

@testable import Gateway

@Suite struct PoolPlacesTests {
  private let pools = [
    PoolPlaces.Pool(name: "main", isSpread: true), PoolPlaces.Pool(name: "login", isSpread: false),
  ]

  private func place(
    _ port: UInt16, pool: String? = "main", _ workers: [[WorkerStatus]]
  ) -> Int {
    PoolPlaces.shard(
      for: WorkerConfiguration(host: "127.0.0.1", port: port), pool: pool, pools: pools,
      workers: workers)
  }

  @Test func aWorkerGoesWhereThePoolHasFewest() {
    #expect(place(9, [[], [], []]) == 0)
    #expect(place(9, [[worker(1, port: 1)], [], []]) == 1)
    #expect(place(9, [[worker(1, port: 1)], [worker(2, port: 2)], []]) == 2)
    #expect(place(9, [[worker(1, port: 1)], [worker(2, port: 2)], [worker(3, port: 3)]]) == 0)
  }

  /// Goal: workers of other pools, and those that carry nobody, take no room.
  @Test func othersDoNotCount() {
    let crowd = [worker(2, port: 2, pool: "login"), worker(5, port: 3, .drained)]
    #expect(place(9, [[worker(1, port: 1)], crowd]) == 1)
  }

  /// Goal: what is there is found, so that it is refused, or added again, where it is.
  @Test func whatIsThereStaysWhereItIs() {
    let there = [[], [worker(2, port: 2)], [worker(3, port: 9, .drained)]]
    #expect(place(2, there) == 1)
    #expect(place(9, there) == 2)
    // The same endpoint in another pool is another worker.
    #expect(place(7, [[worker(1, port: 1)], [worker(2, port: 7, pool: "login")]]) == 1)
  }

  @Test func aPoolThatIsNotSpreadIsAtTheDoor() {
    #expect(place(9, pool: "login", [[worker(1, pool: "login")], []]) == 0)
  }

  /// Goal: the door says what is wrong with the name.
  @Test func whatNamesNoPoolIsForTheDoor() {
    #expect(place(9, pool: "mian", [[worker(1)], []]) == 0)
    #expect(place(9, pool: nil, [[worker(1)], []]) == 0)
  }

  @Test func theOnlyPoolNeedsNoName() {
    let place = PoolPlaces.shard(
      for: WorkerConfiguration(host: "127.0.0.1", port: 9), pool: nil, pools: [pools[0]],
      workers: [[worker(1)], []])
    #expect(place == 1)
  }
}
