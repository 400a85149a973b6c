/// What an import took over.
public struct StoreImport: Equatable, Sendable {
  /// New rows, by kind of line, in the order in which the kinds came.
  public var added: [(kind: String, count: Int)] = []
  /// Lines that told what the store has already.
  public var skipped = 0

  public static func == (a: StoreImport, b: StoreImport) -> Bool {
    a.skipped == b.skipped
      && a.added.elementsEqual(b.added) { $0.kind == $1.kind && $0.count == $1.count }
  }
}

extension Database {
  /// Tells `write` the whole store as JSON lines, hashes of secrets included (docs/store.md).
  ///
  /// The store as it is at one moment, whatever others write meanwhile.
  /// - Parameter write: is given whole lines, each with its line feed.
  public func exportJSON(
    _ write: ([UInt8]) throws(StoreError) -> Void
  ) throws(StoreError) {
    preconditionFailure("not written yet")
  }

  /// Takes over lines that ``exportJSON(_:)`` wrote: all of them, or none.
  ///
  /// - Parameter next: the next line, without its line feed; nil at the end.
  /// - Throws: ``StoreError/malformedLine(_:problem:)``.
  public func importJSON(
    _ next: () throws(StoreError) -> [UInt8]?, by author: String, now: Int64
  ) throws(StoreError) -> StoreImport {
    preconditionFailure("not written yet")
  }
}
