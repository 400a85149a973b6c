package import Primitives

/// Something that must not happen, and did.
package struct Violation {
  package var property: Property
  package var at: Instant
  package var gateway: Int?
  package var text: String
}

/// What one of the oracle's accounts has to say against something.
struct Finding: Equatable {
  var property: Property
  var text: String

  init(_ property: Property, _ text: String) {
    self.property = property
    self.text = text
  }
}
