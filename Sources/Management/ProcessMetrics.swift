internal import Glibc

/// What the kernel tells of this process.
public struct ProcessMetrics: Equatable, Sendable {
  /// In hundredths of a second since 1970.
  public var startTimeCentiseconds: UInt64
  /// User and system time together, in hundredths of a second.
  public var cpuCentiseconds: UInt64
  public var residentBytes: UInt64
  public var openDescriptors: UInt64
  /// The soft limit on descriptors.
  public var descriptorsMax: UInt64

  public init(
    startTimeCentiseconds: UInt64, cpuCentiseconds: UInt64, residentBytes: UInt64,
    openDescriptors: UInt64, descriptorsMax: UInt64
  ) {
    self.startTimeCentiseconds = startTimeCentiseconds
    self.cpuCentiseconds = cpuCentiseconds
    self.residentBytes = residentBytes
    self.openDescriptors = openDescriptors
    self.descriptorsMax = descriptorsMax
  }

  /// Reads /proc; nil when that is not there.
  public static func current() -> ProcessMetrics? {
    // proc_pid_stat(5), from field 3 on: what comes before, a name in parentheses, may have spaces.
    guard let stat = text("/proc/self/stat"), let name = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[name...].split(separator: " ").dropFirst().map { UInt64($0) }
    guard fields.count > 21, let user = fields[11], let system = fields[12],
      let start = fields[19], let pages = fields[21],
      let boot = bootTimeSeconds(), let open = openDescriptorCount()
    else { return nil }
    let ticks = max(1, UInt64(sysconf(Int32(_SC_CLK_TCK))))
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(resource, &limit) == 0 else { return nil }
    return ProcessMetrics(
      startTimeCentiseconds: boot * 100 + start * 100 / ticks,
      cpuCentiseconds: (user + system) * 100 / ticks,
      residentBytes: pages * UInt64(sysconf(Int32(_SC_PAGESIZE))),
      openDescriptors: open, descriptorsMax: UInt64(limit.rlim_cur))
  }

  private static func text(_ path: String) -> String? {
    readSmallFile(path, bytesMax: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func bootTimeSeconds() -> UInt64? {
    for line in text("/proc/stat")?.split(separator: "\n") ?? [] where line.hasPrefix("btime ") {
      return UInt64(line.dropFirst("btime ".count))
    }
    return nil
  }

  private static func openDescriptorCount() -> UInt64? {
    guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
    defer { unsafe closedir(folder) }
    var count: UInt64 = 0
    while unsafe readdir(folder) != nil { count += 1 }
    // Without ".", ".." and the folder itself.
    return count - min(count, 3)
  }
}
