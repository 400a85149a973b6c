import CCrypt

@testable import Auth
@testable import Store

/// Goal: a list of accounts gives the same however it is cut into pieces, and each hash that is
/// taken can be stored, read again and asked for a password.
enum LegacyListFuzzer {
  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let form = input.pick(LegacyList.Form.allCases)
    let format = format(String(decoding: input.bytes(255), as: UTF8.self))
    let sizes = input.bytes(4).map { Int($0) }
    let file = input.remaining(runsFrom: LegacyList.lineByteCountMax - 16)
    let whole = results(form, format, [file])
    check(
      results(form, format, pieces(of: file, sizes: sizes)) == whole,
      "pieces give another result")
    var line = 0
    for result in whole {
      switch result {
      case .success(let entry):
        check(entry.line > line, "line \(entry.line) behind line \(line)")
        checkHash(entry.hash, isFirst: line == 0)
        line = entry.line
      case .failure(let error):
        check(error.line > line, "line \(error.line) behind line \(line)")
        line = error.line
        check(isPrintable(error.description), "the problem spoils a terminal")
      }
    }
    check(line <= file.count { $0 == 0x0a } + 1, "there is no line \(line)")
  }

  /// A format's description names the same format.
  private static func format(_ text: String) -> LegacyFormat {
    guard let format = LegacyFormat(text) else { return .automatic }
    check(LegacyFormat(format.description) == format, "\(format) is another format")
    return format
  }

  private static func results(
    _ form: LegacyList.Form, _ format: LegacyFormat, _ pieces: [[UInt8]]
  ) -> [Result<LegacyList.Entry, LegacyListError>] {
    var list = LegacyList(form: form, format: format)
    var results: [Result<LegacyList.Entry, LegacyListError>] = []
    func take() {
      while list.canGoOn {
        do throws(LegacyListError) {
          guard let entry = try list.next() else { return }
          results.append(.success(entry))
        } catch {
          results.append(.failure(error))
        }
      }
    }
    for piece in pieces {
      list.add(piece)
      take()
      guard list.canGoOn else { return results }
    }
    list.end()
    take()
    return results
  }

  private static func checkHash(_ hash: LegacyHash, isFirst: Bool) {
    check(hash.text.count <= LegacyHash.textByteCountMax, "a hash of \(hash.text.count) bytes")
    switch hash.method {
    case .argon2id: return
    case .crypt(let setting):
      // The dear ones would take the time of all others, and so would many cheap ones.
      let isCheap = ["$1$", "$2a$04$", "$2y$04$", "$5$rounds=1000$", "$6$rounds=1000$"]
        .contains { setting.hasPrefix($0) }
      check(crypt_checksalt(setting) != CRYPT_SALT_INVALID, "crypt does not know \(setting)")
      if isCheap, isFirst {
        check((try? hash.method.text(of: [97])) != nil, "\(setting) is no setting")
      }
    case .layout, .apache:
      let text = try? hash.method.text(of: Array("password".utf8))
      check(text?.count == hash.text.count, "no password can have this hash")
    // Up to two to the thirtieth rounds.
    case .portable: break
    }
    check(
      LegacyMethod(parameters: hash.method.parameters) == hash.method,
      "\(hash.method.parameters) is read as another method")
  }
}
