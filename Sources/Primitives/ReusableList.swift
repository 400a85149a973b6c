/// A list that is filled and emptied again and again, and then costs next to nothing to empty.
///
/// `Array.removeAll(keepingCapacity:)` takes some hundred instructions whatever is in it; this one
/// sets a count. For elements that own nothing.
@safe
@frozen
public struct ReusableList<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline var elements: UnsafeMutablePointer<Element>
  @usableFromInline var capacity: Int
  @usableFromInline var used = 0

  @inlinable public var count: Int { used }

  @inlinable public init() {
    capacity = 64
    unsafe elements = .allocate(capacity: 64)
  }

  @inlinable deinit { unsafe elements.deallocate() }

  @inlinable public var isEmpty: Bool { count == 0 }

  /// - Precondition: `index` is at least 0 and below ``count``.
  @inlinable public subscript(index: Int) -> Element {
    precondition(index >= 0 && index < count)
    // SAFETY: all below `count` were initialised by `append`.
    return unsafe elements[index]
  }

  @inlinable public mutating func append(_ element: Element) {
    if used == capacity { grow() }
    unsafe (elements + used).initialize(to: element)
    used += 1
  }

  @inlinable public mutating func removeAll() {
    if used > Self.keptMax { shrink() }
    used = 0
  }

  /// Elements whose room is kept, however many there were.
  @inlinable static var keptMax: Int { 1024 }

  @usableFromInline mutating func shrink() {
    unsafe elements.deallocate()
    capacity = Self.keptMax
    unsafe elements = .allocate(capacity: capacity)
  }

  @usableFromInline mutating func grow() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
    unsafe larger.moveInitialize(from: elements, count: used)
    unsafe elements.deallocate()
    unsafe elements = larger
    capacity *= 2
  }
}
