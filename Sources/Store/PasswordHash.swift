internal import CSodium
internal import Glibc
internal import Synchronization

/// What one password's Argon2id costs (RFC 9106, which calls them passes and memory).
public struct PasswordParameters: Equatable, Sendable {
  /// Passes over the memory that ``init(opsLimit:memoryBytes:)`` takes.
  public static let opsLimits: ClosedRange<UInt64> = 1...64
  /// Memory in bytes that ``init(opsLimit:memoryBytes:)`` takes: 8 KiB to 1 GiB.
  public static let memoryLimits: ClosedRange<Int> = (8 << 10)...(1 << 30)

  /// Passes over the memory.
  public let opsLimit: UInt64
  /// Memory for one hash, in bytes.
  public let memoryBytes: Int

  /// - Precondition: both are within ``opsLimits`` and ``memoryLimits``.
  public init(opsLimit: UInt64 = 2, memoryBytes: Int = 64 << 20) {
    precondition(Self.opsLimits.contains(opsLimit) && Self.memoryLimits.contains(memoryBytes))
    self.init(uncheckedOpsLimit: opsLimit, memoryBytes: memoryBytes)
  }

  init(uncheckedOpsLimit opsLimit: UInt64, memoryBytes: Int) {
    self.opsLimit = opsLimit
    self.memoryBytes = memoryBytes
  }
}

/// Makes and checks what is kept instead of a password.
///
/// All of it takes long and much memory on purpose (see ``PasswordParameters``): not for a thread
/// that anybody waits for.
public enum PasswordHash {
  /// The scheme's name of a record that is a password's own Argon2id.
  public static let scheme = "argon2id"
  /// The longest password, in bytes.
  public static let passwordByteCountMax = 4096

  public enum Verification: Equatable, Sendable {
    case wrong
    case right
    /// Right; the record was made with other parameters or of a legacy hash, and should be replaced
    /// with a new one.
    case rightButOutdated
  }

  /// - Throws: ``StoreError/cryptography(_:)`` without the memory, or for a longer password.
  public static func make(
    _ password: [UInt8], _ parameters: PasswordParameters
  ) throws(StoreError) -> PasswordRecord {
    guard password.count <= passwordByteCountMax else {
      throw .cryptography("a password has at most \(passwordByteCountMax) bytes")
    }
    return PasswordRecord(scheme: scheme, parameters: "", hash: try argon2id(password, parameters))
  }

  /// A record for someone whose password only a legacy hash is known of.
  ///
  /// What is kept is Argon2id over the legacy hash's text: stolen, it is no easier to try passwords
  /// against than any other. An Argon2id text is kept as it is.
  ///
  /// - Throws: ``StoreError/cryptography(_:)`` without the memory.
  public static func wrap(
    legacy: LegacyHash, _ parameters: PasswordParameters
  ) throws(StoreError) -> PasswordRecord {
    if legacy.method == .argon2id {
      let hash = String(decoding: legacy.text, as: UTF8.self)
      return PasswordRecord(scheme: scheme, parameters: "", hash: hash)
    }
    return PasswordRecord(
      scheme: legacy.method.scheme, parameters: legacy.method.parameters,
      hash: try argon2id(legacy.text, parameters))
  }

  /// - Parameter current: what new records are made with.
  /// - Throws: ``StoreError/cryptography(_:)`` without the memory, or for a record that is none.
  public static func verify(
    _ password: [UInt8], _ record: PasswordRecord, current: PasswordParameters
  ) throws(StoreError) -> Verification {
    guard password.count <= passwordByteCountMax else { return .wrong }
    if record.scheme == scheme {
      guard try isRight(password, record.hash) else { return .wrong }
      return try isOutdated(record.hash, current) ? .rightButOutdated : .right
    }
    guard let method = LegacyMethod(parameters: record.parameters) else {
      throw unusable("\(record.scheme) with unknown parameters")
    }
    // What the method can't have hashed is hashed all the same, for the time that it takes.
    var text = try method.text(of: password) ?? []
    defer { SecretBytes.wipe(&text) }
    let isRight = try isRight(text, record.hash)
    return isRight && !text.isEmpty ? .rightButOutdated : .wrong
  }

  /// Takes as long as the check of a wrong password; for accounts that don't exist.
  ///
  /// - Throws: ``StoreError/cryptography(_:)`` without the memory.
  public static func verifyNobody(
    _ password: [UInt8], current: PasswordParameters
  ) throws(StoreError) {
    guard password.count <= passwordByteCountMax else { return }
    _ = try isRight(password, try nobodysHash(current))
  }

