import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// Supervisors that are started before their runs are due.
@Suite(.ownThread) struct PreparationTests {
    struct Supervisor: Equatable {
        var pid: Int
        var run: String

        /// Whether what it is for has been started.
        var hasProcess: Bool { !TestFile.text("/proc/\(pid)/task/\(pid)/children").isEmpty }
    }

    /// Those of a daemon, whatever they do.
    private static func supervisors(of daemon: Program) -> [Supervisor] {
        let children = TestFile.text("/proc/\(daemon.pid)/task/\(daemon.pid)/children").split(separator: " ")
        return children.compactMap { Int($0) }.compactMap { pid in
            let words = TestFile.text("/proc/\(pid)/cmdline").split(separator: "\0").map(String.init)
            guard words.count >= 2, words[0].hasSuffix("/botcron-run") else { return nil }
            return Supervisor(pid: pid, run: words[1])
        }
    }

    private static var now: Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// Waits for the supervisors that are there before their runs; gives the instant at which those are due, too.
    private func prepared(_ session: Session, _ daemon: Program) throws -> (found: [Supervisor], due: Double) {
        while true {
            var found: [Supervisor] = []
            var seen = 0.0
            try session.look(for: "a supervisor that was prepared") {
                seen = Self.now
                found = Self.supervisors(of: daemon)
                return !found.isEmpty
            }
            // On a loaded machine they may have been found too late.
            let due = (seen + 0.3).rounded(.down)
            guard seen < due, Self.now < due else { continue }
            return (found, due)
        }
    }

    /// A job that writes down, every second, which run it is, this word, and what it reads.
    private static func tick(_ word: String, input: String = "") -> JSONValue {
        [
            "name": "tick", "cron": "* * * * * *", "stdin": .string(input),
            "command": ["sh", "-c", .string("echo $BOTCRON_EXECUTION_ID \(word) $(cat) >> ticks")],
        ]
    }

    /// The lines of all runs so far, by run.
    private func ticks(_ session: Session) -> [String: [String]] {
        let lines = TestFile.text(session.scratch.path + "/home/ticks").split(separator: "\n").map(String.init)
        return Dictionary(grouping: lines) { $0.split(separator: " ").first.map(String.init) ?? "" }
    }

    private func folders(_ session: Session) -> [String] { ScratchFolder.names(in: session.stateFolder + "/runs") }

    /// To see what lasts 0.2 s before a fire time: on a loaded machine the daemon, or we, may look too late many times.
    private static let tries = 30

    @Test func aSupervisorIsThereBeforeItsRunAndTakesIt() throws {
        let session = try Session(jobs: [Self.tick("one", input: "text")])
        let daemon = try session.start()
        let (found, due) = try prepared(session, daemon)
        #expect(found.count == 1)
        // Nothing has been decided, and nothing been told.
        let early = try session.reply("get_run", [.string(found[0].run)])
        if Self.now < due {
            guard case .failure(let error) = early else {
                Issue.record("there is a run before its fire time: \(early)")
                return
            }
            #expect(error.name.text == "com.aiworkflow.BotCron.Error.RunNotFound")
            #expect(session.story(found[0].run) == [])
        }
        let started = try session.signal("JobStarted", "tick", found[0].run)
        #expect(Self.now >= due, "\(started)")
        let run = try session.waitForRun(found[0].run)
        #expect(run["status"] == "success")
        #expect(run.text("scheduled_for").isEmpty == false)
        // The record begins when the process does, not when its supervisor was there.
        let begin = try #require(FiringTests.seconds(run.text("started_at")))
        #expect(Double(begin) >= due)
        let identity = TestFile.text("\(session.stateFolder)/runs/\(found[0].run).1/identity")
        #expect(identity.contains("\n\(found[0].pid)\n"), "\(identity)")
        #expect(ticks(session)[found[0].run] == ["\(found[0].run) one text"])
    }

    @Test func whatIsNotRunAfterAllLeavesNothing() throws {
        let session = try Session(jobs: [Self.tick("one")])
        let daemon = try session.start()
        for _ in 0..<20 {
            let (found, due) = try prepared(session, daemon)
            try session.done("toggle_job", "tick", .bool(false))
            let isInTime = Self.now < due
            try session.look(for: "the end of all supervisors") { Self.supervisors(of: daemon).isEmpty }
            if isInTime {
                #expect(ticks(session)[found[0].run] == nil)
                try session.look(for: "no folder") { !folders(session).contains("\(found[0].run).1") }
                #expect(!(try session.history().map { $0.text("execution_id") }.contains(found[0].run)))
                return
            }
            try session.done("toggle_job", "tick", .bool(true))
        }
        Issue.record("never in time")
    }

