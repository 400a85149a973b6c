internal import Auth
internal import Framing
internal import Gateway
internal import Primitives

/// The names of ``Auth/AuthenticationConfiguration/Kind`` and of having none.
private enum KindName: String, CaseIterable {
  case none, token, password, ticket, worker
}

extension GatehouseForm {
  private static let kinds = KindName.allCases.map { (name: $0.rawValue, value: $0) }

  /// Reads `[listener.auth]`; without it everybody is let in.
  ///
  /// - Parameter ready: the login that came with the framer, for a table that describes none.
  mutating func readAuthentication(
    _ listenerReader: inout TableReader, _ listener: inout ListenerConfiguration,
    ready: LoginDescription?
  ) {
    guard var reader = listenerReader.subtable("auth") else { return }
    let expected = list(Self.kinds.map { "\"\($0.name)\"" })
    let name = reader.takeRequired("kind", expected: expected)
      .flatMap { reader.choice("kind", $0, Self.kinds) }
    guard let name, name != .none else {
      // What belongs here depends on the kind.
      listenerReader.add(reader.finish(ignoresUnknown: true))
      if name != nil && reader.table.entries.count > 1 { warnOfNoAuthentication(reader) }
      return
    }
    let kind = readKind(name, &reader, listener)
    let isDescribed = loginKeys.contains { reader.table.entry($0) != nil }
    let described = readLogin(&reader)
    let login = isDescribed ? described : ready ?? described
    readLoginFramer(&reader, listenerReader, &listener)
    if let login { checkFields(of: login, for: name, &reader) }
    if let kind, let login {
      listener.authentication = readRest(
        &reader, AuthenticationConfiguration(kind: kind, login: login))
    } else {
      // The keys are checked all the same.
      _ = readRest(
        &reader, AuthenticationConfiguration(kind: .token, login: LoginDescription()))
    }
    listenerReader.add(reader.finish())
  }

  private mutating func warnOfNoAuthentication(_ reader: TableReader) {
    draft.warnings.append(
      ConfigurationProblem(
        at: reader.position(of: "kind"), key: reader.path(of: "kind"),
        "everybody is let in, and the other keys of this table mean nothing"))
  }

  private func readRest(
    _ reader: inout TableReader, _ authentication: AuthenticationConfiguration
  ) -> AuthenticationConfiguration {
    var result = authentication
    result.deadline = reader.duration(
      "deadline", Bounds.loginDeadline, default: result.deadline)
    result.forwardsFirstPacket = reader.boolean(
      "forward_first_packet", default: result.forwardsFirstPacket)
    result.duplicateLogin = reader.choice(
      "duplicate_login",
      AuthenticationConfiguration.DuplicateLogin.allCases.map { (name: $0.rawValue, value: $0) },
      default: result.duplicateLogin)
    if case .worker(_, let timeout) = result.kind, timeout > result.deadline {
      reader.note(
        "timeout", "it is longer than the deadline of the whole login",
        expected: "at most \(result.deadline.configured)")
    }
    return result
  }

  private mutating func readLoginFramer(
    _ reader: inout TableReader, _ listenerReader: TableReader,
    _ listener: inout ListenerConfiguration
  ) {
    let isGiven = reader.table.entry("framer") != nil
    let framer = framers.resolve("framer", of: &reader)
    guard !isGiven || framer != nil else { return }
    if isGiven, let framer {
      listener.loginFramer = framer.clientToServer
      checkLoginFramer(framer.clientToServer, &reader, listener)
    }
    guard (listener.loginFramer ?? listener.clientToServer) == .raw else { return }
    draft.warnings.append(
      ConfigurationProblem(
        at: isGiven ? reader.position(of: "framer") : reader.position,
        key: reader.path(of: "framer"),
        "with the raw framer the first packet is whatever arrives first, which may be half a login "
          + "or more than one packet"))
  }

  /// What can't be laid out together is better said here than when the listener is opened.
  private func checkLoginFramer(
    _ framer: Framer, _ reader: inout TableReader, _ listener: ListenerConfiguration
  ) {
    do throws(FramerDefinitionError) {
      _ = try CompiledFramer(listener.clientToServer, untilAuthenticated: framer)
    } catch {
      reader.noteUnfit(FramerDefinitionError(key: "framer", expected: error.expected))
    }
  }

  /// A kind that asks the store or checks a signature needs to be told what it is to check.
  private mutating func checkFields(
    of login: LoginDescription, for kind: KindName, _ reader: inout TableReader
  ) {
    let needed: [(target: LoginField.Target, name: String)]
    switch kind {
    case .none, .worker: needed = []
    case .token, .ticket: needed = [(.secret, kind.rawValue)]
    case .password: needed = [(.account, "account"), (.secret, "password")]
    }
    for (target, name) in needed where !login.gives(target) {
      reader.note(
        "packet", "no field of the login is the \(name), which kind = \"\(kind.rawValue)\" needs",
        expected: "a field with name = \"\(name)\"")
    }
  }