  /// The last hash of a password that nobody knows.
  private static let nobody = Mutex<(parameters: PasswordParameters, hash: String)?>(nil)

  private static func nobodysHash(_ current: PasswordParameters) throws(StoreError) -> String {
    if let known = nobody.withLock({ $0 }), known.parameters == current { return known.hash }
    let hash = try argon2id(Sodium.randomBytes(32), current)
    nobody.withLock { $0 = (current, hash) }
    return hash
  }

  private static func argon2id(
    _ secret: [UInt8], _ parameters: PasswordParameters
  ) throws(StoreError) -> String {
    Sodium.prepare()
    var text = [CChar](repeating: 0, count: Int(crypto_pwhash_argon2id_STRBYTES))
    // SAFETY: `text` has the size that the function fills; the secret's length is its own.
    var characters = secret.map { CChar(bitPattern: $0) }
    defer { SecretBytes.wipe(&characters) }
    let code = unsafe crypto_pwhash_argon2id_str(
      &text, characters, UInt64(characters.count), parameters.opsLimit, parameters.memoryBytes)
    guard code == 0 else { throw noMemory(parameters.memoryBytes) }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func isRight(_ secret: [UInt8], _ hash: String) throws(StoreError) -> Bool {
    Sodium.prepare()
    let text = try padded(hash)
    var characters = secret.map { CChar(bitPattern: $0) }
    defer { SecretBytes.wipe(&characters) }
    errno = 0
    // SAFETY: `text` has the size that the function reads and ends with zero.
    let code = unsafe crypto_pwhash_argon2id_str_verify(
      text, characters, UInt64(characters.count))
    let problem = errno
    if code == 0 { return true }
    switch problem {
    // libsodium's word for a mismatch.
    case EINVAL: return false
    case ENOMEM: throw noMemory(Argon2idText(hash)?.memoryBytes ?? 0)
    default: throw unusable("an Argon2id text that libsodium does not read")
    }
  }

  private static func noMemory(_ bytes: Int) -> StoreError {
    .cryptography(
      "there are no \(bytes >> 10) KiB of memory for one password's hash; give the gateway more"
        + " memory, or lower the memory or the threads for passwords")
  }

  private static func unusable(_ what: String) -> StoreError {
    .cryptography("an account's stored password is \(what); set it anew")
  }

  private static func isOutdated(
    _ hash: String, _ current: PasswordParameters
  ) throws(StoreError) -> Bool {
    let text = try padded(hash)
    // SAFETY: as above.
    return unsafe crypto_pwhash_argon2id_str_needs_rehash(
      text, current.opsLimit, current.memoryBytes) != 0
  }

  /// The hash's text, filled up with zeroes.
  private static func padded(_ hash: String) throws(StoreError) -> [CChar] {
    let size = Int(crypto_pwhash_argon2id_STRBYTES)
    guard hash.utf8.count < size, let costs = Argon2idText(hash), costs.isAffordable
    else { throw unusable("an Argon2id text without sensible costs") }
    let text = hash.utf8.map { CChar(bitPattern: $0) }
    return text + [CChar](repeating: 0, count: size - text.count)
  }
}

/// What an encoded Argon2id says it costs: a record that came from elsewhere could ask for any
/// memory.
struct Argon2idText {
  var memoryBytes: Int
  var opsLimit: UInt64

  /// Whether the costs are such as ``PasswordParameters`` can have.
  var isAffordable: Bool {
    memoryBytes <= PasswordParameters.memoryLimits.upperBound
      && opsLimit <= PasswordParameters.opsLimits.upperBound
  }

  /// - Returns: nil unless the text begins as `$argon2id$v=19$m=65536,t=2,p=1$` and goes on with a
  ///   salt of 16 bytes and a hash of 32.
  init?(_ text: String) {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id" else { return nil }
    let costs = parts[3].split(separator: ",")
    guard parts[4].utf8.count == 22, parts[5].utf8.count == 43, costs.count == 3,
      costs[0].hasPrefix("m="), costs[1].hasPrefix("t="), costs[2] == "p=1",
      let kibibytes = UInt32(costs[0].dropFirst(2)), let passes = UInt32(costs[1].dropFirst(2))
    else { return nil }
    memoryBytes = Int(kibibytes) << 10
    opsLimit = UInt64(passes)
  }
}
