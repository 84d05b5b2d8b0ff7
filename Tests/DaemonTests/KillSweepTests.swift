import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// A daemon that is killed over and over, at any moment and around every system call that keeps something, while jobs
/// of all policies run. Afterwards the store, the processes and the signals must tell the same story.
@Suite(.ownThread) struct KillSweepTests {
    private static let isLong = getenv("BOTCRON_LONG_TESTS") != nil
    private static var points: Int { isLong ? 2000 : 100 }

    /// Each process writes down that it started and how it will end; one that is killed has no second line.
    private static func job(
        _ name: String, sleeps seconds: String, exits code: String = "0", _ more: JSONObject = [:]
    ) -> JSONValue {
        let script = """
            echo "S $BOTCRON_JOB $BOTCRON_EXECUTION_ID $BOTCRON_ATTEMPT $BOTCRON_SOURCE $BOTCRON_SCHEDULED_AT" >> $LEDGER
            printf '%s %3000s\\n' $BOTCRON_EXECUTION_ID.$BOTCRON_ATTEMPT end
            code=\(code); sleep \(seconds)
            echo "E $BOTCRON_EXECUTION_ID $BOTCRON_ATTEMPT $code" >> $LEDGER
            exit $code
            """
        var job: JSONObject = [
            "name": .string(name), "cron": "* * * * * *", "command": ["sh", "-c", .string(script)],
            "history_limit": 100_000, "retry": false,
        ]
        for (key, value) in more { job[key] = value }
        return .object(job)
    }

    private static let jobs: [JSONValue] = [
        job("steady", sleeps: "0.05"),
        job("bad", sleeps: "0.02", exits: "7"),
        job(
            "flaky", sleeps: "0.02", exits: "$((BOTCRON_ATTEMPT == 1 ? 3 : 0))",
            ["retry": ["max_attempts": 3, "delay_seconds": 0.1]]),
        job("long", sleeps: "1.7"),
        job("queued", sleeps: "0.3", ["overlap_policy": "queue"]),
        job("one", sleeps: "1.2", ["overlap_policy": "queue_one"]),
        job("allowed", sleeps: "1.4", ["overlap_policy": "allow"]),
        job("replaced", sleeps: "1.6", ["overlap_policy": "replace"]),
        job("manual", sleeps: "0.1", ["cron": .null]),
    ]

    private static func session() throws -> (Session, ledger: String) {
        let session = try Session(jobs: jobs, ["max_concurrent_executions": 100])
        let ledger = session.scratch.path + "/ledger"
        try TestFile.write("", to: ledger)
        return (session, ledger)
    }

    // MARK: - The sweeps

