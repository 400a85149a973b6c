/// What must hold, whatever happens.
package enum Property: String, CaseIterable, Sendable {
  /// The shard's word to its driver makes no sense.
  case driver
  /// Each packet that the gateway has read reaches a worker once, in order, byte by byte.
  case packets
  /// Each answer reaches its client once, in order, byte by byte.
  case answers
  /// No byte crosses sessions.
  case crossing
  /// Nobody is let in, or heard by a worker, before its login allows it.
  case authentication
  /// Whoever is banned is out within a bound.
  case bans
  /// No queue or table grows beyond its configuration.
  case bounds
  /// The gateway's numbers are those of what happened.
  case counters
  /// When faults stop, what waits comes through within a bound.
  case progress
  /// Nothing is left of what is over.
  case leftovers
  /// Workers are told of their sessions' beginnings and ends, truly and once.
  case sessionEvents
  /// Nobody gets more through than its listener's limits allow.
  case limits
  /// The shard's own figures agree with each other.
  case audit
}
