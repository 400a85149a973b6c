public import Configuration
internal import Glibc

extension FramerSources {
  /// The system's files and shared objects.
  public static let system = FramerSources(
    ready: { FramerFolder.ready.flatMap(FramerFolder.read) ?? FramerLibrary() },
    folder: { path in
      guard let library = FramerFolder.read(path) else {
        return .failure(FolderFailure(reason: errorText(errno)))
      }
      return .success(library)
    },
    loadPlugin: PluginObject.load)

  /// The system's files; plugins are taken to be there, and nothing of them is loaded.
  static let systemWithoutPlugins = FramerSources(
    ready: system.ready, folder: system.folder, loadPlugin: PluginObject.pretend)
}

/// Folders of framers' definitions, one file each.
enum FramerFolder {
  /// Files of a folder that are looked at.
  private static let filesMax = 4_096
  /// How far above the program its framers are looked for.
  private static let levelsMax = 5

  /// Where the definitions are that came with the program; nil when there is no such folder.
  ///
  /// It is `share/gatehouse/framers`, or `framers`, in a folder above the program.
  static var ready: String? {
    var path = unsafe [CChar](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
      // SAFETY: readlink writes at most the buffer's count of bytes.
      count = max(0, unsafe readlink("/proc/self/exe", buffer.baseAddress!, buffer.count))
    }.map { UInt8(bitPattern: $0) }
    for _ in 0..<levelsMax {
      guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return nil }
      path.removeSubrange(slash...)
      let folder = String(decoding: path, as: UTF8.self)
      for candidate in ["\(folder)/share/gatehouse/framers", "\(folder)/framers"] {
        var status = stat()
        if unsafe stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
          return candidate
        }
      }
    }
    return nil
  }

  /// The definitions in a folder: its files `NAME.toml`; those that can't be read are left out.
  ///
  /// - Returns: nil, with `errno` set, when the folder can't be read.
  static func read(_ path: String) -> FramerLibrary? {
    guard let folder = unsafe opendir(path) else { return nil }
    defer { unsafe closedir(folder) }
    var files: [FramerLibrary.File] = []
    while files.count < filesMax, let entry = unsafe readdir(folder) {
      let fileName = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        // SAFETY: the system ends a name with a zero byte.
        unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
      }
      guard let name = FramerLibrary.File.name(ofFile: fileName),
        case .success(let text) = readConfigurationFile(path: "\(path)/\(fileName)")
      else { continue }
      files.append(FramerLibrary.File(name: name, path: "\(path)/\(fileName)", text: text))
    }
    return FramerLibrary(files)
  }
}
