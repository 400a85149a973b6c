extension ReplyTemplate {
  /// The bytes to send; at most 65,536 and always the same for the same values.
  public func render(_ values: ReplyValues) -> [UInt8] { [] }
}
