import Testing

@testable import Store

@Suite struct TokenSecretTests {
  @Test func secretsAreLongAndDiffer() {
    let (text, hash) = TokenSecret.make()
    #expect(text.hasPrefix("ght_"))
    #expect(text.utf8.count == 47)
    #expect(hash == TokenSecret.hash(of: Array(text.utf8)))
    #expect(TokenSecret.make().text != text)
  }

  /// The digest of "abc" was made with Python's hashlib: blake2b(b"abc", digest_size=32).
  @Test func theHashIsBLAKE2b() {
    let digits = LegacyDigest.digits(TokenSecret.hash(of: Array("abc".utf8)))
    #expect(
      String(decoding: digits, as: UTF8.self)
        == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319")
    #expect(TokenSecret.hash(of: []).count == TokenSecret.hashByteCount)
  }
}
