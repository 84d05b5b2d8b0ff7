import Configuration
import EventLoop
import Glibc
import JSON
import Performing
import Scheduling
import TestSupport
import Testing

@testable import Settings

/// state.json both ways.
@Suite struct StateFileTests {
    private func stage(_ jobs: String..., store: FakeStore = FakeStore(), scratch: ScratchFolder? = nil) throws -> Stage
    {
        let stage = try Stage(store: store, in: scratch)
        if scratch == nil {
            let texts = jobs.map { "{\"name\": \"\($0)\", \"cron\": \"0 9 * * *\", \"command\": [\"true\"]}" }
            try stage.write("{\"schedules\": {\"timezone\": \"UTC\", \"jobs\": [\(texts.joined(separator: ","))]}}")
        }
        return stage
    }

    private func said(_ stage: Stage) throws -> JSONValue { try JSONValue(parsing: stage.text("state.json")) }

    @Test func aToggleThatIsDurableIsWritten() throws {
        let stage = try stage("a", "b")
        try stage.start()
        #expect(stage.text("state.json").isEmpty)
        stage.core.submit(.jobToggled(job: "a", isEnabled: false, until: nil))
        #expect(try said(stage)["jobs"] == ["a": ["enabled": false]])
        stage.core.submit(.schedulerToggled(false))
        #expect(try said(stage)["services"]?["scheduler"]?["enabled"] == false)
        // One that is not durable is not.
        stage.core.isFailing = true
        stage.core.submit(.jobToggled(job: "b", isEnabled: false, until: nil))
        #expect(try said(stage)["jobs"]?["b"] == nil)
        #expect(stage.store.notes["stateFile"] == Overrides(try StateFile(document: document(stage))).text)
    }

    private func document(_ stage: Stage) throws -> JSONDocument {
        try ConfigurationFile.parse(Array(stage.text("state.json").utf8), path: "state.json")
    }

    @Test func whatOthersWriteIsAToggle() throws {
        let stage = try stage("a", "b")
        try stage.start()
        try stage.write("\u{FEFF}{\"jobs\": {\"a\": {\"enabled\": false}}, \"other\": 1}\r\n", to: "state.json")
        try stage.turn(until: "the toggle") { stage.core.job(named: "a")?.isEnabled == false }
        // What others wrote stays, mark and all.
        stage.core.submit(.jobToggled(job: "b", isEnabled: false, until: nil))
        #expect(stage.text("state.json").hasPrefix("\u{FEFF}{"))
        #expect(stage.text("state.json").contains("\"other\": 1"))
        // An entry that is taken away says nothing: the definition counts, and it is not written back.
        try stage.write("{\"jobs\": {}}", to: "state.json")
        try stage.turn(until: "both enabled") {
            stage.core.job(named: "a")?.isEnabled == true && stage.core.job(named: "b")?.isEnabled == true
        }
        #expect(stage.text("state.json") == "{\"jobs\": {}}")
        try stage.write("{\"services\": {\"scheduler\": {\"enabled\": false}}}", to: "state.json")
        try stage.turn(until: "the pause") { !stage.core.isEnabled }
    }

    @Test func whatWasWrittenWhileNoDaemonRanHoldsAndBecomesDurable() throws {
        let first = try stage("a", "b")
        try first.start()
        first.core.submit(.jobToggled(job: "a", isEnabled: false, until: nil))
        try first.write("{\"jobs\": {\"a\": {\"enabled\": true}, \"b\": {\"enabled\": true}}}", to: "state.json")

        let second = try stage(store: first.store, scratch: first.scratch)
        second.core.build(second.settings)
        #expect(second.core.job(named: "a")?.isEnabled == true)
        second.settings.begin(intake: second.core, reading: second.core)
        try second.loop.turnWhileReady()
        let states = Dictionary(uniqueKeysWithValues: second.store.state.jobs.map { ($0.job, $0.isEnabledOverride) })
        #expect(states["a"] == .some(true) && states["b"] == .some(true))

        // What was on record is not news again, whatever the store says by then.
        second.core.submit(.jobToggled(job: "a", isEnabled: false, until: nil))
        let third = try stage(store: first.store, scratch: first.scratch)
        try third.start()
        #expect(third.core.job(named: "a")?.isEnabled == false)
    }

