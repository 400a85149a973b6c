// swift-tools-version: 6.2
import PackageDescription

let house: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Tests can put classical mistakes back (Fault.swift); a program that is shipped has none.
let faults: [SwiftSetting] = [.define("FAULTS", .when(configuration: .debug))]

/// Tests read spans and pointers of the code under test, so strict memory safety stays off there.
let testing: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "gatehouse",
  targets: [
    .systemLibrary(
      name: "CNgHttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    // Needs libmicrohttpd-dev; a target of its own because variadic C functions need wrapping.
    .target(name: "CMicrohttpd", linkerSettings: [.linkedLibrary("microhttpd")]),
    .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(name: "CNettle", pkgConfig: "nettle", providers: [.apt(["nettle-dev"])]),
    .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
    // The plugins' ABI: include/gatehouse_framer.h.
    .systemLibrary(name: "CFramer"),
    .target(name: "CLinux"),
    // Loads libpcap at run time: no header of it is needed, and a gateway never loads it.
    .target(name: "CPcap"),
    .target(name: "CToml", cxxSettings: [.unsafeFlags(["-std=c++17"])]),

    .target(name: "Primitives", swiftSettings: house + faults),
    .target(name: "Threading", swiftSettings: house),
    .target(name: "JSON", dependencies: ["CJansson"], swiftSettings: house),
    .target(name: "Auth", dependencies: ["Primitives"], swiftSettings: house),
    .target(name: "Framing", dependencies: ["CFramer"], swiftSettings: house),
    .target(name: "Upstream", dependencies: ["Primitives", "CNgHttp2"], swiftSettings: house),
    .target(
      name: "Gateway", dependencies: ["Primitives", "Framing", "Auth", "Upstream"],
      swiftSettings: house),
    .target(
      name: "Store",
      dependencies: [
        "Primitives", "Auth", "JSON", "Threading", "CSQLite", "CSodium", "CNettle", "CCrypt",
      ],
      swiftSettings: house),
    .target(
      name: "Configuration",
      dependencies: ["Primitives", "Framing", "Auth", "Upstream", "Gateway", "JSON", "CToml"],
      swiftSettings: house),
    .target(
      name: "Reactor",
      dependencies: ["Primitives", "Auth", "Upstream", "Gateway", "Threading", "CLinux"],
      swiftSettings: house),
    .target(
      name: "Management",
      dependencies: [
        "Primitives", "Framing", "Auth", "Upstream", "Gateway", "Captures", "JSON", "CMicrohttpd",
      ],
      swiftSettings: house),
    .target(name: "Captures", dependencies: ["Primitives", "CPcap"], swiftSettings: house),
    // Optimised for tests, too: it tries thousands of rules on each byte.
    .target(
      name: "Learning", dependencies: ["Framing"],
      swiftSettings: house + [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .target(name: "SampleWorker", dependencies: ["CNgHttp2"], swiftSettings: house),
    .target(
      name: "Simulation",
      dependencies: [
        "Primitives", "Framing", "Auth", "Upstream", "Gateway", "Store", "SampleWorker", "CSQLite",
      ], swiftSettings: house),
    .target(
      name: "Commands",
      dependencies: [
        "Primitives", "Framing", "Auth", "Gateway", "Store", "Configuration", "Captures",
        "Learning", "JSON", "CLinux", "CFramer", "Simulation",
      ], swiftSettings: house + faults),
    .executableTarget(
      name: "gatehouse",
      dependencies: [
        "Primitives", "Framing", "Auth", "Upstream", "Gateway", "Store", "Configuration", "Reactor",
        "Management", "Commands", "SampleWorker", "JSON", "CLinux", "CSodium",
      ], swiftSettings: house),

    .testTarget(name: "PrimitivesTests", dependencies: ["Primitives"], swiftSettings: testing),
    .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: testing),
    .testTarget(
      name: "FramingTests", dependencies: ["Framing", "Primitives", "CFramer"],
      swiftSettings: testing),
    .testTarget(name: "AuthTests", dependencies: ["Auth", "Primitives"], swiftSettings: testing),
    .testTarget(
      name: "StoreTests", dependencies: ["Store", "Auth", "Primitives", "Threading"],
      swiftSettings: testing),
    .testTarget(
      name: "UpstreamTests",
      dependencies: ["Upstream", "Primitives", "CNgHttp2", "SampleWorker"],
      swiftSettings: testing),
    .testTarget(
      name: "GatewayTests",
      dependencies: [
        "Gateway", "Upstream", "Auth", "Framing", "Primitives", "SampleWorker", "Simulation",
      ],
      swiftSettings: testing),
    .testTarget(
      name: "ConfigurationTests",
      dependencies: ["Configuration", "Gateway", "Auth", "Framing", "JSON"],
      swiftSettings: testing),
    .testTarget(
      name: "CommandsTests",
      dependencies: [
        "Commands", "Store", "Auth", "Framing", "Gateway", "Configuration", "Captures", "JSON",
        "Primitives", "Simulation",
      ],
      swiftSettings: testing),
    .testTarget(
      name: "ManagementTests",
      dependencies: [
        "Management", "Gateway", "Captures", "Auth", "Upstream", "Primitives", "JSON",
      ],
      swiftSettings: testing),
    .testTarget(
      name: "ReactorTests",
      dependencies: ["Reactor", "Gateway", "Upstream", "Auth", "Primitives", "Threading"],
      swiftSettings: testing),
    .testTarget(
      name: "CapturesTests", dependencies: ["Captures", "Primitives"], swiftSettings: testing),
    .testTarget(
      name: "LearningTests",
      dependencies: ["Learning", "Framing", "Configuration", "Primitives"],
      swiftSettings: testing),
    .testTarget(
      name: "SampleWorkerTests", dependencies: ["SampleWorker", "CNgHttp2"],
      swiftSettings: testing),
    .testTarget(
      name: "SimulationTests",
      dependencies: [
        "Simulation", "Gateway", "Store", "Upstream", "Auth", "Framing", "Primitives",
        "SampleWorker", "CSQLite",
      ],
      swiftSettings: testing),
    .testTarget(
      name: "FuzzTests",
      dependencies: [
        "Primitives", "Framing", "Auth", "Upstream", "Gateway", "JSON", "Store", "Configuration",
        "Captures", "CCrypt", "CFramer",
      ],
      path: "Fuzz",
      exclude: ["README.md", "build", "run", "Entry.swift", "corpus", "dictionaries"],
      sources: ["Fuzzers", "CorpusTests.swift"], swiftSettings: testing),
    .testTarget(name: "TidyTests", swiftSettings: testing),
  ],
  cxxLanguageStandard: .cxx17
)
