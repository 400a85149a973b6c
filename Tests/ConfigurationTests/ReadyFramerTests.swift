import Auth
import Foundation
import Framing
import Testing

@testable import Configuration

/// Goal: every definition in framers/ is complete, and cuts its vectors at the same places wherever
/// the network cuts the stream.
@Suite struct ReadyFramerTests {
  private static let names: [String] = {
    let folder = packageFolder.appendingPathComponent("framers")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.compactMap { FramerLibrary.File.name(ofFile: $0) }.sorted()
  }()

  private struct Refused: Error { var problems: [String] }

  private func definition(_ name: String) throws -> FramerDefinition {
    let path = "framers/\(name).toml"
    let file = FramerLibrary.File(name: name, path: path, text: Array(try contents(of: path).utf8))
    switch FramerDefinition.load(file, loadPlugin: FramerSources.none.loadPlugin) {
    case .success(let definition): return definition
    case .failure(let failure): throw Refused(problems: failure.problems.map(\.description))
    }
  }

  @Test func thereAreManyAndAllFilesAreDefinitions() throws {
    #expect(Self.names.count >= 25)
    let files = try FileManager.default.contentsOfDirectory(
      atPath: packageFolder.appendingPathComponent("framers").path)
    #expect(Set(files) == Set(Self.names.map { $0 + ".toml" } + ["README.md"]))
  }

  @Test(arguments: names)
  func itSaysWhatItIsAndShowsEachDirection(name: String) throws {
    let definition = try definition(name)
    #expect(!definition.title.isEmpty && !definition.sources.isEmpty)
    #expect(definition.sources.allSatisfy { $0.count >= 8 })
    let framed = [
      (FramerVector.Direction.clientToServer, definition.clientToServer),
      (.serverToClient, definition.serverToClient ?? .raw),
    ]
    #expect(framed.contains { $0.1 != .raw })
    for (direction, framer) in framed where framer != .raw {
      let vectors = definition.vectors.filter { $0.direction == direction }
      #expect(!vectors.isEmpty, "\(direction)")
      #expect(vectors.contains { !$0.packets.isEmpty }, "\(direction): nothing is cut")
    }
    let isShown = try contents(of: "framers/README.md").contains("`\(name)`")
    #expect(isShown, "README.md does not list it")
  }

  // MARK: Vectors

  /// What came of a vector's stream.
  private struct Cut: Equatable {
    var packets: [[UInt8]] = []
    var rest: [UInt8] = []
    var violation: String?
  }

  /// Shows the framer a stream that has come as far as each of `ends`, the last one being all.
  private func cut(
    _ stream: [UInt8], _ compiled: CompiledFramer, letInAfter: Int?, ends: [Int]
  ) -> Cut {
    var cut = Cut()
    var raw: [UInt8] = []
    var state = FramerState()
    var (front, wanted) = (0, 1)
    if letInAfter == 0 { compiled.cutter.authenticated(&state) }
    reading: for end in ends {
      while end - front >= wanted {
        let step = stream.withUnsafeBytes {
          compiled.cutter.step(UnsafeRawBufferPointer(rebasing: $0[front..<end]), &state)
        }
        switch step {
        case .packet(let byteCount, let dropped):
          if compiled.cutter.isRaw(state) {
            raw += stream[front..<(front + byteCount)]
          } else {
            cut.packets.append(Array(stream[front..<(front + byteCount - dropped)]))
          }
          compiled.cutter.took(&state)
          (front, wanted) = (front + byteCount, 1)
          if cut.packets.count == letInAfter { compiled.cutter.authenticated(&state) }
        case .needMore(let total): wanted = total
        case .needAnyMore: wanted = end - front + 1
        case .violation(let violation):
          cut.violation = violation.name
          break reading
        }
      }
    }
    // Bytes that nobody cuts stand in a vector as its last packet.
    if !raw.isEmpty { cut.packets.append(raw) }
    cut.rest = Array(stream[front...])
    return cut
  }

  /// Whole, byte by byte, in two at every place, and in 200 ways at random.
  private func splits(of count: Int, seed: UInt64) -> [[Int]] {
    var random = Seeded(state: seed)
    let places =
      count <= 1_000
      ? Array(1..<max(count, 2))
      : (0..<300).map { _ in
        Int.random(in: 1..<count, using: &random)
      }
    return [[count], Array(1...max(count, 1))] + places.map { [$0, count] }
      + (0..<200).map { _ in
        let cuts = (0..<Int.random(in: 1...9, using: &random)).map { _ in
          Int.random(in: 0..<max(count, 1), using: &random)
        }
        return cuts.sorted() + [count]
      }
  }

  /// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
  private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }

  @Test(arguments: names)
  func itsVectorsHoldInEverySplit(name: String) throws {
    let definition = try definition(name)
    for (number, vector) in definition.vectors.enumerated() {
      let framer =
        vector.direction == .clientToServer
        ? definition.clientToServer : definition.serverToClient ?? .raw
      let compiled = try CompiledFramer(framer)
      let stream = vector.packets.flatMap { $0 } + vector.rest
      let expected = Cut(packets: vector.packets, rest: vector.rest, violation: vector.violation)
      for ends in splits(of: stream.count, seed: UInt64(number)) {
        let found = withExtendedLifetime(compiled) {
          cut(stream, compiled, letInAfter: vector.authenticatedAfter, ends: ends)
        }
        guard found != expected else { continue }
        Issue.record("\(vector.name), come as far as \(ends.prefix(12)): \(found)")
        break
      }
    }
  }

  @Test(arguments: names)
  func itsLoginsAreRead(name: String) throws {
    let definition = try definition(name)
    let logins = definition.vectors.filter { !$0.login.isEmpty }
    guard let description = definition.login else {
      #expect(logins.isEmpty, "there is no [login]")
      return
    }
    // Some answer questions only: who somebody is differs from game to game.
    let isRead = description.parts.contains { !$0.fields.isEmpty }
    #expect(logins.isEmpty != isRead, "a vector shows the login, if there is one")
    for vector in logins {
      guard let credentials = credentials(vector.packets, description) else {
        Issue.record("\(vector.name): no identity is found")
        continue
      }
      for (field, value) in vector.login {
        #expect(credentials.shows(value, as: field), "\(vector.name): \(field), \(credentials)")
      }
      let others = vector.login.keys.count { $0 != "account" }
      let secrets = credentials.secret.isEmpty ? 0 : 1
      #expect(credentials.attributes.count + secrets == others, "\(vector.name)")
    }
  }

  private func credentials(
    _ packets: [[UInt8]], _ description: LoginDescription
  ) -> Credentials? {
    var progress = LoginProgress()
    for packet in packets {
      switch packet.withUnsafeBytes({ progress.take($0, of: description) }).next {
      case .more: continue
      case .complete(let credentials): return credentials
      case .close, .fault: return nil
      }
    }
    return nil
  }
}

extension Credentials {
  /// Whether a field was read as a vector says it: as text, or in hexadecimal.
  fileprivate func shows(_ value: String, as field: String) -> Bool {
    switch field {
    case "account": return account == value
    case "secret", "password", "token", "ticket":
      let digits = secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      return Array(value.utf8) == secret || value.lowercased() == digits
    default: return attributes.contains { $0.name == field && $0.value == value }
    }
  }
}
