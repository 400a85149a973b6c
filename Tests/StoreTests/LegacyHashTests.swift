import Auth
import Primitives
import Testing

@testable import Store

/// Digests here come from Python's hashlib and crypt, from openssl passwd, and from the test
/// vectors of phpass and of Openwall's bcrypt.
@Suite struct LegacyHashTests {
  private static let current = PasswordHashTests.cheap

  private struct Example {
    var format = "auto"
    var hash: String
    var salt = ""
    var password = "secret"
    var scheme: String
  }

  private static let examples: [Example] = [
    Example(hash: "5ebe2294ecd0e0f08eab7690d2a6ee69", scheme: "md5"),
    Example(hash: "5EBE2294ECD0E0F08EAB7690D2A6EE69", scheme: "md5"),
    Example(hash: "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4", scheme: "sha1"),
    Example(
      hash: "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", scheme: "sha256"),
    Example(
      hash: "bd2b1aaf7ef4f09be9f52ce2d8d599674d81aa9d6a4421696dc4d93dd0619d68"
        + "2ce56b4d64a9ef097761ced99e0f67265b5f76085e5b0ee7ca4696b2ad6fe2b2", scheme: "sha512"),
    Example(
      format: "vbulletin", hash: "d5270bdf13008b9df265cac25507e592", salt: "x:y", scheme: "md5"),
    Example(format: "mybb", hash: "bfbb75adbf8b54273a49c2a3cf86363e", salt: "x:y", scheme: "md5"),
    Example(format: "smf", hash: "2e97a6f0c0759834e8fce72dfc4221191454dbb2", scheme: "sha1"),
    Example(format: "mangos", hash: "66f9138da427cffe7296fc814487f9c1b686a088", scheme: "sha1"),
    Example(
      format: "sha1:salt+password", hash: "1ca08f61f4bb668c64638da6c7ba64798a913d04", salt: "x:y",
      scheme: "sha1"),
    Example(
      format: "sha1(utf16le(password))", hash: "883f0f6c5c905dc42dff59b7b526c8a7e1cf3b58",
      password: "secrét", scheme: "sha1"),
    Example(hash: "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7", scheme: "sha1"),
    Example(
      hash: "$SHA$abc$6a4cd66b014159333a36aca7a8d64d0af17bb19d52830abf86a3c57775e471f5",
      scheme: "sha256"),
    Example(hash: "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", scheme: "sha1"),
    Example(hash: "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/", scheme: "apr1"),
    Example(
      hash: "$apr1$xy$Lj/ohi6KPYXbXo1vB5vm1.", password: "a much longer password than 16",
      scheme: "apr1"),
    Example(
      hash: "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", password: "test12345", scheme: "phpass"),
    Example(hash: "$P$7abcdefghsV9J/lGkm3gDU593SXD5h1", scheme: "phpass"),
    Example(hash: "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", scheme: "md5crypt"),
    Example(
      hash: "$5$rounds=1000$abcdefgh$XIppta5rT8zJUu4vAOKQXrwq9uY4Ijlz6VjyOmkx5i4",
      scheme: "sha256crypt"),
    Example(
      hash:
        "$6$rounds=1000$abcdefgh$nhYjN017qxiYztzyUpZtPnUQcnLy62KsunSLHNeLahp2EHPlAKmFFlrjEwSXGo2"
        + "kgY5hR2.peKEg2VGUqIJJu1", scheme: "sha512crypt"),
    Example(
      hash: "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", scheme: "bcrypt"),
    Example(
      hash: "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", password: "U*U",
      scheme: "bcrypt"),
  ]

  @Test func everyKindLetsItsPasswordInAndNoOther() throws {
    for example in Self.examples {
      let format = try #require(LegacyFormat(example.format), "\(example.format)")
      let legacy = try LegacyHash(
        parsing: example.hash, format: format, salt: Array(example.salt.utf8),
        account: AccountName("Anna"))
      let record = try PasswordHash.wrap(legacy: legacy, Self.current)
      #expect(record.scheme == example.scheme, "\(example.hash)")
      #expect(record.hash.hasPrefix("$argon2id$"))
      #expect(!record.hash.contains(example.hash) && !record.parameters.contains(example.hash))
      let right = Array(example.password.utf8)
      func verify(_ password: [UInt8]) throws -> PasswordHash.Verification {
        try PasswordHash.verify(password, record, current: Self.current)
      }
      #expect(try verify(right) == .rightButOutdated, "\(example.hash)")
      #expect(try verify(right + [0]) == .wrong, "\(example.hash)")
      #expect(try verify(right + [0x20]) == .wrong, "\(example.hash)")
      #expect(try verify([]) == .wrong, "\(example.hash)")
      #expect(try verify([UInt8](repeating: 0x61, count: 4096)) == .wrong, "\(example.hash)")
    }
  }