    /// The supervisor that was prepared has the old input.
    @Test func aDefinitionThatChangesAtTheLastMomentIsTheOneThatRuns() throws {
        let session = try Session(jobs: [Self.tick("word0", input: "input0")])
        let daemon = try session.start()
        for round in 1..<20 {
            let (found, due) = try prepared(session, daemon)
            let job = Self.tick("word\(round)", input: "input\(round)")
            try TestFile.write(Session.config(jobs: [job]), to: session.configFile)
            _ = try session.json("reload_config")
            guard Self.now < due else { continue }
            try session.signal("JobStarted", "tick", found[0].run)
            #expect(try session.waitForRun(found[0].run)["status"] == "success")
            #expect(ticks(session)[found[0].run] == ["\(found[0].run) word\(round) input\(round)"])
            let identity = TestFile.text("\(session.stateFolder)/runs/\(found[0].run).1/identity")
            #expect(!identity.contains("\n\(found[0].pid)\n"), "\(identity)")
            return
        }
        Issue.record("never in time")
    }

    @Test func aDaemonThatIsKilledBetweenPreparationAndFireTimeStartsNothing() throws {
        let session = try Session(jobs: [Self.tick("one")])
        var daemon = try session.start()
        var killed: [String] = []
        for _ in 0..<3 {
            let (found, _) = try prepared(session, daemon)
            try session.crash(daemon)
            killed += found.map(\.run)
            try session.look(for: "the end of its supervisors") {
                found.allSatisfy { ProcessState.isGone($0.pid) || ticks(session)[$0.run] != nil }
            }
            daemon = try session.start()
        }
        try session.signal("JobCompleted", "tick", after: session.signals.count)
        try session.done("toggle_job", "tick", .bool(false))
        try session.wait("all runs over") { try session.job("tick")["running"] == [] }
        let all = ticks(session)
        #expect(all.values.allSatisfy { $0.count == 1 }, "\(all)")
        // The fire time is the next daemon's: run by it, or one that a later run stands for.
        let records = try session.history().map { $0.text("execution_id") }
        #expect(Set(all.keys).isSubset(of: records), "\(all.keys) \(records)")
        #expect(killed.count == 3)
    }

    @Test func oneThatCannotStartAfterAllEndsWhenItWasDue() throws {
        for _ in 0..<Self.tries {
            let session = try Session(jobs: [
                ["name": "tick", "cron": "* * * * * *", "command": ["true"], "environment_file": "/none/such"],
                [
                    "name": "slow", "cron": "* * * * * *", "command": ["sleep", "10"], "max_executions": 1,
                    "stdin": "text",
                ],
            ])
            let daemon = try session.start()
            let (first, due) = try prepared(session, daemon)
            var found = first
            // One is started after the other.
            try session.look(for: "both") {
                found = Self.supervisors(of: daemon)
                return found.count == 2
            }
            let slow = try #require(found.first { $0.run.contains("slow") })
            // The daemon may have started too late in its second to prepare it.
            guard !slow.hasProcess, Self.now < due else { continue }
            let failed = try #require(found.first { $0.run.contains("tick") }).run
            try session.signal("JobStarted", "tick", failed)
            let run = try session.waitForRun(failed)
            #expect(run["status"] == "failed" && run.text("error").contains("/none/such"), "\(run)")
            for key in ["started_at", "completed_at"] {
                #expect(Double(try #require(FiringTests.seconds(run.text(key)))) >= due, "\(run)")
            }
            // One that is killed has begun when it was due, too; before that it would be launched again.
            try session.look(for: "its process") { slow.hasProcess }
            kill(pid_t(slow.pid), SIGKILL)
            let lost = try session.waitForRun(slow.run)
            #expect(lost["status"] == "interrupted", "\(lost)")
            let begin = try session.run(slow.run)["attempts"]?[0]?.text("started_at") ?? ""
            #expect(Double(try #require(FiringTests.seconds(begin))) >= due, "\(lost)")
            return
        }
        Issue.record("never in time")
    }

    @Test func ofManyThatAreDueAtOnceSomeArePreparedAndAllRun() throws {
        for _ in 0..<Self.tries {
            let most = try preparedOfMany()
            #expect(most <= 8)
            // On a loaded machine the daemon, or we, may have looked too late.
            if most > 0 { return }
        }
        Issue.record("never in time")
    }

    /// How many of thirty were seen prepared at once, when all of them have ended.
    private func preparedOfMany() throws -> Int {
        var due = time_t(Self.now) + 3
        var parts = tm()
        gmtime_r(&due, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let once =
            "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T"
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
        let jobs: [JSONValue] = (0..<30).map {
            ["name": .string("job\($0)"), "once": .string(once), "command": ["true"]]
        }
        let session = try Session(jobs: jobs, ["max_concurrent_executions": 30])
        let daemon = try session.start()
        var most = 0
        try session.look(for: "the fire time") {
            let count = Self.supervisors(of: daemon).count
            if Self.now < Double(due) { most = max(most, count) }
            return Self.now >= Double(due)
        }
        try session.wait("all ended") {
            session.signals.count { $0.member == "JobCompleted" } == 30
        }
        try session.look(for: "no supervisor left") { Self.supervisors(of: daemon).isEmpty }
        return most
    }
}
