/// The name among `candidates` that was probably meant by `name`.
///
/// That is the nearest by edit distance, at most a third of its length away, the first of equals;
/// or else the first of which one is the beginning of the other.
///
/// - Returns: nil when none is near, and for names longer than 64 characters, which nobody types.
public func nearestName(to name: String, among candidates: [String]) -> String? {
  let typed = Array(name.lowercased().unicodeScalars)
  guard (1...64).contains(typed.count) else { return nil }
  var best: (name: String, distance: Int)?
  for candidate in candidates where candidate != name {
    let target = Array(candidate.lowercased().unicodeScalars)
    guard target.count <= 64 else { continue }
    let distance = editDistance(typed, target)
    let allowed = max(1, max(typed.count, target.count) / 3)
    if distance <= allowed && distance < (best?.distance ?? .max) { best = (candidate, distance) }
  }
  return best?.name
    ?? candidates.first { candidate in
      let target = Array(candidate.lowercased().unicodeScalars)
      return min(typed.count, target.count) >= 3 && candidate != name
        && (target.starts(with: typed) || typed.starts(with: target))
    }
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...b.count)
  for i in 0..<a.count {
    var current = [i + 1]
    for j in 0..<b.count {
      var distance = min(
        previous[j] + (a[i] == b[j] ? 0 : 1), previous[j + 1] + 1, current[j] + 1)
      if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
        distance = min(distance, beforePrevious[j - 1] + 1)
      }
      current.append(distance)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.count]
}
