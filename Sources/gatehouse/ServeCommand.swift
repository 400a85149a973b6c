/// Runs a gateway until it is told to stop.
///
/// - Returns: the process's exit status.
func serve(configurationPath: String) -> Int32 {
  writeError("gatehouse serve: not built yet\n")
  return 70
}
