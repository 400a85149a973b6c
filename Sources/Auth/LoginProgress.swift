/// How far one client's identity has come.
public struct LoginProgress: Equatable, Sendable {
  /// Packets it was given.
  public private(set) var packets: Int32 = 0
  /// Their bytes.
  public private(set) var bytes: Int32 = 0
  /// The parts that have come: a bit for each.
  private var taken: UInt32 = 0
  /// What the parts gave so far; nil as long as it is nothing.
  private var credentials: Credentials?

  public init() {}

  /// Takes the next packet of the client, whole, as the framer cut it.
  ///
  /// Not to be called again once a step was complete, a fault or the end.
  ///
  /// - Parameter description: the same for all packets of the client.
  public mutating func take(
    _ packet: UnsafeRawBufferPointer, of description: LoginDescription
  ) -> LoginStep {
    // Counted before anything is read or kept, so that the budget bounds the work, too.
    guard Int(packets) < description.packetsMax, packets < .max else {
      return fault(.tooManyPackets)
    }
    guard packet.count <= Int(Int32.max - bytes),
      Int(bytes) + packet.count <= description.bytesMax
    else { return fault(.tooManyBytes) }
    packets += 1
    bytes += Int32(packet.count)
    let bytes = unsafe [UInt8](packet)
    guard description.isTelnet else { return take(bytes, of: description) }
    let data = TelnetCommands.stripped(from: bytes)
    if data.isEmpty && !bytes.isEmpty {
      return LoginStep(description.before == .forward ? .forward : .hold)
    }
    return take(data, of: description)
  }

  private mutating func take(_ packet: [UInt8], of description: LoginDescription) -> LoginStep {
    for answer in description.answers {
      guard case .packet(let match) = answer.question, match.hold(for: packet) else { continue }
      return LoginStep(
        .consume, reply: answer.reply, next: answer.then == .close ? .close : .more)
    }
    if let index = part(for: packet, of: description) {
      return takePart(index, packet, of: description)
    }
    return without(packet, of: description)
  }

  private func has(_ part: Int) -> Bool { taken & 1 << UInt32(part) != 0 }

  /// The part that the packet is; nil when it is none.
  private func part(for packet: [UInt8], of description: LoginDescription) -> Int? {
    let lastTaken = UInt32.bitWidth - 1 - taken.leadingZeroBitCount
    for (index, part) in description.parts.enumerated() where !has(index) {
      if description.isOrdered && index < lastTaken { continue }
      if part.fits(packet, number: Int(packets)) { return index }
      if description.isOrdered && !part.isOptional { return nil }
    }
    return nil
  }

  private mutating func takePart(
    _ index: Int, _ packet: [UInt8], of description: LoginDescription
  ) -> LoginStep {
    let part = description.parts[index]
    taken |= 1 << UInt32(index)
    var credentials = credentials ?? Credentials()
    do throws(LoginExtraction.Failure) {
      try LoginExtraction(packet).take(part.fields, into: &credentials)
    } catch {
      return fault(error.fault, field: error.field)
    }
    let isComplete = description.parts.indices.allSatisfy {
      has($0) || description.parts[$0].isOptional
    }
    guard isComplete else {
      if hasMissed(description) { return fault(.unexpectedPacket) }
      self.credentials = credentials
      return LoginStep(.identity, reply: part.reply)
    }
    self.credentials = nil
    credentials.sortAttributes(as: description)
    return LoginStep(.identity, reply: part.reply, next: .complete(credentials))
  }

  /// A packet that is no part.
  private mutating func without(_ packet: [UInt8], of description: LoginDescription) -> LoginStep {
    // A name that is sent anew would be checked by nobody and seen by the worker.
    let isRepeated = description.parts.enumerated().contains { index, part in
      has(index) && part.packet == .firstMatch && !part.match.isEmpty
        && part.match.hold(for: packet)
    }
    if isRepeated { return fault(.repeatedPacket) }
    if hasMissed(description) { return fault(.unexpectedPacket) }
    switch description.before {
    case .hold: return LoginStep(.hold)
    case .forward: return LoginStep(.forward)
    case .refuse: return fault(.unexpectedPacket)
    }
  }

  /// Whether a part can't come any more, as its place went to another packet.
  private func hasMissed(_ description: LoginDescription) -> Bool {
    description.parts.enumerated().contains { index, part in
      guard case .ordinal(let number) = part.packet else { return false }
      return number <= Int(packets) && !has(index) && !part.isOptional
    }
  }

  private mutating func fault(_ fault: LoginFault, field: String? = nil) -> LoginStep {
    credentials = nil
    return LoginStep(.consume, next: .fault(fault), field: field)
  }
}

extension LoginPart {
  func fits(_ packet: [UInt8], number: Int) -> Bool {
    switch self.packet {
    case .firstMatch: break
    case .ordinal(let wanted): guard wanted == number else { return false }
    }
    return match.hold(for: packet)
  }
}

extension [LoginCondition] {
  func hold(for packet: [UInt8]) -> Bool { allSatisfy { $0.holds(for: packet) } }
}

extension Credentials {
  /// Brings the attributes in the order in which a description names them.
  fileprivate mutating func sortAttributes(as description: LoginDescription) {
    guard attributes.count > 1 else { return }
    var sorted: [Attribute] = []
    for field in description.parts.lazy.flatMap(\.fields) {
      guard case .attribute(let name) = field.target,
        !sorted.contains(where: { $0.name == name }),
        let attribute = attributes.first(where: { $0.name == name })
      else { continue }
      sorted.append(attribute)
    }
    attributes = sorted
  }
}