  // MARK: The kinds

  private mutating func readKind(
    _ name: KindName, _ reader: inout TableReader, _ listener: ListenerConfiguration
  ) -> AuthenticationConfiguration.Kind? {
    if name != .worker && draft.configuration.store == nil {
      reader.note(
        "kind", "\"\(name.rawValue)\" needs the store, which store.enabled switches off",
        expected: "\"worker\" or \"none\" without a store")
    }
    switch name {
    case .none: return nil
    case .token: return .token
    case .password: return .password
    case .ticket: return readTicket(&reader).map { .ticket($0) }
    case .worker: return readWorker(&reader, listener)
    }
  }

  private mutating func readWorker(
    _ reader: inout TableReader, _ listener: ListenerConfiguration
  ) -> AuthenticationConfiguration.Kind {
    let pool = readPool(&reader, unnamed: listener.pool)
    poolsAsked.append(pool)
    return .worker(
      pool: pool,
      timeout: reader.duration("timeout", Bounds.workerVerdictTimeout, default: .seconds(3)))
  }

  private func readTicket(_ reader: inout TableReader) -> TicketConfiguration? {
    let keys = readTicketKeys(&reader)
    _ = reader.takeRequired("audience", expected: "the name that tickets for this game carry")
    let audience = reader.text("audience", byteCount: Bounds.audienceBytes)
    var ticket = TicketConfiguration(keys: keys ?? [], audience: audience ?? "")
    let lifetime = reader.wholeDuration(
      "lifetime", Bounds.ticketLifetime, of: .seconds(1), "seconds",
      default: .seconds(UInt64(ticket.lifetimeSecondsMax)))
    ticket.lifetimeSecondsMax = Int64(lifetime.milliseconds / 1_000)
    ticket.singleUse = reader.boolean("single_use", default: ticket.singleUse)
    return keys == nil || audience == nil ? nil : ticket
  }

  /// Nil when something is wrong with one of them.
  private func readTicketKeys(_ reader: inout TableReader) -> [TicketConfiguration.Key]? {
    var readers = reader.subtables("keys", isRequired: true)
    if readers.count > Bounds.ticketKeys.upperBound {
      reader.note(
        "keys", "there are \(readers.count) keys",
        expected: "at most \(Bounds.ticketKeys.upperBound)")
      return nil
    }
    var keys: [TicketConfiguration.Key] = []
    for index in readers.indices {
      if let key = readTicketKey(&readers[index]) {
        if keys.contains(where: { $0.id == key.id }) {
          readers[index].note(
            "id", "another key has this id", expected: "an id of its own")
        }
        keys.append(key)
      }
      reader.add(readers[index].finish())
    }
    return keys.isEmpty || keys.count < readers.count ? nil : keys
  }

  private func readTicketKey(_ reader: inout TableReader) -> TicketConfiguration.Key? {
    let idExpected = "1 to 32 letters, digits, \"-\" or \"_\""
    _ = reader.takeRequired("id", expected: idExpected)
    var id = reader.text("id", byteCount: 1...64)
    if let text = id, !Ticket.isKeyName(text) {
      reader.note("id", "\"\(shown(text))\" is not a key's id", expected: idExpected)
      id = nil
    }
    let keyExpected = "an Ed25519 public key: 32 bytes in hexadecimal or base64"
    _ = reader.takeRequired("public_key", expected: keyExpected)
    guard let text = reader.text("public_key", byteCount: 1...128) else { return nil }
    guard let publicKey = ticketKeyBytes(text) else {
      // The text stays out of the message: it may be a secret key.
      reader.note(
        "public_key",
        text.hasPrefix(TicketKeyText.secretPrefix)
          ? "this is a secret key, which belongs to whoever signs" : "not 32 bytes",
        expected: keyExpected)
      return nil
    }
    return id.map { TicketConfiguration.Key(id: $0, publicKey: publicKey) }
  }
}

/// The 32 bytes of a public key in any of the ways it is written: Gatehouse's own text,
/// hexadecimal, or base64 in either alphabet, padded or not (RFC 4648 sections 4 and 5).
private func ticketKeyBytes(_ text: String) -> [UInt8]? {
  if let bytes = TicketKeyText.publicKey(text) { return bytes }
  if text.utf8.count == TicketKeyText.byteCount * 2 { return bytesOfHex(text) }
  let digits = text.utf8.map { digit -> UInt8 in
    switch digit {
    case UInt8(ascii: "+"): UInt8(ascii: "-")
    case UInt8(ascii: "/"): UInt8(ascii: "_")
    default: digit
    }
  }
  let unpadded = digits.last == UInt8(ascii: "=") ? digits.dropLast() : digits[...]
  guard let bytes = Base64URL.decode(unpadded), bytes.count == TicketKeyText.byteCount else {
    return nil
  }
  return bytes
}
