package import Primitives

/// Something that must not happen, and did.
package struct Violation {
  package var property: Property
  package var at: Instant
  package var gateway: Int?
  package var text: String
}
