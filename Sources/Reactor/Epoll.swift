internal import CLinux
internal import Glibc
internal import Primitives

/// What an epoll registration stands for; packed into its 64 bits, so that a stale event is known.
enum EventSource: BitwiseCopyable {
  case client(SessionID)
  case link(index: UInt32, serial: UInt32)
  case listener(Int)
  case mailbox
  case signal
  /// A socket whose session is over.
  case lingering(Int32)

  init(rawValue: UInt64) {
    let index = UInt32(truncatingIfNeeded: rawValue >> 32) & 0x0fff_ffff
    let low = UInt32(truncatingIfNeeded: rawValue)
    switch rawValue >> 60 {
    case 0: self = .client(SessionID(index: index, generation: low))
    case 1: self = .link(index: index, serial: low)
    case 2: self = .listener(Int(index))
    case 3: self = .mailbox
    case 4: self = .signal
    case 5: self = .lingering(Int32(bitPattern: low))
    default: preconditionFailure("an event of nobody's")
    }
  }

  var rawValue: UInt64 {
    switch self {
    case .client(let id): UInt64(id.index) << 32 | UInt64(id.generation)
    case .link(let index, let serial): 1 << 60 | UInt64(index) << 32 | UInt64(serial)
    case .listener(let index): 2 << 60 | UInt64(index) << 32
    case .mailbox: 3 << 60
    case .signal: 4 << 60
    case .lingering(let fd): 5 << 60 | UInt64(UInt32(bitPattern: fd))
    }
  }
}

/// What a registration waits for, and what an event says.
struct Readiness: OptionSet, BitwiseCopyable {
  let rawValue: UInt32
  static let readable = Readiness(rawValue: EPOLLIN.rawValue)
  static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
  /// The connection broke, or both directions are over; reported unasked.
  static let broken = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
}

/// One epoll instance and room for the events of one turn.
@safe
struct Epoll: ~Copyable {
  private let events: UnsafeMutablePointer<epoll_event>
  private let fd: Int32
  static let eventsMax = 1024

  /// - Throws: ``SystemError``.
  init() throws(SystemError) {
    fd = epoll_create1(Int32(EPOLL_CLOEXEC))
    if fd < 0 { throw SystemError("epoll_create1") }
    unsafe events = .allocate(capacity: Self.eventsMax)
  }

  deinit {
    Glibc.close(fd)
    unsafe events.deallocate()
  }

  func add(_ descriptor: Int32, _ source: EventSource, _ interest: Readiness) -> Bool {
    clinux_epoll_ctl(fd, EPOLL_CTL_ADD, descriptor, interest.rawValue, source.rawValue) == 0
  }

  func change(_ descriptor: Int32, _ source: EventSource, _ interest: Readiness) {
    let result = clinux_epoll_ctl(
      fd, EPOLL_CTL_MOD, descriptor, interest.rawValue, source.rawValue)
    precondition(result == 0, "a descriptor was registered nowhere")
  }

  func remove(_ descriptor: Int32) { _ = clinux_epoll_ctl(fd, EPOLL_CTL_DEL, descriptor, 0, 0) }

  /// Waits for events; -1 milliseconds is for ever.
  func wait(milliseconds: Int32) -> Int {
    let count = unsafe epoll_wait(fd, events, Int32(Self.eventsMax), milliseconds)
    // EINTR: a signal that nobody waits for; the turn is empty.
    return max(Int(count), 0)
  }

  func event(_ index: Int) -> (source: EventSource, readiness: Readiness) {
    unsafe (
      EventSource(rawValue: clinux_event_data(events + index)),
      Readiness(rawValue: events[index].events)
    )
  }
}
