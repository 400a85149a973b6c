/// Which side of a connection bytes come from.
public enum CaptureDirection: Sendable, CaseIterable {
  case clientToServer, serverToClient
}
