internal import Glibc

/// The number of descriptors this process may have open.
public enum DescriptorLimit {
  /// Raises the limit to what the system allows, and returns it.
  public static func raise() -> UInt64 {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
    limit.rlim_cur = limit.rlim_max
    unsafe setrlimit(resource, &limit)
    unsafe getrlimit(resource, &limit)
    return UInt64(limit.rlim_cur)
  }
}
