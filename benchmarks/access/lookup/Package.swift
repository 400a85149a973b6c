// swift-tools-version: 6.2
import PackageDescription

// Auth and Primitives are links to the gateway's own sources: its package has no library that
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
  name: "lookup",
  targets: [
    .target(name: "Primitives", swiftSettings: house),
    .target(name: "Auth", dependencies: ["Primitives"], swiftSettings: house),
    .executableTarget(
      name: "lookup", dependencies: ["Auth", "Primitives"], swiftSettings: house),
  ]
)