    /// The daemon was killed between its commit and the file.
    @Test func aFileThatIsBehindIsBroughtUpToDate() throws {
        let first = try stage("a")
        try first.start()
        first.store.apply([.schedulerOverride(false)])
        var state = try #require(first.store.state.jobs.first)
        state.isEnabledOverride = false
        first.store.apply([.jobState(state)])
        let second = try stage(store: first.store, scratch: first.scratch)
        try second.start()
        #expect(try said(second)["jobs"]?["a"]?["enabled"] == false)
        #expect(try said(second)["services"]?["scheduler"]?["enabled"] == false)
    }

    /// The store could not be written while the file changed: the toggle is not forgotten with the core that had it.
    @Test func aToggleOfTheFileSurvivesARebuild() throws {
        let stage = try stage("a")
        try stage.start()
        stage.core.isFailing = true
        try stage.write("{\"jobs\": {\"a\": {\"enabled\": false}}}", to: "state.json")
        try stage.turn(until: "the file") { !stage.core.events.isEmpty }
        #expect(stage.core.job(named: "a")?.isEnabled == true)
        #expect(stage.store.notes["stateFile"] == nil)
        stage.core.isFailing = false
        stage.core.build(stage.settings)
        #expect(stage.core.job(named: "a")?.isEnabled == false)
        try stage.loop.turnWhileReady()
        #expect(stage.store.state.jobs.first?.isEnabledOverride == false)
        #expect(stage.store.notes["stateFile"]?.contains("\"a\": false") == true)
    }

    @Test func whatIsSaidOfAJobBeforeItIsThereHoldsWhenItComes() throws {
        let stage = try stage("a")
        try stage.start()
        try stage.write("{\"jobs\": {\"late\": {\"enabled\": false}}}", to: "state.json")
        try stage.turn(until: "the note") { stage.store.notes["stateFile"]?.contains("late") == true }
        try stage.write(stage.jobs("a", "late"))
        try stage.settings.reload()
        #expect(stage.core.job(named: "late")?.isEnabled == false)
        #expect(stage.core.job(named: "a")?.isEnabled == true)
    }

    @Test(arguments: ["{ broken", "[]", "{\"jobs\": 5}", "{\"services\": {\"scheduler\": true}}"])
    func aFileThatIsNoneChangesNothingAndIsNotOverwritten(_ text: String) throws {
        let stage = try stage("a")
        try stage.write(text, to: "state.json")
        try stage.start()
        stage.core.submit(.jobToggled(job: "a", isEnabled: false, until: nil))
        #expect(stage.core.job(named: "a")?.isEnabled == false)
        #expect(stage.text("state.json") == text)
        #expect(stage.log.lines.contains { $0.contains("cannot be written") })
    }

    /// Whoever fills the file must not keep a toggle waiting.
    @Test func aFileThatIsTooLargeIsNeitherReadNorWritten() throws {
        let stage = try stage("a")
        let filler = String(repeating: "x", count: StateFile.bytesMax)
        try stage.write("{\"jobs\": {\"a\": {\"enabled\": false}}, \"x\": \"\(filler)\"}", to: "state.json")
        try stage.start()
        #expect(stage.core.job(named: "a")?.isEnabled == true)
        #expect(stage.log.lines.contains { $0.contains("larger than 256 KiB") })
    }

    @Test func aFileFullOfBadEntriesIsReadInReasonableTime() throws {
        let entries = (0..<20_000).map { "\"j\($0)\": {\"enabled\": 1}" }.joined(separator: ", ")
        let file = try StateFile(
            document: try ConfigurationFile.parse(Array("{\"jobs\": {\(entries)}}".utf8), path: "state.json"))
        #expect(file.warnings.count == 20)
    }

    // MARK: - Overrides as values

    @Test func overridesSurviveTheirText() {
        var overrides = Overrides()
        #expect(Overrides(text: overrides.text) == overrides)
        overrides.scheduler = false
        overrides.jobs = ["a": true, "b\"\u{301}": false]
        #expect(Overrides(text: overrides.text) == overrides)
        #expect(Overrides(text: "nonsense") == Overrides())
    }

    @Test func changesNameWhatIsSaidOtherwise() {
        var (old, new) = (Overrides(), Overrides())
        old.jobs = ["same": true, "turned": true, "gone": false]
        new.jobs = ["same": true, "turned": false, "came": true]
        #expect(old.changes(to: new) == ["came", "gone", "turned"])
        #expect(new.changes(to: new).isEmpty)
    }
}
