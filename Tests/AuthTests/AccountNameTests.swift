import Testing

@testable import Auth

@Suite struct AccountNameTests {
  @Test func lettersMatchInEitherCase() throws {
    let name = try #require(AccountName("Anna"))
    #expect(name == AccountName("aNNA"))
    #expect(name != AccountName("Änna"))
  }

  /// Goal: two spellings that Unicode takes for one are two accounts, here as in the store.
  @Test func namesAreComparedByBytes() throws {
    let composed = try #require(AccountName("caf\u{e9}"))
    let decomposed = try #require(AccountName("cafe\u{301}"))
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed]).count == 2)
  }

  @Test func oddNamesAreNoNames() {
    for text in ["", " a", "a ", "a\n", "\u{7f}", String(repeating: "x", count: 65)] {
      #expect(AccountName(text) == nil)
    }
  }
}
