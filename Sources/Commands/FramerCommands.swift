let framerCommands: [Subcommand] = [
  Subcommand(
    words: ["framer", "list"], options: [.json],
    summary: "list the ready-made framers",
    explanation: """
      A framer says where a protocol's packets end. These came with the program: a listener names
      one of them (`framer = "tibia-login"`), or its own.
      """,
    examples: ["gatehouse framer list", "gatehouse framer list --json"],
    run: { try listFramers($0) }),
  Subcommand(
    words: ["framer", "show"], operands: "NAME|FILE", operandCount: 1...1,
    summary: "show a framer's definition, and what it means",
    explanation: """
      Shows what a definition says, in words, and then the definition itself, whose comments tell
      the protocol's layout, its source and its quirks. NAME is a ready-made framer's; what has a
      slash in it, or ends in .toml, is a file.
      """,
    examples: ["gatehouse framer show minecraft", "gatehouse framer show my-game.toml"],
    run: { try showFramer($0) }),
  Subcommand(
    words: ["framer", "test"], operands: "NAME|FILE [INPUT]", operandCount: 1...2,
    options: [
      .capture, .streamDirection, .serverPort, .authenticatedAfter, .packetLimit, .full, .json,
    ],
    summary: "cut a recorded stream into packets, and say where it is wrong",
    explanation: """
      Cuts INPUT, a file with the bytes of one stream, or standard input for `-`, and shows each
      packet: its offset, its length, its opcode if the framer knows where that is, its bytes. Where
      the stream breaks the framer's rules it says at which byte, what was expected there, and how
      the definition can be mended.

      With --pcap the streams are those of a capture, as `gatehouse record`, tcpdump and Wireshark
      write them (.pcap, .pcapng): every TCP stream in it, or those of one port. A direction ends at
      its first violation, the others go on. Streams that began before the capture are left out.

      Without an INPUT the definition's own vectors are tried.

      Exit status 1 means that something is wrong: a violation, or a vector that is not cut as it
      says; 3 that a capture has no stream that is looked for.
      """,
    examples: [
      "gatehouse framer test minecraft", "gatehouse framer test my-game.toml stream.bin",
      "gatehouse framer test tibia-login --pcap game.pcap --port 7171",
      "gatehouse framer test my-game.toml --pcap game.pcap --json --direction to-server",
    ], run: { try testFramer($0) }),
]

extension CommandOption {
  static let capture = CommandOption(
    "pcap", argument: "CAPTURE", "the streams of a capture instead of INPUT; - is standard input")
  static let streamDirection = CommandOption(
    "direction", argument: "DIRECTION",
    "to-server, to-client or both; to-server when not given, both for a capture")
  static let serverPort = CommandOption(
    "port", argument: "NUMBER", "of a capture, only streams to this port of the server")
  static let authenticatedAfter = CommandOption(
    "authenticated-after", argument: "NUMBER",
    "the client counts as let in behind so many of its packets; 0 is from the start")
  static let packetLimit = CommandOption(
    "limit", letter: "n", argument: "NUMBER", "show at most so many packets, and count the others")
  static let full = CommandOption("full", "show long packets whole")
}