  @Test func argon2idOfOtherProgramsIsTakenOver() throws {
    let made = try PasswordHash.make(Array("secret".utf8), Self.current)
    let record = try PasswordHash.wrap(
      legacy: try LegacyHash(parsing: made.hash), PasswordParameters(opsLimit: 3))
    #expect(record == made)
  }

  @Test func whatIsNoHashIsNamed() throws {
    let md5 = "5ebe2294ecd0e0f08eab7690d2a6ee69"
    let table: [(String, String, String, LegacyHashError)] = [
      ("", "auto", "", .unknownKind),
      ("secret", "auto", "", .unknownKind),
      ("$2y$04$short", "auto", "", .unknownKind),
      ("$2y$31$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "auto", "", .unknownKind),
      (
        "$5$rounds=999999999$abcdefgh$XIppta5rT8zJUu4vAOKQXrwq9uY4Ijlz6VjyOmkx5i4", "auto", "",
        .unknownKind
      ),
      // What crypt itself would refuse at each login.
      ("$2y$+4$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "auto", "", .unknownKind),
      (
        "$5$rounds=+1000$abcdefgh$XIppta5rT8zJUu4vAOKQXrwq9uY4Ijlz6VjyOmkx5i4", "auto", "",
        .unknownKind
      ),
      ("$2y$04$abcd&fghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "auto", "", .unknownKind),
      ("$1$ab*defgh$cHJi5PXp/ki/ktXzqlk6I1", "auto", "", .unknownKind),
      ("$P$Zabcdefgh.ea/Jq6DyMvNR5r6PvYx91", "auto", "", .unknownKind),
      (md5, "auto", "x", .ambiguousWithSalt),
      (md5, "sha1", "", .notDigits(expected: 40)),
      (md5 + "g", "md5", "", .notDigits(expected: 32)),
      (md5, "vbulletin", "", .saltMissing),
      (md5, "md5", "x", .saltUnexpected),
      (md5, "smf", "", .notDigits(expected: 40)),
      ("$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/", "auto", "x", .saltUnexpected),
      (String(repeating: "a", count: 257), "auto", "", .tooLong),
      (md5, "vbulletin", String(repeating: "a", count: 65), .saltTooLong),
    ]
    for (hash, format, salt, expected) in table {
      let format = try #require(LegacyFormat(format))
      let error = #expect(throws: LegacyHashError.self, "\(hash)") {
        _ = try LegacyHash(parsing: hash, format: format, salt: Array(salt.utf8))
      }
      #expect(error == expected, "\(hash)")
      #expect(hash.isEmpty || error?.description.contains(hash) == false)
    }
    #expect(throws: LegacyHashError.accountMissing) {
      _ = try LegacyHash(
        parsing: "2e97a6f0c0759834e8fce72dfc4221191454dbb2", format: try #require(.init("smf")))
    }
  }

  @Test func formulasHaveOneText() throws {
    for preset in LegacyFormat.presets {
      let layout = try #require(LegacyLayout(preset.formula), "\(preset.name)")
      #expect(layout.description == preset.formula)
      #expect(LegacyFormat(preset.name)?.description == preset.formula)
    }
    #expect(LegacyFormat("md5: salt + password")?.description == "md5(salt+password)")
    for text in [
      "", "password", "md5(", "md5()", "md5(x)", "md5(password", "md5(password))",
      "md5(password+)", "md5raw(password)", "upper(password)", "md5('')", "md5('a b')x", "md5('a)",
      "md5(password)+salt", "rot13(password)",
      String(repeating: "md5(", count: 10) + "password" + String(repeating: ")", count: 10),
      "md5('" + String(repeating: "a", count: 200) + "')",
    ] {
      #expect(LegacyFormat(text) == nil, "\(text)")
    }
  }

  /// Goal: no text traps, and what is read writes itself back.
  @Test func changedTextsNeverTrap() throws {
    var random = SeededRandom(seed: 5)
    let formulas = LegacyFormat.presets.map(\.formula)
    for _ in 0..<5_000 {
      var text = Array(formulas.randomElement(using: &random)!.utf8)
      text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(
        in: 0x20...0x7e, using: &random)
      let changed = String(decoding: text, as: UTF8.self)
      if let layout = LegacyLayout(changed) { #expect(layout.description == changed) }
    }
    for _ in 0..<5_000 {
      var text = Array(Self.examples.randomElement(using: &random)!.hash.utf8)
      let at = Int.random(in: 0..<text.count, using: &random)
      if Bool.random(using: &random) {
        text[at] = UInt8.random(in: 0x20...0x7e, using: &random)
      } else {
        text.remove(at: at)
      }
      do throws(LegacyHashError) {
        let legacy = try LegacyHash(parsing: String(decoding: text, as: UTF8.self))
        #expect(LegacyMethod(parameters: legacy.method.parameters) == legacy.method)
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
  }
}
