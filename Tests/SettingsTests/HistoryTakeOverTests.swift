import Configuration
import EventLoop
import JSON
import Performing
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Settings

/// cron_history.json of an older program.
@Suite struct HistoryTakeOverTests {
    private func entry(_ number: Int, job: String = "one", success: Bool = true) -> String {
        let minute = number % 60 < 10 ? "0\(number % 60)" : "\(number % 60)"
        let hour = number / 60 % 24 < 10 ? "0\(number / 60 % 24)" : "\(number / 60 % 24)"
        return
            "{\"job_name\": \"\(job)\", \"skill\": \"s\", \"timestamp\": \"2026-02-0\(1 + number / 1440 % 9)T\(hour):\(minute):00\", "
            + "\"duration_ms\": 1000, \"success\": \(success), \"output_preview\": \"{[,\\\"]}\"}"
    }

    private func history(_ entries: [String]) -> String {
        "{\"version\": {\"executions\": [1, 2]}, \"executions\": [\n\(entries.joined(separator: ",\n"))\n], \"x\": [\"y\"]}"
    }

    @Test func runsBecomeHistoryAndTheirJobsRememberThem() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one", "two"))
        try stage.write(
            history([
                entry(1), entry(2, success: false), entry(3, job: "two"), entry(4, success: false), "5", "{}",
                "[{\"a\": \"]\"}]", entry(5, job: "unknown"),
            ]), to: "cron_history.json")
        try stage.start()
        #expect(stage.store.runs.count == 5)
        let one = try #require(stage.core.job(named: "one")?.state)
        #expect(one.runCount == 3 && one.failureCount == 2 && one.failuresInARow == 2)
        #expect(one.lastStatus == .failed)
        #expect(stage.core.job(named: "two")?.state.lastStatus == .success)
        #expect(
            stage.log.lines.contains { $0.contains("took over") && $0.contains("RUNS=5") && $0.contains("REFUSED=3") })
        #expect(stage.store.notes["olderHistory"] == nil)
        // Only once.
        let next = try Stage(store: stage.store, in: stage.scratch)
        try next.start()
        #expect(next.core.job(named: "one")?.state.runCount == 3)
    }

    /// Ten thousand entries of one name took seconds before the name was on the bus: each id was looked for from `-2`
    /// on.
    @Test func tenThousandEntriesOfOneNameAreTakenInSteps() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one"))
        try stage.write(history((0..<12_000).map { _ in entry(7) }), to: "cron_history.json")
        stage.core.build(stage.settings)
        // Nothing of it is decided before the daemon has begun.
        #expect(stage.store.runs.isEmpty)
        stage.settings.begin(intake: stage.core, reading: stage.core)
        var turns = 0
        while try stage.loop.runOnce(timeoutUSec: 0) { turns += 1 }
        #expect(stage.store.runs.count == HistoryTakeOver.runsMax)
        #expect(stage.store.runs["cron-s-20260201-000659-10000"] != nil)
        #expect(stage.core.job(named: "one")?.state.runCount == HistoryTakeOver.runsMax)
        let batches = stage.store.commits.map { $0.count { if case .run = $0 { true } else { false } } }.filter {
            $0 > 0
        }
        // The start takes one of its own size, where it has the time.
        #expect(batches[0] <= HistoryTakeOver.firstBatchMax)
        #expect(batches.dropFirst().max() == HistoryTakeOver.batchMax)
        #expect(turns > 60)
    }

    /// A daemon that was killed half way leaves the rest to the next one; nothing is counted twice.
    @Test func whatIsLeftIsTakenByTheNextDaemon() throws {
        let first = try Stage()
        try first.write(first.jobs("one"))
        try first.write(history((0..<5_000).map { entry($0) }), to: "cron_history.json")
        first.core.build(first.settings)
        first.settings.begin(intake: first.core, reading: first.core)
        while first.store.runs.count < 500 { try first.loop.runOnce(timeoutUSec: 0) }
        #expect(first.store.runs.count < 5_000)
        let second = try Stage(store: first.store, in: first.scratch)
        try second.start()
        #expect(second.store.runs.count == 5_000)
        #expect(second.core.job(named: "one")?.state.runCount == 5_000)
    }

    /// While the store cannot be written what is told is dropped: the batch comes again.
    @Test func aBatchThatIsLostComesAgain() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one"))
        try stage.write(history((0..<300).map { entry($0) }), to: "cron_history.json")
        stage.core.isFailing = true
        stage.core.build(stage.settings)
        stage.settings.begin(intake: stage.core, reading: stage.core)
        try stage.loop.turnWhileReady()
        #expect(stage.store.runs.isEmpty)
        stage.core.isFailing = false
        try stage.turn(until: "all runs") { stage.store.runs.count == 300 }
    }

    @Test(arguments: [
        "", "{", "[]", "{\"executions\": 5}", "{\"executions\": [", "{\"executions\": [{\"a\": \"", "\u{0}\u{1}",
    ])
    func whatIsNoHistoryIsNone(_ text: String) throws {
        let stage = try Stage()
        try stage.write(text, to: "cron_history.json")
        try stage.start()
        #expect(stage.store.runs.isEmpty)
        #expect(stage.store.notes["olderHistory"] == nil)
    }

    /// An entry of tomorrow is a clock that was wrong; it must not make the daemon believe that its own is.
    @Test func whatIsLaterThanNowIsRefused() throws {
        let stage = try Stage()
        try stage.write(history([entry(1).replacing("2026-", with: "2036-"), entry(2)]), to: "cron_history.json")
        try stage.start()
        #expect(stage.store.runs.count == 1)
    }

    /// The scanner finds the elements that a parser finds, whatever their layout, a few bytes at a time.
    @Test func theScannerFindsWhatAParserFinds() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "{}", "[]", "[1, [2], {\"executions\": [3]}]", "\"a,]}\\\"[\\\\\"", "null", "-1.5e3",
            "{\"a\": {\"b\": \"}\"}}", "true",
        ]
        for _ in 0..<500 {
            let elements = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? "1"
            }
            let blank = ["", " ", "\n\t", "\r\n"].randomElement(using: &random) ?? ""
            let before = Bool.random(using: &random) ? "\"x\": {\"executions\": [9]}, \"y\": \"executions\", " : ""
            let text =
                "{\(blank)\(before)\"executions\"\(blank):\(blank)[\(blank)\(elements.joined(separator: blank + "," + blank))\(blank)]\(blank), \"z\": [7]}"
            var scanner = EntryScanner(Array(text.utf8), entriesMax: 8)
            var steps = 0
            while !scanner.advance(by: Int.random(in: 1...9, using: &random)) { steps += 1 }
            let found = try scanner.entries.map { try JSONValue(parsing: Array(scanner.bytes[$0])) }
            let parsed = try JSONValue(parsing: text)["executions"]?.arrayValue ?? []
            #expect(found == Array(parsed.suffix(8)), "seed \(seed): \(text)")
        }
    }
}
