internal import Synchronization

/// A member for large noncopyable records, which are then only ever lent by their address.
///
/// Who reads a field of a borrowed record is otherwise given the record by value: the compiler
/// copies kilobytes for a look at one number. An atomic has to stay where it is, and so has
/// whatever holds one; that is all this one is for. It takes a byte.
public struct ByAddress: ~Copyable, Sendable {
  private let place = Atomic<UInt8>(0)

  public init() {}
}
