import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// An answer settles: what was answered with success took effect, and what was answered with an error never does, not
/// later and not after a restart, however the store fails and whatever is asked.
@Suite(.ownThread) struct RefusedRequestSweepTests {
    private static let isLong = getenv("BOTCRON_LONG_TESTS") != nil
    /// In the long test each request is asked alone, too.
    private static var batches: Int { isLong ? 10 : 1 }

    /// Alone and in company in the long test; in the short one the seed decides which.
    @Test(arguments: StoreOutage.allCases, isLong ? [false, true] : [nil])
    func whatWasAnsweredIsWhatCameOfIt(_ outage: StoreOutage, company: Bool?) throws {
        let seed = SeededGenerator.seed()
        let hasCompany = company ?? (seed % 2 == 0)
        let sweep = try RefusalSweep(outage, hasCompany: hasCompany, SeededGenerator(seed: seed))
        // Of those that all schedules have in common there is one a round, another one for each outage.
        var common = (StoreOutage.allCases.firstIndex(of: outage) ?? 0) + (hasCompany ? 3 : 0)
        for _ in 0..<Self.batches {
            for course in RefusalSweep.Course.allCases {
                common += 1
                let ofTheScheduler = Asking.ofTheScheduler[common % Asking.ofTheScheduler.count]
                try sweep.run(Asking.independent + [ofTheScheduler], course)
            }
        }
        for asking in Self.isLong ? Asking.all : [] {
            for course in RefusalSweep.Course.allCases { try sweep.run([asking], course) }
        }
        #expect(sweep.violations.isEmpty, "seed \(seed): \(sweep.violations.joined(separator: "\n"))\n\(sweep.log)")
        #expect(sweep.refusals > 0, "seed \(seed): nothing was refused")
        print(
            "refusal sweep: seed \(seed), \(outage), \(hasCompany ? "in company" : "alone"):",
            "\(sweep.successes) successes, \(sweep.refusals) refusals, \(sweep.unanswered) without an answer")
    }

    /// The daemon says itself what it can be asked: a new method needs a row, or a reason.
    @Test func everyMethodHasARowOrAReason() throws {
        let session = try Session(jobs: [["name": "held", "command": ["sleep", "1000"]]])
        try session.start()
        let run = try session.json("run_job", "held").text("execution_id")
        let names = try MethodList.names(session, run: run, job: "held")
        let (rows, exempt) = (Set(Asking.all.map(\.name)), Set(Asking.exempt.keys))
        #expect(names.subtracting(rows).subtracting(exempt).sorted() == [], "neither a row nor a reason")
        #expect(exempt.subtracting(names).sorted() == [], "a reason for nothing")
        #expect(rows.intersection(exempt).sorted() == [], "a row and a reason")
        #expect(rows.subtracting(names).sorted() == [], "a row for nothing")
    }

    enum Stop: CaseIterable { case signal, method }

    /// Who has a job that fills the disk has to be able to end it.
    @Test(arguments: StoreOutage.allCases, Stop.allCases)
    func aRunCanBeCancelledAndTheDaemonStoppedInAnOutage(_ outage: StoreOutage, _ stop: Stop) throws {
        let session = try Session(jobs: [
            ["name": "runaway", "command": ["sh", "-c", "echo > runaway; while :; do echo full; sleep 0.01; done"]],
            ["name": "ended", "command": ["sh", "-c", "echo > ended; exec sleep 1000"], "on_stop": "kill"],
            ["name": "left", "command": ["sh", "-c", "echo > left; exec sleep 1000"]],
        ])
        let disk = try FailingDisk(session.scratch.path + "/switch")
        let daemon = try session.start([], try FaultLibrary.environment(disk))
        var runs: [String: String] = [:]
        for job in ["runaway", "ended", "left"] {
            runs[job] = try session.json("run_job", .string(job)).text("execution_id")
            try session.look(for: "the run of \(job)") { TestFile.bytes(session.scratch.path + "/home/" + job) != nil }
        }
        var lock: OtherProgram?
        if let failure = outage.failure(session) {
            disk.fail(failure)
        } else {
            lock = try OtherProgram(session)
            try lock?.execute("BEGIN IMMEDIATE")
        }
        try session.done("cancel_run", .string(runs["runaway"] ?? ""))
        let refused = try session.refusal("run_job", "left")
        #expect(refused.name == "com.aiworkflow.BotCron.Error.StoreFailed")
        switch stop {
        case .signal: daemon.signal(SIGTERM)
        case .method: #expect(try session.json("Shutdown")["error"] == nil)
        }
        #expect(try session.end(daemon) == 0, "\(daemon.text)")
        try session.wait("the name free") { session.owner == nil }
        disk.mend()
        lock = nil

        try session.start()
        #expect(try session.waitForRun(runs["runaway"] ?? "")["status"] == "cancelled")
        // Its supervisor kept that it was ended, and not for whom.
        #expect(try session.waitForRun(runs["ended"] ?? "")["status"] == "cancelled")
        #expect(try session.run(runs["left"] ?? "")["status"] == "running")
        #expect(try session.history().count == 3)
    }
}
