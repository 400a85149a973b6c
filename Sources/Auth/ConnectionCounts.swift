public import Primitives

/// How many connections are open, exactly, per address or prefix.
///
/// Bounded by the connections that there are: a key goes with its last one, and the memory of a
/// crowd is given back when it has gone.
public struct ConnectionCounts: Sendable {
  /// Below so many places, memory is not worth giving back.
  private static let capacityMin = 1024

  private var counts: [AddressPrefix: UInt32] = [:]

  public init() {}

  /// How many keys have a connection.
  public var keyCount: Int { counts.count }

  /// How many keys there is memory for.
  var capacity: Int { counts.capacity }

  /// Counts a connection.
  ///
  /// - Returns: how many of this key are open with it.
  @discardableResult
  public mutating func open(_ key: AddressPrefix) -> Int {
    let count = counts[key, default: 0] + 1
    counts[key] = count
    return Int(count)
  }

  /// Counts a connection off.
  ///
  /// - Precondition: it was counted.
  public mutating func close(_ key: AddressPrefix) {
    guard let count = counts[key] else { preconditionFailure("a connection is closed twice") }
    guard count == 1 else {
      counts[key] = count - 1
      return
    }
    counts[key] = nil
    if counts.capacity > Self.capacityMin, counts.count < counts.capacity / 8 {
      counts = Dictionary(uniqueKeysWithValues: counts.map { ($0.key, $0.value) })
    }
  }

  public func count(_ key: AddressPrefix) -> Int { Int(counts[key] ?? 0) }
}
