package import Primitives

/// Something that must not happen, and did.
package struct Violation {
  package var property: Property
  package var at: Instant
  package var gateway: Int?
  package var text: String
}

/// What must hold, whatever happens.
package enum Property: String, CaseIterable, Sendable {
  /// The shard's word to its driver makes no sense.
  case driver
}