    @Test func nothingIsLostOrDoubledHoweverOftenTheDaemonIsKilled() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let (session, ledger) = try Self.session()
        var promised: Set<String> = []
        var deaths: [String: Int] = [:]
        var unsent: Set<Untold> = []
        for point in 0..<Self.points {
            let fault = point % 2 == 0 ? nil : Self.killingFault(&random)
            var changes: [String: String?] = ["LEDGER": ledger]
            let telling = session.scratch.path + "/telling"
            changes.merge(try FaultLibrary.environment(tellingIn: telling)) { $1 }
            if let fault { changes.merge(try FaultLibrary.environment(fault)) { $1 } }
            let daemon = try session.launch([], changes)
            let patience = Double.random(in: fault == nil ? 0...0.5 : 0.6...0.7, using: &random)
            // A client asks meanwhile; what it is promised has to come true.
            if Bool.random(using: &random) {
                try? session.wait("the name owned", seconds: patience) { session.owner != nil || daemon.code != nil }
                let asked = RemoteCall(
                    Session.name, Session.path, Session.interface, "run_job", [.string("manual")], startsService: false)
                session.client.call(asked) { result in
                    guard case .success(let values) = result, let text = values.first?.asString,
                        let run = try? JSONValue(parsing: text)
                    else { return }
                    promised.insert(run.text("execution_id"))
                }
            }
            try? session.wait("its death", seconds: patience) { daemon.code != nil }
            let isDead = daemon.code != nil
            deaths[fault.map { isDead ? $0.call.rawValue : "in vain" } ?? "moment", default: 0] += 1
            if isDead, fault == nil {
                throw TestFailure("botcrond ended by itself: \(daemon.code ?? 0) \(daemon.text)")
            }
            try session.crash(daemon)
            // Killed from outside, at a moment of chance: with a fault that never came, too.
            guard !isDead else { continue }
            let untold = try Untold.afterMark(session)
            // It has to have been at it: a busy machine makes that moment long, but nothing else happens in it.
            if !untold.isEmpty, FaultLibrary.telling(telling) == .nothing {
                Issue.record("seed \(seed), point \(point): killed while it sent nothing, and not told: \(untold)")
            }
            unsent.formUnion(untold)
        }
        let story = try Story(session, ledger, promised, unsent)
        #expect(story.violations.isEmpty, "seed \(seed): \(story.violations.joined(separator: "\n"))")
        #expect(story.processCount > Self.points / 4, "seed \(seed): too little happened")
        print(
            "kill sweep: seed \(seed), \(Self.points) kills \(deaths),",
            "\(unsent.count) signals killed as they were sent,", story.summary)
    }

    private static func killingFault(_ random: inout SeededGenerator) -> FaultLibrary.Fault {
        let call =
            [FaultLibrary.Fault.Call.write, .write, .sync, .sync, .rename, .spawn, .spawn]
            .randomElement(using: &random) ?? .write
        let most = [.write: 60, .sync: 14, .rename: 3, .spawn: 9][call] ?? 1
        return FaultLibrary.Fault(
            call: call, number: Int.random(in: 1...most, using: &random),
            effect: Bool.random(using: &random) ? .kill : .killAfter)
    }

    /// What the kernel may refuse, at each of the first calls of a kind: more than a daemon makes in its second.
    private static let refusals: [FaultLibrary.Fault] = {
        let kinds: [(FaultLibrary.Fault.Call, Int, [Int32])] = [
            (.write, 120, [ENOSPC, EIO]), (.sync, 12, [EIO, ENOSPC]), (.rename, 6, [EIO, ENOSPC]),
            (.spawn, 12, [EAGAIN, ENOMEM]), (.open, 120, [EMFILE, ENFILE]), (.memory, 12, [EMFILE, ENOMEM]),
        ]
        return kinds.flatMap { call, count, codes in
            (1...count).flatMap { number in codes.map { .init(call: call, number: number, effect: .error($0)) } }
        }
    }()

    /// All of them in the long tests, some by chance else.
    @Test func oneCallThatFailsLosesNothing() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let (session, ledger) = try Self.session()
        let faults = Self.isLong ? Self.refusals : Array(Self.refusals.shuffled(using: &random).prefix(30))
        for fault in faults {
            var changes: [String: String?] = ["LEDGER": ledger]
            changes.merge(try FaultLibrary.environment(fault)) { $1 }
            let daemon = try session.launch([], changes)
            try? session.wait("its end", seconds: 1.3) { daemon.code != nil }
            // One that cannot start says why, and ends; one that runs goes on. Either may take its time.
            try session.wait("its end or its name, with \(fault)") { session.owner != nil || daemon.code != nil }
            if daemon.code == nil, (try? session.json("HealthCheck")["healthy"]) == nil {
                try session.wait("the end of one that does not answer, with \(fault)") { daemon.code != nil }
            }
            if let code = daemon.code {
                #expect(code > 0 && code < 128, "seed \(seed): \(fault) ended it with \(code): \(daemon.text)")
                #expect(daemon.text.contains(/cannot|could not/), "seed \(seed): \(fault): \(daemon.text)")
            } else {
                #expect(try session.stop(daemon) == 0, "seed \(seed): \(fault): \(daemon.text)")
            }
        }
        let story = try Story(session, ledger, [], [])
        #expect(story.violations.isEmpty, "seed \(seed): \(story.violations.joined(separator: "\n"))")
        print("error sweep: seed \(seed), \(faults.count) calls refused one at a time, \(story.summary)")
    }
}

/// A signal that its daemon was killed over, between the mark that it is told and the sending: the one loss that cannot
/// be repaired, because nobody can say afterwards on which side of the kill it was. The store says that this was the
/// moment: the last words are marked as told, and the bus, which has passed on all that came before it told of the
/// daemon's end, has not had them.
private struct Untold: Hashable {
    let run: String
    let member: String

    private static let members = ["started": "JobStarted", "completed": "JobCompleted", "failed": "JobFailed"]

    static func afterMark(_ session: Session) throws -> [Untold] {
        let store = session.stateFolder + "/botcron.db"
        guard let mark = TestFile.bytes(store + "-told"), mark.count == 8 else { return [] }
        let told = mark.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        // Of a copy: whoever opens the store folds its log into it.
        let script = """
            import os, shutil, sqlite3, sys
            for end in ("", "-wal"):
                if os.path.exists(sys.argv[1] + end): shutil.copy(sys.argv[1] + end, sys.argv[2] + end)
            row = sqlite3.connect(sys.argv[2]).execute("SELECT value FROM setting WHERE name = 'untold'").fetchone()
            print(row[0] if row else "")
            """
        let copy = session.scratch.path + "/copy.db"
        let words = try session.run(["/usr/bin/python3", "-I", "-c", script, store, copy]).output
        for end in ["", "-wal", "-shm"] { unlink(copy + end) }
        let lines = words.split(separator: "\n")
        guard let number = lines.first.flatMap({ UInt64($0) }), number <= told else { return [] }
        return lines.dropFirst().compactMap { line in
            let parts = line.split(separator: " ").map(String.init)
            guard parts.count > 1, let member = members[parts[0]] else { return nil }
            let isHeard = session.signals.contains { $0.member == member && $0[1] == parts[1] }
            return isHeard ? nil : Untold(run: parts[1], member: member)
        }
    }
}

