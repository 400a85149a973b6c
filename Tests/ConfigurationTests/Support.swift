import Foundation
import Gateway

@testable import Configuration

/// The smallest file that is right.
let minimalText = """
  [[listener]]
  address = "0.0.0.0:7999"
  [[pool]]
  [[pool.worker]]
  address = "127.0.0.1:45888"
  """

/// PersistentParadoxPlex's own form, with every key that its server reads.
let paradoxPlexText = """
  [server]
  host = "0.0.0.0"
  port = 7999

  [[upstream]]
  host = "127.0.0.1"
  port = 45888

  alive_timeout = 30
  ready_timeout = 5

  [management_server]
  host = "127.0.0.1"
  log_level = "debug"
  port = 8000

  [management_server.tls]
  cert_path = ""
  key_path = ""
  """

/// The folder of the package.
let packageFolder = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

func contents(of file: String) throws -> String {
  try String(contentsOf: packageFolder.appendingPathComponent(file), encoding: .utf8)
}

/// What is wrong with a text, one line each; empty when it is right.
func problems(_ text: String) -> [String] {
  switch ConfigurationLoader.load(text: text, file: "f") {
  case .loaded: []
  case .refused(let problems): problems.map(\.description)
  }
}

/// The warnings of a text, or nil when it is refused.
func warnings(_ text: String) -> [String]? {
  switch ConfigurationLoader.load(text: text, file: "f") {
  case .loaded(_, let warnings): warnings.map { $0.line(as: "warning") }
  case .refused: nil
  }
}

/// Nil when the text is refused.
func loaded(_ text: String, file: String = "f") -> GatewayConfiguration? {
  switch ConfigurationLoader.load(text: text, file: file) {
  case .loaded(let configuration, _): configuration
  case .refused: nil
  }
}
