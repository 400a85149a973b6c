/// A stretch of memory that is to be written: same layout as the system's `iovec`.
@frozen
@safe
public struct IOSlice {
  public var base: UnsafeRawPointer?
  public var count: Int

  @inlinable public init(base: UnsafeRawPointer?, count: Int) {
    unsafe self.base = base
    self.count = count
  }
}
