import Testing

@testable import Auth

@Suite struct AccountNameTests {
  @Test func lettersMatchInEitherCase() throws {
    let name = try #require(AccountName("Anna"))
    #expect(name == AccountName("aNNA"))
    #expect(name != AccountName("Änna"))
  }

  @Test func oddNamesAreNoNames() {
    for text in ["", " a", "a ", "a\n", "\u{7f}", String(repeating: "x", count: 65)] {
      #expect(AccountName(text) == nil)
    }
  }
}
