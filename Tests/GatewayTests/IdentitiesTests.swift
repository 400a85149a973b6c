import Auth
import Primitives
import Testing

@testable import Gateway

/// Goal: an account's sessions are found, newest first, however many come and go.
@Suite struct IdentitiesTests {
  private static let accounts = 500

  /// The table, and what it has to agree with: by account its sessions, newest first.
  private struct Pair: ~Copyable {
    struct Entry {
      var session: UInt32
      var place: UInt32
      /// As it was written at the login.
      var text: String
    }

    var table: Identities
    var model: [Int: [Entry]] = [:]
    var random: SeededRandom
    /// The last one's number.
    var session: UInt32 = 0
    /// Sessions in the model.
    var count = 0

    init(seed: UInt64) {
      table = Identities(capacity: 4 * IdentitiesTests.accounts)
      random = SeededRandom(seed: seed)
    }

    /// The name of an account, in letters of either case.
    mutating func name(_ account: Int) -> AccountName {
      let text = "player-\(account)".map { letter in
        Bool.random(using: &random) ? letter.uppercased() : letter.lowercased()
      }
      return AccountName(text.joined())!
    }

    mutating func add(_ account: Int) {
      let name = name(account)
      session += 1
      count += 1
      let place = table.add(name, [.init(name: "n", value: "\(session)")], session: session)
      let entry = Entry(session: session, place: place, text: name.text)
      model[account, default: []].insert(entry, at: 0)
    }

    mutating func remove(_ account: Int) {
      count -= 1
      let index = Int.random(in: 0..<model[account]!.count, using: &random)
      table.remove(model[account]!.remove(at: index).place)
    }

    /// One comes, or one goes; more of the one or of the other.
    mutating func step(coming: Int) -> Int {
      let account = Int.random(in: 0..<IdentitiesTests.accounts, using: &random)
      let open = model[account, default: []].count
      if Int.random(in: 0..<10, using: &random) < coming {
        if open < 4 { add(account) }
      } else if open > 0 {
        remove(account)
      }
      return account
    }

    /// - Returns: false when the table does not agree on an account.
    mutating func agree(on account: Int) -> Bool {
      let entries = model[account, default: []]
      return table.count == count
        && table.sessions(of: name(account)) == entries.map(\.session)
        && entries.allSatisfy { $0.text == table.account(at: $0.place)?.text }
        && entries.allSatisfy { table.attributes(at: $0.place).map(\.value) == ["\($0.session)"] }
    }
  }

  /// Goal: the table agrees with a dictionary, while it grows from 64 chains to 2,048 and behind.
  @Test(arguments: UInt64(1)...4) func theTableAgreesWithADictionary(seed: UInt64) throws {
    var pair = Pair(seed: seed)
    var most = 0
    for (phase, coming) in [9, 2, 7, 5, 10].enumerated() {
      for step in 0..<2000 {
        let account = pair.step(coming: coming)
        let agrees = pair.agree(on: account)
        try #require(agrees, "phase \(phase), step \(step): account \(account)")
      }
      for account in 0..<Self.accounts {
        let agrees = pair.agree(on: account)
        try #require(agrees, "phase \(phase): account \(account)")
      }
      most = max(most, pair.count)
    }
    #expect(most > 1024, "it has not grown as far as it was to")
    for account in 0..<Self.accounts {
      while pair.model[account]?.isEmpty == false { pair.remove(account) }
      let agrees = pair.agree(on: account)
      #expect(agrees, "the end: account \(account)")
    }
    #expect(pair.table.count == 0)
  }

  @Test func lettersMatchInEitherCase() {
    var table = Identities(capacity: 10)
    let names = ["Anna", "anna", "ANNA", "Änna"].map { AccountName($0)! }
    let places = names.enumerated().map { table.add($1, [], session: UInt32($0)) }
    #expect(table.sessions(of: AccountName("aNNa")!) == [2, 1, 0])
    #expect(table.sessions(of: AccountName("Änna")!) == [3])
    // A capital that is not an ASCII one is another letter.
    #expect(table.sessions(of: AccountName("änna")!) == [])
    table.remove(places[1])
    #expect(table.sessions(of: AccountName("ANNA")!) == [2, 0])
  }

  /// Goal: names in one chain are told apart, whichever of them goes, also in a table that grew.
  ///
  /// Method: names whose hashes end in the same ten bits, by which the table takes its chains.
  /// Swift's hash is another one in each process, so they are looked for.
  @Test(arguments: [false, true]) func namesThatShareAChainAreToldApart(grows: Bool) {
    func tail(_ name: AccountName) -> Int { name.hashValue & 1023 }
    var random = SeededRandom(seed: 7)
    let all = (0..<40_000).lazy.map { AccountName("name\($0)")! }
    let chain = tail(all.first!)
    let names = Array(all.filter { tail($0) == chain }.prefix(8))
    let fillers = Array(all.filter { tail($0) != chain }.prefix(600))
    #expect(names.count == 8)
    var table = Identities(capacity: 1000)
    var open: [(name: Int, session: UInt32, place: UInt32)] = []
    for session in UInt32(0)..<24 {
      let name = Int(session) * 5 % 8
      open.insert((name, session, table.add(names[name], [], session: session)), at: 0)
      for filler in grows ? fillers[Int(session) * 25..<Int(session + 1) * 25] : [] {
        _ = table.add(filler, [], session: 1000)
      }
    }
    #expect(table.count == (grows ? 624 : 24))
    while true {
      for (number, name) in names.enumerated() {
        let expected = open.filter { $0.name == number }.map(\.session)
        #expect(table.sessions(of: name) == expected, "\(open.count) are there")
      }
      guard !open.isEmpty else { return }
      table.remove(open.remove(at: Int.random(in: 0..<open.count, using: &random)).place)
    }
  }
}
