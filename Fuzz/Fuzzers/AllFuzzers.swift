/// Every fuzzer by its name, which is also that of its corpus.
let allFuzzers: [String: @Sendable ([UInt8]) -> Void] = [
  "address": AddressFuzzer.run,
  "ban-list": BanListFuzzer.run,
  "capture": CaptureFuzzer.run,
  "configuration": ConfigurationFuzzer.run,
  "contract": ContractFuzzer.run,
  "framer": FramerFuzzer.run,
  "framer-definition": FramerDefinitionFuzzer.run,
  "json": JSONFuzzer.run,
  "legacy-list": LegacyListFuzzer.run,
  "login": LoginFuzzer.run,
  "reply": ReplyFuzzer.run,
  "ticket": TicketFuzzer.run,
  "transfer": TransferFuzzer.run,
]
