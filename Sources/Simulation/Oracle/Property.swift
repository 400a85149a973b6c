/// What must hold, whatever happens.
package enum Property: String, CaseIterable, Sendable {
  /// Driver and shard agree: on which descriptors are open, on which are read, on which wait to
  /// be written; and nothing is asked of one that is closed.
  case driver

  /// Each packet of a session reaches a worker once, byte by byte; in a pool with session balance
  /// in the order in which it was sent and without gaps.
  ///
  /// Excepted are packets that had gone wholly to a worker which was lost before it handled them
  /// (those reach no other), packets that a limit of the listener drops, and those of a session
  /// that ends with a recorded reason. A session that ends as `client-closed` after its client's
  /// end, and whose packets never had to wait since, has given all of them to workers. Nothing is
  /// handled that was never sent, or that was sent behind a violation.
  case packets

  /// Each client reads the answers of each packet stream once, in order, byte by byte, from the
  /// first without gaps; all of them in the end if it stays, unless the stream was lost with
  /// answers on it.
  ///
  /// With session balance no answer comes after one of a later stream of the session's.
  /// Broadcasts come once at the most, at their place in the stream: those to all to everybody of
  /// the pool who was in before and stays, the others to nobody who certainly is of the other
  /// kind. At an orderly end a client has as many messages as the log says, and when it had ended
  /// itself, all answers that its gateway had read.
  ///
  /// A worker that is drained may finish before its connection is closed.
  case answers

  /// Nothing of one session is heard of by another, nor of one gateway or pool by another's.
  case crossing

  /// No packet of a session reaches a worker before it was let in, unless its listener forwards
  /// it; its login packet does exactly when the listener says so.
  ///
  /// Whoever must be refused is not let in, everybody is let in as the account expected, by a
  /// verdict on the session's own claim, and once.
  case authentication

  /// No session of a banned subject is open longer than ``BanAccount/bound`` of time in which the
  /// gateway's loop is not held up and its store answers.
  case bans

  /// Sessions are no more than configured; queues and tables are checked with ``audit``.
  case bounds

  /// Opened is open and closed together, for each listener; reasons are those of the log;
  /// packets, bytes and messages, by session and by listener, are those that the driver moved,
  /// workers handled and clients read.
  case counters

  /// Whoever has to go had to: a recorded reason comes with what it needs to be true, be it what
  /// the client did, a time that passed, a limit, a ban, a fault or an operator's deed. Right
  /// claims are refused by verdicts for nothing but what operators and time have done to them.
  case reasons

  /// When faults stop, what waits comes through within a bound; where there are none, no worker is
  /// given up.
  case progress

  /// When everybody has left, nothing is left of them: sessions, timers, queues, calls, holds,
  /// recordings, descriptors.
  case leftovers

  /// A worker that asked is told of a session before its first packet, with the right next
  /// sequence, and whether it was elsewhere before; that it was let in, if it was not yet; and
  /// once, after its last packet, that it is over, with the true reason.
  case sessionEvents

  /// No session has more packets handled, and no address or prefix more connections, at one time
  /// or newly, than its listener's limits allow; one packet more where it is slowed down.
  case limits

  /// The shard's own figures agree with each other, whoever waits waits for something that will
  /// come, and nothing is kept beyond the bounds that `Shard.audit` states.
  case audit
}
