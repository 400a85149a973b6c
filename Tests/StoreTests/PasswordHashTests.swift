import Testing

@testable import Store

@Suite struct PasswordHashTests {
  static let cheap = PasswordParameters(opsLimit: 1, memoryBytes: 8 << 10)
  private static let dearer = PasswordParameters(opsLimit: 2, memoryBytes: 16 << 10)

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func aPasswordIsToldFromOthers() throws {
    let record = try PasswordHash.make(bytes("secret"), Self.cheap)
    #expect(record.scheme == "argon2id")
    #expect(record.hash.hasPrefix("$argon2id$v=19$m=8,t=1,p=1$"))
    #expect(try PasswordHash.verify(bytes("secret"), record, current: Self.cheap) == .right)
    for other in ["", "secre", "secret\0", "Secret"] {
      #expect(try PasswordHash.verify(bytes(other), record, current: Self.cheap) == .wrong)
    }
    let again = try PasswordHash.make(bytes("secret"), Self.cheap)
    #expect(again.hash != record.hash)
  }

  @Test func anyBytesMakeAPassword() throws {
    for password: [UInt8] in [[], [0], [0xff, 0, 0x80], [UInt8](repeating: 1, count: 4096)] {
      let record = try PasswordHash.make(password, Self.cheap)
      #expect(try PasswordHash.verify(password, record, current: Self.cheap) == .right)
      #expect(try PasswordHash.verify(password + [1], record, current: Self.cheap) == .wrong)
    }
    let tooLong = [UInt8](repeating: 1, count: 4097)
    #expect(throws: StoreError.self) { _ = try PasswordHash.make(tooLong, Self.cheap) }
  }

  @Test func otherParametersMakeARecordOutdated() throws {
    let record = try PasswordHash.make(bytes("secret"), Self.cheap)
    let verification = try PasswordHash.verify(bytes("secret"), record, current: Self.dearer)
    #expect(verification == .rightButOutdated)
    #expect(try PasswordHash.verify(bytes("wrong"), record, current: Self.dearer) == .wrong)
  }

  /// Goal: a lack of memory is not taken for a wrong password, or a right one.
  ///
  /// Method: four tebibytes, which no system gives.
  @Test func aLackOfMemoryIsAnError() throws {
    let endless = PasswordParameters(uncheckedOpsLimit: 1, memoryBytes: 4_398_046_510_080)
    let error = #expect(throws: StoreError.self) {
      _ = try PasswordHash.make(bytes("secret"), endless)
    }
    #expect(error?.description.contains("memory") == true)
  }

  @Test func brokenRecordsAreErrors() throws {
    let good = try PasswordHash.make(bytes("secret"), Self.cheap)
    let hashes = [
      "", "x", "$argon2id$v=19$m=8,t=1,p=1$", "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
      String(good.hash.dropLast(20)), good.hash + String(repeating: "A", count: 60),
      // What would take 4 GiB, or a day.
      good.hash.replacing("m=8,", with: "m=4194304,"), good.hash.replacing("t=1,", with: "t=999,"),
    ]
    for hash in hashes {
      let record = PasswordRecord(scheme: "argon2id", parameters: "", hash: hash)
      #expect(throws: StoreError.self, "\(hash)") {
        _ = try PasswordHash.verify(bytes("secret"), record, current: Self.cheap)
      }
    }
    let unknown = PasswordRecord(scheme: "rot13", parameters: "rot13 - -", hash: good.hash)
    #expect(throws: StoreError.self) {
      _ = try PasswordHash.verify(bytes("secret"), unknown, current: Self.cheap)
    }
  }

  @Test func nobodysPasswordIsHashedToo() throws {
    try PasswordHash.verifyNobody(bytes("secret"), current: Self.cheap)
    try PasswordHash.verifyNobody(bytes("secret"), current: Self.dearer)
  }
}

@Suite struct SecretBytesTests {
  @Test func wipedBytesAreGone() {
    var secret: [UInt8] = [1, 2, 3]
    SecretBytes.wipe(&secret)
    #expect(secret.isEmpty)
    SecretBytes.wipe(&secret)
  }

  @Test func comparisonSeesLengthsAndBytes() {
    #expect(SecretBytes.areEqual([], []))
    #expect(SecretBytes.areEqual([1, 2], [1, 2]))
    #expect(!SecretBytes.areEqual([1, 2], [1, 3]))
    #expect(!SecretBytes.areEqual([1, 2], [1]))
  }
}
