import DBus
import EventLoop
import Glibc
import JSON
import TestSupport
import Testing

/// Random calls, well-formed and not, from many connections at once: `Tests/Hostile/storm.c`.
///
/// BOTCRON_LONG_TESTS=1 makes it a million calls and a thousand connections; BOTCRON_SEED repeats one. A bus of the
/// session's kind lets a user have as many connections as there are descriptors.
@Suite(.ownThread) struct HostileStormTests {
    private let session: Session
    private let daemon: Program

    /// What the contract names; `Failed` is what a fault of ours would be.
    private static let errors: Set<String> = Set(
        ["JobNotFound", "RunNotFound", "JobExists", "InvalidJob", "InvalidSchedule", "InvalidConfig", "QueueEmpty"].map
        {
            "com.aiworkflow.BotCron.Error." + $0
        } + ["com.aiworkflow.BotCron.Error.NotPermitted"]
            + [
                "InvalidArgs", "UnknownMethod", "UnknownInterface", "UnknownObject", "UnknownProperty",
                "PropertyReadOnly", "LimitsExceeded",
            ].map { "org.freedesktop.DBus.Error." + $0 })

    private static let built = Result { try CSource.build("Hostile/storm.c", as: "botcron-storm", ["-O2", "-Wall"]) }

    init() throws {
        session = try Session(
            config: """
                {"slack": {"x": 1}, "schedules": {"timezone": "UTC", "jobs": [
                    {"name": "quick", "command": ["true"], "overlap_policy": "allow"},
                    {"name": "daily", "cron": "0 9 * * *", "command": ["true"]}
                ]}}
                """)
        daemon = try session.start()
    }

    /// The slowest answer to somebody else meanwhile, and what the storm says of itself.
    private func storm(_ calls: Int, _ connections: Int, seed: UInt64) throws -> (slowestUSec: UInt64, JSONValue) {
        let held: JSONValue = ["name": "held", "command": ["sleep", "10000"], "on_stop": "kill", "timeout": 10_000]
        let run = try session.json("run_now", .string(held.compactText)).text("execution_id")
        let storm = try Program(
            [try Self.built.get(), session.address, "\(seed)", "\(calls)", "\(connections)", run],
            environment: session.environment, on: session.loop)
        var slowest: UInt64 = 0
        while !storm.text.contains("waiting"), storm.code == nil {
            let start = ProcessState.monotonicUSec
            #expect(try session.call("Ping") == ["pong"])
            slowest = max(slowest, ProcessState.monotonicUSec - start)
            // A look ten times a second: a storm of our own would be in its way.
            try session.loop.runOnce(timeoutUSec: 100_000)
        }
        try session.done("cancel_run", .string(run))
        #expect(try session.end(storm) == 0, "seed \(seed): \(storm.text)")
        let lines = storm.text.split(separator: "\n")
        let told = try JSONValue(parsing: String(try #require(lines.first { $0.hasPrefix("{") }, "\(storm.text)")))
        return (slowest, told)
    }

    /// Runs that a storm has started hold descriptors until they have ended.
    private func waitForRuns() throws {
        try session.look(for: "the end of all runs") { try session.json("GetStats")["active_runs"] == [] }
    }

    @Test func everyCallIsAnsweredOrRefusedByNameAndNothingIsLeft() throws {
        let isLong = getenv("BOTCRON_LONG_TESTS") != nil
        let (calls, connections) = isLong ? (1_000_000, 1_000) : (10_000, 100)
        let seed = getenv("BOTCRON_SEED").flatMap { UInt64(String(cString: $0)) } ?? ProcessState.monotonicUSec
        print("storm: seed \(seed)")
        if isLong {
            // For the bus, which is our child.
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            #expect(limit.rlim_cur > 3 * connections, "the bus needs more descriptors: ulimit -n \(3 * connections)")
        }
        // What it needs once, it has then.
        _ = try storm(calls / 10, connections, seed: seed &+ 1)
        try waitForRuns()
        let (files, memory) = (ProcessState.openFiles(daemon.pid), ProcessState.status(daemon.pid, "RssAnon") ?? 0)
        let (slowest, told) = try storm(calls, connections, seed: seed)
        let all = told["calls"]?.intValue ?? 0
        let answered = ["returned", "refused", "abandoned", "silent"].reduce(0) { $0 + (told[$1]?.intValue ?? 0) }
        #expect(all >= calls)
        #expect(answered == all, "seed \(seed): \(told)")
        #expect(told["stray"] == 0 && told["unanswered"] == 0, "seed \(seed): \(told)")
        for name in told["errors"]?.objectValue?.keys ?? [] {
            #expect(Self.errors.contains(name), "seed \(seed): \(name)")
        }
        #expect(daemon.code == nil, "seed \(seed): \(daemon.text)")
        #expect(!daemon.text.contains("fault"), "seed \(seed): \(daemon.text)")
        try waitForRuns()
        let grown = (ProcessState.status(daemon.pid, "RssAnon") ?? 0) - memory
        // A supervisor is reaped after its run's end is on record, and connections that are closed are told of later.
        try session.look(for: "no more than \(files) open files, seed \(seed)") {
            ProcessState.openFiles(daemon.pid) <= files
        }
        #expect(grown < 8 << 10, "seed \(seed): \(grown) KiB more")
        #expect(slowest < 5_000_000, "seed \(seed): a Ping took \(slowest) µs")
        print(
            "storm: \(all) calls in \(told["seconds"] ?? nil) s; the slowest Ping of another took \(slowest) µs;"
                + " \(ProcessState.openFiles(daemon.pid) - files) open files and \(grown) KiB more; \(told)")
    }
}
