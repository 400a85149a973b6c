internal import Glibc

/// Reads a whole file of at most `bytesMax` bytes, such as those below /proc.
///
/// - Returns: nil when it cannot be read or is longer.
func readSmallFile(_ path: String, bytesMax: Int) -> [UInt8]? {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  return readToEnd(descriptor, bytesMax: bytesMax)
}

/// Reads from `descriptor` to its end.
///
/// - Returns: nil, with `errno` set, when reading fails; nil with EFBIG beyond `bytesMax` bytes.
func readToEnd(_ descriptor: Int32, bytesMax: Int) -> [UInt8]? {
  var content = [UInt8](repeating: 0, count: bytesMax + 1)
  var count = 0
  while count <= bytesMax {
    // SAFETY: the slice lies within the array.
    let got = unsafe content.withUnsafeMutableBytes { buffer in
      unsafe read(descriptor, buffer.baseAddress! + count, buffer.count - count)
    }
    if got == 0 { return Array(content.prefix(count)) }
    if got < 0 && errno == EINTR { continue }
    guard got > 0 else { return nil }
    count += got
  }
  errno = EFBIG
  return nil
}
