import Glibc
import SQLiteStore
import Schedules
import Scheduling
import Store
import TestSupport
import Testing

/// A process that commits all the time is killed at random moments; what it had reported must be there.
@Suite struct CrashTests {
    let scratch = Scratch()

    private static let kills = 40
    /// For one kill; a child that reports nothing for so long fails the test.
    private static let deadlineMilliseconds: Int32 = 10_000

    @Test func everythingReportedIsThereAndNothingIsHalfThere() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        var last = 0
        for kill in 1...Self.kills {
            let child = try Child(database: scratch.database)
            // Some die before their first commit, some in the middle of one, some in a checkpoint.
            let reports = random.chance(0.2) ? 0 : Int.random(in: 1...30, using: &random)
            try child.wait(forReports: reports, deadlineMilliseconds: Self.deadlineMilliseconds)
            // A moment that nobody chose: what it falls into is what is tested.
            usleep(UInt32.random(in: 0..<4000, using: &random))
            let reported = child.kill() ?? last
            last = try check(reported: max(reported, last), "seed \(seed), kill \(kill)")
        }
        #expect(last > Self.kills)
    }

    /// The number of the last transaction that is there.
    private func check(reported: Int, _ comment: Comment) throws -> Int {
        let store = try SQLiteStore(path: scratch.database)
        defer { store.close() }
        let state = try store.load()
        let number = state.jobs.first?.executions ?? 0
        // One more may have been committed and not yet reported.
        #expect(number == reported || number == reported + 1, comment)
        guard number > 0 else { return 0 }

        #expect(state.activeRuns.map(\.id) == ["cron-crash-\(number)"], comment)
        let totals = try store.statistics()
        #expect(totals.recorded == number && totals.active == 1 && totals.successful == number - 1, comment)
        let runs = try store.history(HistoryQuery(limit: 1000)).runs
        let oldest = number - runs.count + 1
        #expect(runs.map(\.id) == (oldest...number).reversed().map { "cron-crash-\($0)" }, comment)
        #expect(runs.count >= min(number, 50) && runs.count <= 61, comment)
        for run in runs {
            #expect(try store.attempts(ofRun: run.id).count == 1, comment)
        }
        for removed in 1..<max(oldest, 1) {
            #expect(store.isTaken(executionID: "cron-crash-\(removed)"), comment)
        }
        #expect(try OtherProgram(scratch.database).rows("PRAGMA integrity_check") == ["ok"], comment)
        return number
    }
}

/// The process that is killed: `Tests/SQLiteStoreCrashChild`.
private final class Child {
    private let process: TestProgram
    private var received: [UInt8] = []

    init(database: String) throws {
        let program = TestPlace.built("store-crash-child")
        process = try TestProgram([program, database], environment: nil, errors: .inherited)
    }

    func wait(forReports count: Int, deadlineMilliseconds: Int32) throws {
        while received.count(where: { $0 == UInt8(ascii: "\n") }) < count {
            var descriptor = pollfd(fd: process.output, events: Int16(POLLIN), revents: 0)
            try #require(poll(&descriptor, 1, deadlineMilliseconds) == 1, "no report within the deadline")
            try #require(receive(), "the child ended by itself")
        }
    }

    /// Ends it, and gives the last number that it reported.
    func kill() -> Int? {
        process.end()
        while receive() {}
        // A line that was cut is no report.
        let lines = String(decoding: received, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.dropLast().last.flatMap { Int($0) }
    }

    /// False at the end of the pipe.
    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(process.output, &buffer, buffer.count)
        guard count > 0 else { return false }
        received += buffer[..<count]
        return true
    }
}
