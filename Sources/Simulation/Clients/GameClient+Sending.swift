internal import Primitives

/// What a client says, and how it gets into the network.
extension GameClient {
  /// More does not wait to be written: a client that is not read says less.
  private static let outputBytesMax = 128 << 10

  // MARK: The login

  func logIn() {
    guard !stay!.isFinished else { return }
    switch stay!.plan.login {
    case .none: startPlaying()
    case .claim(let credential):
      let login = game.login!
      for _ in 0..<login.prelude { sendPacket() }
      let number = stay!.nextPacket
      say(
        packet: number,
        game.form.login(visit: stay!.visit, number: number, credential))
      if stay!.plan.trickles { stay!.tricklingByteCount = stay!.output.count }
      flush()
      startPlaying()
    case .silence:
      stay!.isFinished = true
      remind(.giveUp, after: Self.farewellTimeout)
    case .garbage:
      stay!.isFinished = true
      remind(.giveUp, after: Self.farewellTimeout)
      sendViolation()
    case .question:
      stay!.isFinished = true
      remind(.giveUp, after: Self.farewellTimeout)
      simulation.oracle.willViolate(stay!.visit)
      stay!.hasViolated = true
      let shape = game.form.shape(ofPacket: 0)
      let stamp = Stamp(kind: .question, visit: UInt32(stay!.visit), number: 0)
      append(shape.question(stamp))
      flush()
    }
  }

  private func startPlaying() {
    stay!.hasLoggedIn = true
    let delay =
      stay!.plan.isEager
      ? Interval.zero : random.draw(Interval.milliseconds(100)...Interval.milliseconds(1500))
    remind(.play, after: delay)
  }

  // MARK: Playing

  /// A burst of packets, and then another one.
  func play() {
    guard !stay!.isFinished, simulation.elapsed < .milliseconds(UInt64(scenario.milliseconds))
    else { return }
    let most = max(scenario.burstPackets, 1) * (stay!.plan.floods ? 10 : 1)
    let mean = Interval.milliseconds(UInt64(max(scenario.packetMilliseconds, 1)))
    for _ in 0..<random.draw(1...most) {
      guard stay!.output.count - stay!.written < Self.outputBytesMax else { break }
      sendPacket()
    }
    flush()
    remind(.play, after: random.exponential(mean: stay!.plan.floods ? mean / 4 : mean))
  }

  /// One more packet, or so many more bytes of a raw stream.
  func sendPacket() {
    let number = stay!.nextPacket
    let shape = game.form.shape(ofPacket: number)
    let isLong = random.chance(scenario.longPacketPermille)
    let longest = isLong ? shape.byteCounts.upperBound : max(scenario.packetBytes, 1)
    let byteCount = random.draw(1...longest)
    guard shape == .raw else {
      return say(
        packet: number,
        game.form.packet(visit: stay!.visit, number: number, byteCount: byteCount))
    }
    simulation.oracle.willSend(stay!.visit, rawByteCount: byteCount)
    append(
      game.form.rawBytes(visit: stay!.visit, from: stay!.rawByteCount, count: byteCount))
    stay!.rawByteCount += byteCount
  }

  private func say(packet number: Int, _ bytes: [UInt8]) {
    simulation.trace.note("client sends", self.number, stay!.visit, number)
    simulation.oracle.willSend(stay!.visit, packet: number)
    stay!.nextPacket += 1
    append(bytes)
  }

  // MARK: Misbehaving

  /// The front of a packet whose rest never comes.
  func sendHalfPacket() {
    let number = stay!.nextPacket
    guard game.form.shape(ofPacket: number) != .raw, stay!.hasLoggedIn else { return }
    let packet = game.form.packet(
      visit: stay!.visit, number: number, byteCount: random.draw(20...400))
    append(packet.prefix(random.draw(1...packet.count - 1)))
    flush()
  }

  /// Something that the game's form does not allow, and some noise behind it.
  func sendViolation() {
    let shape = game.form.shape(ofPacket: stay!.nextPacket)
    guard shape != .raw else { return }
    simulation.oracle.willViolate(stay!.visit)
    simulation.trace.note("client violates", number, stay!.visit)
    stay!.hasViolated = true
    append(shape.violation(&random))
    append((0..<random.draw(0...100)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    flush()
  }

  // MARK: Writing

  private func append(_ bytes: some Collection<UInt8>) {
    stay!.output.append(contentsOf: bytes)
  }

  /// Writes what waits, as far as the network takes it, and ends the direction behind the last of
  /// it when that is wanted.
  func flush() {
    while let stay, stay.isConnected, !stay.hasEnded, !stay.pausesWriting {
      let waiting = stay.output.count - stay.written
      guard waiting > 0 else { return endIfWanted() }
      let count = writeByteCount(waiting)
      let written = simulation.network.write(
        stay.output[stay.written..<stay.written + count], on: stay.connection, from: .peer)
      // Broken, which reading tells; not now, as nobody expects to be gone behind what it says.
      guard written >= 0 else { return planReading(after: .zero) }
      wrote(written)
      // The network is full: it says when there is room.
      guard written == count else { return }
      if count < waiting { pauseWriting() }
    }
  }

  /// How much the next write is for: all that waits, or a part that ends anywhere.
  private func writeByteCount(_ waiting: Int) -> Int {
    if stay!.tricklingByteCount > 0 { return 1 }
    guard random.chance(scenario.cutWritePermille) else { return waiting }
    return random.draw(1...waiting)
  }

  private func wrote(_ byteCount: Int) {
    stay!.written += byteCount
    stay!.tricklingByteCount = max(0, stay!.tricklingByteCount - byteCount)
    guard stay!.written == stay!.output.count else { return }
    stay!.output.removeAll(keepingCapacity: true)
    stay!.written = 0
  }

  private func pauseWriting() {
    stay!.pausesWriting = true
    remind(.write, after: random.draw(Interval.milliseconds(1)...Interval.milliseconds(30)))
  }

  private func endIfWanted() {
    guard stay!.isEnding, stay!.connection.phase == .established else { return }
    stay!.hasEnded = true
    simulation.network.shutdown(stay!.connection, from: .peer)
    simulation.oracle.clientEnded(stay!.visit)
  }
}

extension PacketShape {
  /// A packet that asks the gateway something.
  func question(_ stamp: Stamp) -> [UInt8] {
    switch self {
    case .raw, .byte, .fixed: preconditionFailure("there are no logins, and no questions")
    case .line, .bareLine: stamp.text + [UInt8(ascii: " "), UInt8(ascii: "\n")]
    case .short, .long, .varint, .table, .choice: wrapped(stamp.body(byteCount: 130))
    }
  }
}
