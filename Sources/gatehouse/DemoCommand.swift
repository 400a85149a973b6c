/// Runs a gateway with a sample worker.
///
/// - Returns: the process's exit status.
func demo() -> Int32 {
  writeError("gatehouse demo: not built yet\n")
  return 70
}
