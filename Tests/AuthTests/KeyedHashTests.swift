import Primitives
import Testing

@testable import Auth

@Suite struct KeyedHashTests {
  /// Goal: this is SipHash-1-3: the authors' key, no input.
  @Test func theAlgorithmIsTheAuthors() {
    var state = KeyedHash.State(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    #expect(state.finish(last: 0) == 0xabac_0158_050f_c4dc)
  }

  @Test func everyBitOfAPrefixAndTheSeedCounts() throws {
    let start = try #require(AddressPrefix(text: "2001:db8::7"))
    var hashes: Set<UInt64> = [KeyedHash(seed: 1)(start), KeyedHash(seed: 2)(start)]
    for bit in 0..<128 {
      var bytes = start.bytes
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      hashes.insert(KeyedHash(seed: 1)(AddressPrefix(bytes, bitCount: 128)))
    }
    for bitCount in UInt8(0)...127 {
      hashes.insert(KeyedHash(seed: 1)(AddressPrefix(start.bytes, bitCount: bitCount)))
    }
    #expect(hashes.count == 2 + 128 + 128)
  }

  @Test func accountsHashAsTheyCompare() throws {
    let hash = KeyedHash(seed: 1)
    var hashes: Set<UInt64> = []
    for length in 1...AccountName.byteCountMax {
      let name = try #require(AccountName(String(repeating: "A", count: length)))
      let same = try #require(AccountName(String(repeating: "a", count: length)))
      #expect(hash(name) == hash(same))
      #expect(hash(.account(name)) == hash(name))
      hashes.insert(hash(name))
    }
    #expect(hashes.count == AccountName.byteCountMax)
  }
}
