/// What the store of a scenario begins with.
extension Scenario {
  var storeFixture: StoreFixture {
    switch fixture {
    case 1: .accounts(max(fixtureAccounts, 1))
    case 2: .expired
    case 3: .manyBans(max(fixtureBans, 0))
    default: .empty
    }
  }
}
