/// One connection attempt of a client.
struct Visit {
  var client: Int
  var connection: Connection
  /// The index in ``Simulation/games``.
  var game: Int
  var login: ExpectedLogin
}

/// What must become of a client's login.
enum ExpectedLogin: Equatable {
  /// Its listener asks for none.
  case none
  /// Let in as this account, unless something else closes it before.
  case accepted(account: String)
  /// Never let in.
  case refused
  /// Both are right: garbage, silence, a ban in between.
  case undecided
}
