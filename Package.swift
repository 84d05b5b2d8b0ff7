// swift-tools-version: 6.2
import PackageDescription

/// The same strictness for every target: what a file uses it imports, and what it imports stays its own.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Regular expressions and tasks come into every module unasked, and with them 1.5 MB of code into a program that uses
/// neither. What the resident programs are made of does without.
let lean: [SwiftSetting] =
    strict + [
        .unsafeFlags([
            "-Xfrontend", "-disable-implicit-string-processing-module-import",
            "-Xfrontend", "-disable-implicit-concurrency-module-import",
        ])
    ]

/// What is not done a million times a second is built for its size: every page of code that a start touches stays in
/// memory.
let small: [SwiftSetting] = lean + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

/// A room of the architecture: one folder in `Sources`, importing only what stands below it.
func room(_ name: String, _ dependencies: [Target.Dependency] = [], _ settings: [SwiftSetting] = small) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: small)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict)
}

/// A program of the tests: built with them, and not for users.
func tool(_ name: String, _ path: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

let package = Package(
    name: "botcron",
    products: [
        .executable(name: "botcrond", targets: ["botcrond"]),
        .executable(name: "botcronctl", targets: ["botcronctl"]),
        .executable(name: "botcron-run", targets: ["botcron-run"]),
        .executable(name: "botcron-send", targets: ["botcron-send"]),
    ],
    targets: [
        .systemLibrary(name: "CDBus", pkgConfig: "dbus-1", providers: [.apt(["libdbus-1-dev"])]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),

        room("JSON", [], lean),
        room("Schedules", [], lean),
        room("Scheduling", ["Schedules", "JSON"], lean),
        room("EventLoop", ["CSystemd", "CLinux"]),
        room("DBus", ["EventLoop", "CDBus"]),
        room("Contract"),
        room("Client", ["Contract", "DBus", "EventLoop", "JSON"]),
        room("Store", ["Scheduling", "Schedules"]),
        room("SQLiteStore", ["Store", "Scheduling", "Schedules", "CSQLite"], lean),
        room("Configuration", ["Scheduling", "Schedules", "JSON", "CLinux"], lean),
        room("Processes", ["CLinux"]),
        room("Execution", ["EventLoop", "Processes"]),
        room("Desktop", ["DBus", "EventLoop"]),
        room(
            "Performing",
            [
                "Desktop", "Execution", "Processes", "Store", "Configuration", "EventLoop", "Scheduling", "Schedules",
                "JSON",
            ]),
        room(
            "Machine", ["Performing", "Desktop", "Configuration", "EventLoop", "Scheduling", "Schedules"]),
        room(
            "Settings", ["Performing", "Store", "Configuration", "EventLoop", "Scheduling", "Schedules", "JSON"]),
        room(
            "Control",
            [
                "Performing", "Contract", "Store", "Configuration", "DBus", "EventLoop", "Scheduling", "Schedules",
                "JSON",
            ]),
        room(
            "Daemon",
            [
                "Control", "Settings", "Machine", "Performing", "Client", "Contract", "Desktop", "Execution",
                "Processes", "SQLiteStore", "Store", "Configuration", "DBus", "EventLoop", "Scheduling", "Schedules",
                "JSON", "CLinux",
            ]),
        program("botcrond", ["Daemon"]),
        .executableTarget(
            name: "botcron-run", dependencies: ["Processes"], swiftSettings: strict,
            // One file without a loader: it starts in a third of the time, and every run pays for it.
            linkerSettings: [.unsafeFlags(["-static-executable", "-use-ld=lld"])]),
        program("botcron-send", ["JSON", "CCurl"]),
        program(
            "botcronctl",
            ["Client", "Contract", "EventLoop", "Configuration", "Scheduling", "Schedules", "JSON"]),

        tests("JSONTests", ["TestSupport", "JSON"]),
        tests("SchedulesTests", ["TestSupport", "Schedules", "JSON"], resources: [.copy("Vectors")]),
        tests("EventLoopTests", ["TestSupport", "EventLoop", "CLinux"]),
        tests("DBusTests", ["TestSupport", "DBus", "EventLoop", "CDBus", "CLinux"]),
        tests(
            "ClientTests", ["TestSupport", "Client", "botcronctl", "Contract", "DBus", "EventLoop", "JSON"],
            resources: [.copy("Golden")]),
        tests(
            "PerformingTests",
            [
                "TestSupport", "Performing", "Execution", "Processes", "Desktop", "Configuration", "Store", "EventLoop",
                "Scheduling", "Schedules", "JSON",
            ]),
        tests(
            "ConfigurationTests", ["TestSupport", "Configuration", "Scheduling", "Schedules", "JSON"],
            resources: [.copy("Fixtures")]),
        tests(
            "SettingsTests",
            [
                "TestSupport", "Settings", "Performing", "Store", "Configuration", "EventLoop", "Scheduling",
                "Schedules",
                "JSON",
            ]),
        tests(
            "SQLiteStoreTests",
            ["TestSupport", "SQLiteStore", "Store", "Scheduling", "Schedules", "CSQLite", "store-crash-child"],
            resources: [.copy("Golden")]),
        tests("ProcessesTests", ["TestSupport", "Processes"]),
        tests("ExecutionTests", ["TestSupport", "Execution", "Processes", "EventLoop", "run-crash-child"]),
        tests("SchedulingTests", ["TestSupport", "StoreModel", "Scheduling", "Schedules"]),
        tests("DesktopTests", ["TestSupport", "Desktop", "DBus", "EventLoop"]),
        tests("SendTests", ["TestSupport", "botcron-send", "JSON"]),
        tests("SimulationTests", ["TestSupport"]),
        tests(
            "ControlTests",
            [
                "TestSupport", "Control", "Performing", "Contract", "Store", "Configuration", "DBus", "EventLoop",
                "Scheduling",
                "Schedules", "JSON",
            ]),
        tests(
            "DaemonTests",
            [
                "TestSupport", "botcrond", "Daemon", "Desktop", "Execution", "Scheduling", "Schedules", "DBus",
                "EventLoop", "JSON", "CLinux", "CSQLite",
            ]),
        // On a booted machine: `make test-machine`, and `make test-long` for those with a clock of their own; anywhere
        // else they are skipped.
        tests("MachineTests", ["TestSupport", "EventLoop", "JSON"], exclude: ["boot", "boot-virtual"]),
        tests(
            "ControlToolTests",
            ["TestSupport", "botcronctl", "botcrond", "Client", "Contract", "Schedules", "JSON"],
            resources: [.copy("Golden")]),

        // What the tests of several rooms need.
        .target(
            name: "TestSupport", dependencies: ["EventLoop", "JSON", "CLinux"], path: "Tests/TestSupport",
            swiftSettings: strict),
        // What stores in memory have in common.
        .target(
            name: "StoreModel", dependencies: ["Scheduling", "Schedules"], path: "Tests/StoreModel",
            swiftSettings: strict),
        // Reads the code about the code, as text.
        tests("TidyTests", [], exclude: ["Exceptions"]),

        // Programs that tests kill.
        tool("store-crash-child", "Tests/SQLiteStoreCrashChild", ["SQLiteStore", "Store", "Scheduling", "Schedules"]),

        tool("run-crash-child", "Tests/ExecutionCrashChild", ["Execution", "Processes", "EventLoop"]),
        // What `SimulationTests` runs, built in release.
        tool("simulator", "Tests/Simulator", ["TestSupport", "StoreModel", "Scheduling", "Schedules"]),

        // Programs that `make bench` runs.
        tool("bus-bench", "Tests/Benchmarks/BusBench", ["TestSupport", "DBus", "EventLoop", "CDBus", "CSQLite"]),
        tool("config-bench", "Tests/Benchmarks/ConfigBench", ["Configuration", "Scheduling", "Schedules", "JSON"]),
        tool("daemon-bench", "Tests/Benchmarks/DaemonBench", ["TestSupport", "DBus", "EventLoop"]),
        tool("schedule-bench", "Tests/Benchmarks/ScheduleBench", ["Schedules"]),
        tool("scheduler-bench", "Tests/Benchmarks/SchedulerBench", ["Scheduling", "Schedules"]),
        tool("spawn-bench", "Tests/Benchmarks/SpawnBench", ["TestSupport", "Execution", "Processes", "EventLoop"]),
        tool("store-bench", "Tests/Benchmarks/StoreBench", ["SQLiteStore", "Store", "Scheduling", "Schedules"]),
    ],
    swiftLanguageModes: [.v6]
)
