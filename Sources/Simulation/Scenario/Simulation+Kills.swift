internal import Auth
internal import Gateway
internal import Primitives
internal import Store

/// Gateways that end without a word, and what the database must still know then.
extension Simulation {
  func killOne(_ lasting: Interval, _ random: inout SeededRandom) -> Bool {
    let number = random.draw(0...gateways.count - 1)
    guard kill(number, lasting) else { return false }
    checkBansInDatabase(mayHaveLost: false)
    return true
  }

  /// - Returns: false when it does not run, or is ending already.
  private func kill(_ number: Int, _ lasting: Interval) -> Bool {
    guard !deeds.isEnding[number], gateways[number].isRunning, !gateways[number].isFinished
    else { return false }
    trace.note("gateway killed", number)
    deeds.isEnding[number] = true
    oracle.killed(gateways[number])
    gateways[number].kill()
    add(.replaceGateway(number), after: lasting)
    return true
  }

  /// Every gateway's machine is the one with the disk.
  func losePower(_ lasting: Interval) -> Bool {
    guard let disk else { return false }
    // Whoever shuts down has the database open as well.
    guard gateways.indices.allSatisfy({ !deeds.isEnding[$0] && gateways[$0].isRunning }) else {
      return false
    }
    for number in gateways.indices { _ = kill(number, lasting) }
    disk.losePower()
    trace.note("power lost")
    let faults = disk.faults
    // What was wrong with the disk is looked past, to see what is on it.
    disk.faults = ordinaryDisk
    checkBansInDatabase(mayHaveLost: true)
    disk.faults = faults
    for repair in deeds.storeRepairs { add(repair, after: .milliseconds(1)) }
    return true
  }

  // MARK: Bans

  /// Everything that a command was told is written stays so when processes die; a loss of power
  /// may take the last of it, and nothing from between (`PRAGMA synchronous = NORMAL`).
  private func checkBansInDatabase(mayHaveLost: Bool) {
    let now = Int64(unixMilliseconds / 1000)
    var rows: [BanRow] = []
    let isRead = operate { database throws(StoreError) in
      try database.bansInForce(effect: .ban, now: now) { row in
        if row.author == "operator" { rows.append(row) }
      }
    }
    guard isRead else {
      // A faulty disk may fail a reader.
      if mayHaveLost { oracle.broken(.bans, "the database can't be read after a loss of power") }
      return
    }
    deeds.bans.removeAll { ($0.until ?? .max) <= now }
    var firstLost: Int?
    for (index, ban) in deeds.bans.enumerated() {
      let isThere = rows.contains { $0.subject == ban.subject && $0.listener == ban.listener }
      if isThere, firstLost != nil {
        oracle.broken(.bans, "a ban is gone that was written before that of \(ban.subject)")
      } else if !isThere {
        firstLost = firstLost ?? index
      }
    }
    guard let firstLost else { return }
    guard mayHaveLost else {
      let subject = deeds.bans[firstLost].subject
      return oracle.broken(.bans, "the ban of \(subject) is gone with a process")
    }
    for ban in deeds.bans[firstLost...] {
      oracle.unbanned(ban.subject, listener: ban.listener)
    }
    deeds.bans.removeSubrange(firstLost...)
  }
}

extension VirtualShard {
  /// SIGKILL: the system closes what the loop had open.
  func kill() {
    let network = simulation.network
    isFinished = true
    mailbox = []
    readyClients = []
    for slot in listeners.indices where listeners[slot].isOpen {
      let queue = listeners[slot].queue
      listeners[slot] = Listener()
      for connection in queue { network.abort(connection, from: .gateway) }
    }
    acceptPauses = AcceptPauses()
    for slot in clients.indices {
      guard let connection = clients[slot].connection else { continue }
      clients[slot].connection = nil
      connection.gatewayPlace = -1
      network.close(connection, from: .gateway)
    }
    for number in lingering.takeExpired(now: .distantFuture) {
      network.close(network.connections[Int(number)], from: .gateway)
    }
    for link in links.indices { closeLink(link) }
  }
}

extension Oracle {
  /// A gateway is about to be killed: its sessions end, and nobody is told why.
  func killed(_ gateway: VirtualGateway) {
    let account = account(of: gateway)
    account.hasStartedShutdown = true
    for record in visits where record.account === account {
      record.endedInShutdown = true
      guard record.stage == .session else { continue }
      record.stage = .over
      settleIfOver(record)
    }
  }
}
