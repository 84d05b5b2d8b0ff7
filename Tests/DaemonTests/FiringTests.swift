import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// Jobs on their schedules, as processes.
@Suite(.ownThread) struct FiringTests {
    /// Not `time`, which reads the clock of the last tick and may be a few milliseconds behind.
    private static var nowSeconds: Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_sec
    }

    @Test func aJobOfEverySecondFiresOnTimeAndEachFireTimeOnce() throws {
        let session = try Session(jobs: [
            ["name": "tick", "cron": "* * * * * *", "command": ["sh", "-c", "echo $BOTCRON_SCHEDULED_AT >> ticks"]]
        ])
        try session.start()
        var fireTimes: [String] = []
        for _ in 0..<4 {
            let started = try session.signal("JobStarted", after: session.signals.count)
            let run = try session.run(started[1])
            let fire = run.text("scheduled_for")
            // Never early, and at once: a loaded machine may make it a second.
            let second = try #require(Self.seconds(fire))
            #expect((second...second + 1).contains(Self.nowSeconds), "\(fire) at \(Self.nowSeconds)")
            #expect(run["trigger"] == "schedule")
            fireTimes.append(fire)
        }
        let seconds = fireTimes.compactMap(Self.seconds)
        #expect(zip(seconds, seconds.dropFirst()).allSatisfy { $0 + 1 == $1 }, "\(fireTimes)")
        try session.done("toggle_job", "tick", .bool(false))
        try session.wait("all runs over") {
            try session.job("tick")["running"] == []
        }
        let written = TestFile.text(session.scratch.path + "/home/ticks").split(separator: "\n").map(String.init)
        #expect(Set(written).count == written.count)
        #expect(Set(written) == Set(try session.history().map { $0.text("scheduled_for") }))
    }

    @Test func nextRunMovesOnWithEachFire() throws {
        let session = try Session(jobs: [["name": "tick", "cron": "* * * * * *", "command": ["true"]]])
        try session.start()
        let started = try session.signal("JobStarted")
        let fire = try #require(Self.seconds(try session.run(started[1]).text("scheduled_for")))
        let next = try #require(Self.seconds(try session.job("tick").text("next_run")))
        #expect(next > fire)
        #expect((Self.nowSeconds...Self.nowSeconds + 1).contains(next))
        try session.wait("NextRun told anew") { session.changes.filter { $0["NextRun"] != nil }.count >= 2 }
    }

    @Test func aTimeOutEndsTheWholeGroupFirstByTermThenByKill() throws {
        let session = try Session(jobs: [
            [
                "name": "deaf", "timeout": 1, "kill_grace": 1,
                "command": [
                    "sh", "-c",
                    "trap 'echo term' TERM; (trap '' TERM; echo $! $$; sleep 100; sleep 100) & while :; do wait; done",
                ],
            ],
            [
                "name": "polite", "timeout_seconds": 1,
                "command": ["sh", "-c", "trap 'echo bye; exit 0' TERM; sleep 100 & wait"],
            ],
        ])
        try session.start()
        let deaf = try session.json("run_job", "deaf").text("execution_id")
        let polite = try session.json("run_job", "polite").text("execution_id")
        let run = try session.waitForRun(deaf)
        #expect(run["status"] == "timeout")
        #expect(run["success"] == false)
        #expect(run["signal"] == "SIGKILL" || run["signal"] == 9, "\(run)")
        #expect(run["failure_type"] == "timeout")
        #expect(run.text("output_preview").contains("term"))
        #expect((run["duration_ms"]?.intValue ?? 0) >= 2000)
        #expect(session.story(deaf) == ["JobStarted", "JobFailed"])
        let group = try #require(
            run.text("output_preview").split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }.last)
        try session.look(for: "the end of the group \(group)") { Self.members(ofGroup: group).isEmpty }

        let other = try session.waitForRun(polite)
        // It ended well in the end, and still it was a time-out.
        #expect(other["status"] == "timeout")
        #expect(other.text("output_preview").contains("bye"))
        #expect((other["duration_ms"]?.intValue ?? 0) < 2000)
    }

    @Test func overlapIsSkippedAndRecorded() throws {
        let session = try Session(jobs: [
            ["name": "slow", "cron": "* * * * * *", "command": ["sleep", "1.5"]]
        ])
        try session.start()
        let started = try session.signal("JobStarted", "slow")
        let missed = try session.signal("JobMissed", "slow")
        #expect(missed[2] == "overlap")
        let run = try session.waitForRun(started[1])
        #expect(run["status"] == "success")
        let skipped = try session.json("query_history", "{\"status\": \"skipped\"}")["runs"]?.arrayValue ?? []
        let first = try #require(skipped.last)
        #expect(first["reason"] == "overlap")
        #expect(first.text("scheduled_for") == missed[1])
        #expect(first["started_at"] == .null)
        // At no time two of them.
        var active = 0
        for heard in session.signals where heard.member != "Event" {
            if heard.member == "JobStarted" { active += 1 }
            if heard.member == "JobCompleted" { active -= 1 }
            #expect(active <= 1)
        }
    }

    @Test func aManualRunWaitsForTheActiveOne() throws {
        let session = try Session(jobs: [["name": "slow", "command": ["sleep", "0.7"]]])
        try session.start()
        let first = try session.json("run_job", "slow")
        let second = try session.json("run_job", "slow")
        #expect(first["status"] == "running")
        #expect(second["status"] == "queued")
        #expect(second["started_at"] == .null)
        #expect(try session.job("slow")["running"] == [.string(first.text("execution_id"))])
        #expect(try session.waitForRun(second.text("execution_id"))["status"] == "success")
        let order = session.signals.filter { $0.member != "Event" }.map { "\($0.member) \($0[1])" }
        let (one, two) = (first.text("execution_id"), second.text("execution_id"))
        #expect(order == ["JobStarted \(one)", "JobCompleted \(one)", "JobStarted \(two)", "JobCompleted \(two)"])
    }

    @Test func theGlobalLimitHoldsRunsBack() throws {
        let session = try Session(
            jobs: (1...3).map { ["name": .string("j\($0)"), "command": ["sleep", "0.5"]] },
            ["max_concurrent_executions": 2])
        try session.start()
        let runs = try (1...3).map { try session.json("run_job", .string("j\($0)")) }
        #expect(runs.map { $0.text("status") } == ["running", "running", "queued"])
        for run in runs { #expect(try session.waitForRun(run.text("execution_id"))["status"] == "success") }
    }

    static func members(ofGroup group: Int) -> [Int] {
        ScratchFolder.names(in: "/proc").compactMap { Int($0) }.filter { pid in
            let fields = (TestFile.text("/proc/\(pid)/stat").split(separator: ")").last ?? "").split(separator: " ")
            return fields.count > 2 && fields[2] == "\(group)" && fields[0] != "Z"
        }
    }

    /// POSIX seconds of an RFC 3339 instant in UTC.
    static func seconds(_ text: String) -> Int? {
        let numbers = text.split { !$0.isNumber }.compactMap { Int32($0) }
        guard text.hasSuffix("+00:00"), numbers.count == 8 else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (numbers[0] - 1900, numbers[1] - 1, numbers[2])
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[3], numbers[4], numbers[5])
        return timegm(&parts)
    }
}