/// What the processes, the store and the signals say, compared.
private struct Story {
    private(set) var violations: [String] = []
    private(set) var processCount = 0
    private var runCount = 0

    var summary: String { "\(processCount) processes, \(runCount) runs, \(violations.count) violations" }

    /// Starts a last daemon, lets everything come to its end, and compares.
    init(_ session: Session, _ ledger: String, _ promised: Set<String>, _ unsent: Set<Untold>) throws {
        try session.start([], ["LEDGER": ledger])
        try session.done("toggle_scheduler", .bool(false))
        try session.wait("no active run", seconds: 300, everyUSec: 100_000) {
            try session.json("GetStatus")["active_runs"] == []
        }
        try session.settle()
        let runs = try session.allRuns()
        runCount = runs.count
        let byID = Dictionary(runs.map { ($0.text("execution_id"), $0) }) { first, _ in first }
        if byID.count != runs.count { violations.append("the history has a run twice") }

        try compareProcesses(session, TestFile.text(ledger), byID)
        compareSignals(session, byID, unsent)
        for id in promised where byID[id] == nil { violations.append("\(id) was promised and is not on record") }
        for (id, run) in byID where ["running", "queued", "retrying"].contains(run.text("status")) {
            violations.append("\(id) is \(run.text("status")) for ever")
        }
    }

    private mutating func compareProcesses(_ session: Session, _ ledger: String, _ runs: [String: JSONValue]) throws {
        var codes: [String: Int] = [:]
        var started: [(id: String, attempt: Int)] = []
        var byFireTime: [String: String] = [:]
        for line in ledger.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words[0] == "E" {
                codes["\(words[1]).\(words[2])"] = Int(words[3])
                continue
            }
            let (job, id) = (words[1], words[2])
            started.append((id, Int(words[3]) ?? 0))
            if words[4] != "manual" {
                let fireTime = "\(job) at \(words[5])"
                if let other = byFireTime.updateValue(id, forKey: fireTime), other != id {
                    violations.append("\(fireTime) ran as \(other) and as \(id)")
                }
            }
        }
        processCount = started.count
        let byName = Dictionary(grouping: started, by: { "\($0.id).\($0.attempt)" })
        for (name, starts) in byName where starts.count > 1 {
            violations.append("\(name) was started \(starts.count) times")
        }
        for (id, number) in started {
            guard let run = runs[id] else {
                violations.append("\(id) ran and is not on record")
                continue
            }
            let attempts = try session.run(id)["attempts"]?.arrayValue ?? []
            guard let attempt = attempts.first(where: { $0["attempt"] == .number(number) }) else {
                violations.append("attempt \(number) of \(id) ran and is not on record: \(run)")
                continue
            }
            if let code = codes["\(id).\(number)"] {
                // One that was told to end in its last instant may have reached its end before it heard of it.
                if attempt["exit_code"] != .number(code) { violations.append("\(id) exited with \(code): \(attempt)") }
            } else if attempt["signal"] != 15 || run.text("status") != "cancelled" {
                violations.append("\(id) did not get to its end: \(attempt) \(run)")
            }
            guard attempts.count == number else { continue }
            let output = try session.call("get_output", .string(id), .int64(0), .uint32(0))[0].asBytes ?? []
            let expected = "\(id).\(number) " + String(repeating: " ", count: 2997) + "end\n"
            if String(decoding: output, as: UTF8.self) != expected {
                violations.append("the output of \(id) is not whole: \(output.count) bytes")
            }
        }
    }

    private mutating func compareSignals(_ session: Session, _ runs: [String: JSONValue], _ unsent: Set<Untold>) {
        var told: [String: [String]] = [:]
        for signal in session.signals where ["JobStarted", "JobCompleted", "JobFailed"].contains(signal.member) {
            told[signal[1], default: []].append(signal.member)
        }
        for (id, run) in runs {
            let status = run.text("status")
            guard status != "skipped", status != "missed" else { continue }
            let expected = ["JobStarted", status == "success" ? "JobCompleted" : "JobFailed"]
                .filter { !unsent.contains(Untold(run: id, member: $0)) }
            if told[id, default: []] != expected {
                violations.append("\(id), \(status), was told as \(told[id] ?? [])")
            }
        }
        for id in told.keys where runs[id] == nil { violations.append("\(id) was told and is not on record") }
    }
}
