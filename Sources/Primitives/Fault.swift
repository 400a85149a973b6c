#if FAULTS
  /// Classical mistakes that a test can put back, to show that it would notice them.
  ///
  /// Each stands at the place in the core where it could have been made: `Fault.dropHeld.isOn` is
  /// true in a task that asked for it with `Fault.$active.withValue(.dropHeld) { … }`, and false
  /// everywhere else, so that tests may run side by side. Only debug builds know faults (the
  /// condition FAULTS of Package.swift).
  public enum Fault: String, CaseIterable, Sendable {
    // MARK: Packets

    /// What was queued for a lost worker is forgotten: packets are lost without a reason.
    case dropOnFailover
    /// One byte of a packet, left at the end of a read, is forgotten: the client's stream is cut
    /// wrongly from there on.
    case forgetHalfPacket
    /// A packet is counted when it is offered to a full worker and again when that takes it.
    case countOffered
    /// What was queued for a lost worker goes on only when a worker comes, behind newer packets of
    /// its sessions, which others have taken meanwhile.
    case misorderAfterMove
    /// Whole messages that a lost worker's socket took, and that were not forgotten yet, go to the
    /// next worker as well: packets are handled twice.
    case sendAgainWhatLeft
    /// A message of which a lost worker's socket took a part counts as sent: nobody gets it whole.
    case forgetHalfWritten
    /// Packets that were held until their client was let in are not sent then.
    case dropHeld
    /// Sessions that wait for a full worker are not told that its queue has room again.
    case loseWorkerWakeUp

    // MARK: Answers

    /// A session is found by the place in its UUID alone: a late answer reaches whoever has the
    /// place of a client that is gone.
    case answerByPlace
    /// A client that has ended its direction gets no more answers.
    case dropAnswerToHalfClosed
    /// A broadcast reaches clients of all pools.
    case broadcastToOtherPools
    /// After a write in part, the piece that was cut is sent from its start again.
    case wrongOffset
    /// Nobody waits for a client's socket to take what it did not take at once.
    case loseClientWakeUp
    /// A slow client's queue has no bound.
    case unboundedQueue
    /// Half a packet of a lost worker stays, and the first of its next connection is glued to it.
    case keepHalfAnswer

    // MARK: Workers

    /// HTTP/2 credit for what was received is not given back: a worker stops when the windows are
    /// used up, which are small ones then.
    case forgetFlowControlCredit
    /// Nobody notes that nghttp2 has a call to send: it waits until something else is to be sent.
    case forgetFrames
    /// A drained worker's sessions move before it has ended its stream: its last answers are lost.
    case noWaitForEndOfStream
    /// A worker that is told of sessions does not hear of the end of one that was reset.
    case closedNotSent
    /// A session that goes while it holds back the reading from its worker holds it back for ever.
    case leakHold

    // MARK: Logins and bans

    /// A claim's session is found by its place alone: a verdict for a client that is gone lets in
    /// the next one there.
    case verdictByPlace
    /// A client is let in, and its packets go on, while its claim is still being verified.
    case forwardBeforeVerdict
    /// A client whose claim could not be verified is let in.
    case failOpen
    /// A verdict on a client that is gone does not make room for another verification: in the end
    /// nobody is verified.
    case leakVerification
    /// Bans are not looked at again when a claim is accepted: one that came meanwhile is passed by.
    case ignoreBanDuringLogin
    /// Bans hold for who comes, and not for who is in.
    case ignoreBanOfOpen
    /// A rule's ban ends with the next table of bans, though that does not show it yet.
    case forgetRuleBan

    // MARK: What sessions leave behind

    /// A session's timer stays armed when the session is gone.
    case leakTimer
    /// When a client ends its direction, the timer for the last answers is not set.
    case forgetHalfCloseTimer
    /// A connection that ends with a reset stays counted for its address.
    case keepAddressCount
    /// A session that was slowed down has its whole burst of packets again.
    case forgetRate
    /// A closing session no longer counts for its listener, whose place is given to another while
    /// the session still names it.
    case freeListenerEarly

    // MARK: Several shards

    /// What was queued for a shard's last worker is forgotten when its sessions go to the door.
    case loseReturnedPackets
    /// What was queued for it goes on behind what its sessions have sent since.
    case misorderReturnedPackets
    /// The door forgets to tell another shard that a session is to be closed.
    case forgetCloseOfAway
    /// A session that ends on another shard is kept at the door for ever.
    case forgetEndOfAway
    /// A broadcast reaches clients on its worker's own shard only.
    case broadcastToOwnShard

    /// What the task has put back; nil is none.
    @TaskLocal public static var active: Fault?

    public var isOn: Bool { Fault.active == self }
  }
#else
  /// What asks for a fault gets "no" at compile time, whatever its name: a program that is shipped
  /// has no names of them, and nothing to switch.
  @dynamicMemberLookup
  public enum Fault {
    @frozen
    public struct Absent {
      @inlinable init() {}

      @inlinable @inline(__always)
      public var isOn: Bool { false }
    }

    @inlinable @inline(__always)
    public static subscript(dynamicMember _: StaticString) -> Absent { Absent() }
  }
#endif
