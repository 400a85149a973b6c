/// Why the store can't do what it was asked to.
public enum StoreError: Error, Equatable, Sendable {
  case placeholder
}
