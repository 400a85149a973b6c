// swift-tools-version: 6.2
import PackageDescription

// Framing and CFramer are links to the gateway's own sources: its package has no library that
// another package could ask for, and needs none.
let house: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "framers",
  targets: [
    .systemLibrary(name: "CFramer"),
    .target(name: "Framing", dependencies: ["CFramer"], swiftSettings: house),
    .target(
      name: "CBench", dependencies: ["CFramer"], linkerSettings: [.linkedLibrary("m")]),
    .executableTarget(
      name: "framers", dependencies: ["Framing", "CFramer", "CBench"], swiftSettings: house),
  ]
)
