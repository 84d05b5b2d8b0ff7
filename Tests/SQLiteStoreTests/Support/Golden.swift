import Glibc
import SQLiteStore
import Schedules
import Scheduling
import Store
import TestSupport
import Testing

/// Stores as each released version wrote them: `Golden/v<N>.sql`, as the `sqlite3` shell dumps them.
///
/// With `BOTCRON_WRITE_GOLDEN=FOLDER` the test `writesANewGoldenFile` leaves a store in that folder, to be dumped when
/// there is a new version: `sqlite3 botcron.db .dump`, with the two pragmas of `Golden/v1.sql` at its end.
enum Golden {
    static func script(_ version: Int) throws -> String {
        try TestFile.ownText(TestPlace.package + "/Tests/SQLiteStoreTests/Golden/v\(version).sql")
    }

    /// What the golden files hold.
    static let changes: [StoreChange] = {
        // Chosen once; what follows from it is in the files.
        var random = SeededGenerator(seed: 2026, isBounded: false)
        // No text with a NUL: the shell's dump cannot hold one.
        var runs: [Run] = []
        while runs.count < 20 {
            let run = random.run(runs.count)
            if !"\(run)".utf8.contains(0) && !"\(run)".contains("\\0") { runs.append(run) }
        }
        var state = makeState()
        state.isEnabledOverride = false
        state.lastDuration = .milliseconds(1500)
        state.lastStatus = .timeout
        state.budgetUse.cost = 0.25
        var attempt = Attempt(run: runs[0].id, number: 1, startedAt: Instant(seconds: 5))
        attempt.exit = .signal(9)
        let definition = StoreChange.definition(
            job: "tea", version: 3, json: #"{"cron": "0 16 * * *"}"#, createdAt: Instant(seconds: 7))
        return runs.map { .run($0) }
            + [.attempt(attempt), .jobState(state), definition, .schedulerOverride(true)]
            + [.run(makeRun(77, job: "gone")), .prune(job: "gone", keep: 0)]
    }()

    /// All that a store tells of them.
    static func contents(_ store: SQLiteStore) throws -> [String] {
        let runs = try store.history(HistoryQuery(limit: 1000)).runs
        return try runs.map { "\($0)" } + runs.map { "\(try store.attempts(ofRun: $0.id))" }
            + ["\(try store.load())", "\(try Run.Status.allCases.map { try store.statistics().count(of: $0) })"]
            + ["\(store.isTaken(executionID: "cron-gone-77"))"]
    }
}

@Suite struct GoldenFiles {
    @Test(.enabled(if: getenv("BOTCRON_WRITE_GOLDEN") != nil, "only to make a new golden file"))
    func writesANewGoldenFile() throws {
        let folder = try #require(getenv("BOTCRON_WRITE_GOLDEN"))
        let store = try SQLiteStore(path: String(cString: folder) + "/botcron.db")
        try store.commit(Golden.changes)
        store.close()
    }
}
