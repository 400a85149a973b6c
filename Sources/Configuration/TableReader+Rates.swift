internal import Auth

/// What a rate counts, and so how its numbers are written and bounded.
enum RateUnit {
  case events
  /// May be written with a unit, as `"64KiB"`.
  case bytes
}

extension TableReader {
  /// A table of `per_second`, which must be there, and `burst`, by default one second's worth; nil
  /// when absent.
  ///
  /// - Parameter more: reads the table's other keys.
  mutating func rate(
    _ key: String, _ unit: RateUnit = .events, more: (inout TableReader) -> Void = { _ in }
  ) -> Rate? {
    guard var reader = subtable(key) else { return nil }
    let rate = reader.rateKeys(unit)
    more(&reader)
    add(reader.finish())
    return rate
  }

  /// The keys `per_second` and `burst` of this table; nil when something is wrong with them.
  mutating func rateKeys(_ unit: RateUnit) -> Rate? {
    let perSecondNode = takeRequired("per_second", expected: "how many a second")
    let perSecond = perSecondNode.flatMap {
      number("per_second", $0, unit, Bounds.eventsPerSecond, Bounds.bytesPerSecond)
    }
    let burstNode = take("burst")
    let burst = burstNode.map {
      number("burst", $0, unit, Bounds.eventsBurst, Bounds.bytesBurst)
    }
    guard let perSecond, let burst = burst ?? perSecond else { return nil }
    return Rate(perSecond: UInt64(perSecond), burst: UInt64(burst))
  }

  private mutating func number(
    _ key: String, _ node: TomlNode, _ unit: RateUnit, _ events: ClosedRange<Int>,
    _ bytes: ClosedRange<Int>
  ) -> Int? {
    switch unit {
    case .events: integer(key, node, events)
    case .bytes: byteCount(key, node, bytes)
    }
  }
}
