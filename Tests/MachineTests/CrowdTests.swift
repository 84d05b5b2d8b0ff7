import Glibc
import JSON
import TestSupport
import Testing

/// Many jobs that are due at one second, each with a scope of its own, and a SIGKILL at a system call of that second:
/// of the daemon, of supervisors, of both; while scopes are asked for, and while the user manager answers late.
/// `CrowdedSecondTests` sweeps more of the calls, without scopes.
@Suite(.serialized, .enabled(if: Machine.package != nil, "`make test-machine` runs these")) struct CrowdTests {
    private static let isLong = getenv("BOTCRON_LONG_TESTS") != nil
    /// Whose calls, the share of supervisors that die with the daemon, and whether the user manager is late.
    private static let kinds: [(whose: KillAt.Whose, share: Int, isManagerLate: Bool)] = [
        (.daemon, 0, false), (.daemon, 0, true), (.daemon, 50, false), (.both, 50, true), (.daemon, 0, false),
        (.supervisor, 0, false),
    ]

    /// A machine for each part of the sweep.
    @Test(arguments: 0..<(isLong ? 24 : 1))
    func noFireTimeIsLostOrRunTwiceWhicheverCallTheKillComesAt(part: Int) throws {
        let seed = SeededGenerator.seed() &+ UInt64(part)
        var random = SeededGenerator(seed: seed)
        let crowd = try MachineCrowd()
        var stops: [KillAt.Whose: Int] = [:]
        for whose in [KillAt.Whose.daemon, .supervisor] { stops[whose] = try crowd.round(KillAt(whose: whose)).stops }
        stops[.both] = stops[.supervisor]
        var fallen = 0
        for kind in Self.kinds {
            let most = try #require(stops[kind.whose])
            let kill = KillAt(
                whose: kind.whose, stop: Int.random(in: 1...max(1, most), using: &random), share: kind.share,
                seed: random.next() >> 1)
            let report = try crowd.round(kill, isManagerLate: kind.isManagerLate)
            if report.isDaemonKilled || !report.supervisors.isEmpty { fallen += 1 }
        }
        let story = try crowd.story()
        #expect(story.violations.isEmpty, "seed \(seed): \(story.violations.prefix(20).joined(separator: "\n"))")
        #expect(fallen > 0, "seed \(seed): no kill came to pass")
        let calls = stops.map { "\($0.key.rawValue) \($0.value)" }
        print("crowded second on a machine: seed \(seed), \(fallen) kills at stops of \(calls),", story.summary)
    }
}

/// The rounds of a sweep on one machine. Its daemon is restarted by its unit.
private final class MachineCrowd {
    private let machine: Machine
    private var sets: [CrowdSet] = []
    private var killed: [String: KillAt.Report.Evidence] = [:]
    private var count = 0

    private static let ledger = "/machine/ledger"

    init() throws {
        machine = try Machine(config: #"{"schedules": {"jobs": []}}"#)
        _ = try KillAt.build(in: machine.folder)
        try machine.run(
            """
            mkdir -p ~/.config/systemd/user/bot-cron.service.d
            printf '[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nRestartSec=50ms\\n' \\
                > ~/.config/systemd/user/bot-cron.service.d/crowd.conf
            systemctl --user daemon-reload
            touch \(Self.ledger)
            """)
        try machine.startDaemon()
    }

    private var lines: Set<String> { Set(machine.lines("ledger").map { CrowdSet.key(of: Substring($0)) }) }

    /// Lets the kill fall in a second that is to come.
    func round(_ kill: KillAt, isManagerLate: Bool = false) throws -> KillAt.Report {
        let set = try addSet()
        let report = "report-\(count)"
        let arguments = kill.arguments(report: "/machine/\(report)", second: set.second).joined(separator: " ")
        try machine.run(
            """
            sudo /machine/botcron-kill-at \(arguments) -p $(systemctl --user show bot-cron.service -P MainPID) &
            \(isManagerLate ? Self.lateness(set.second) : "")
            """)
        var isOver = false
        try machine.wait("the report of \(kill)") {
            if !isOver, set.crowd.allSatisfy({ lines.contains("S \($0) 1") }) {
                // What follows from the ends belongs to the second, too.
                try machine.run("sleep 0.3; sudo pkill -USR1 botcron-kill-at || true")
                isOver = true
            }
            return !machine.lines(report).isEmpty
        }
        let done = KillAt.Report(machine.lines(report).joined(separator: "\n"))
        killed.merge(done.supervisors) { $1 }
        return done
    }

    /// Stops the user manager from right before a second until more than half of it is over.
    private static func lateness(_ second: Int) -> String {
        """
        (
            rest=$((\(second)000000 - 20000 - 10#${EPOCHREALTIME/./}))
            sleep $((rest / 1000000)).$(printf %06d $((rest % 1000000)))
            sudo pkill -STOP -u user -x systemd; sleep 0.6; sudo pkill -CONT -u user -x systemd
        ) &
        """
    }

    /// Jobs for a second that is to come, in force before that.
    private func addSet() throws -> CrowdSet {
        while true {
            count += 1
            let now = try machine.wallClock
            let set = CrowdSet(count, second: now + 2, size: 30, ledger: Self.ledger)
            let section = CrowdSet.section(sets + [set], ledger: Self.ledger, lines: lines)
            let config = JSONValue.object(["schedules": .object(section)]).compactText
            try machine.run(
                """
                cat > config.new <<'END'
                \(config)
                END
                mv config.new ~/.config/aa-workflow/config.json
                until botcronctl reload; do sleep 0.05; done
                """)
            guard try machine.wallClock < set.second else { continue }
            sets.append(set)
            sets[sets.count - 1].isKnown = true
            return set
        }
    }

    /// Lets everything come to its end, and compares.
    func story() throws -> CrowdStory {
        try machine.wait("no active run") { (try? machine.ctl("status"))?["active_runs"] == [] }
        // The user manager does not see that a scope is empty whose only process died while it was being placed.
        try machine.wait("no scope") {
            try machine.run("systemctl --user list-units --plain --no-legend --all 'app-botcron-*'").isEmpty
        }
        var story = CrowdStory(killed)
        story.compare(try allRuns(), machine.lines("ledger").joined(separator: "\n"), sets)
        return story
    }

    private func allRuns() throws -> [JSONValue] {
        var runs: [JSONValue] = []
        var cursor = JSONValue.null
        repeat {
            let filter: JSONObject = cursor.isNull ? ["limit": 200] : ["limit": 200, "cursor": cursor]
            let page = try machine.call("query_history", "s '\(JSONValue.object(filter).compactText)'")
            runs += page["runs"]?.arrayValue ?? []
            cursor = page["next_cursor"] ?? .null
        } while !cursor.isNull
        return runs
    }
}
