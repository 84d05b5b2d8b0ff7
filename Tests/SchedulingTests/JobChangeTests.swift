import Schedules
import Scheduling
import Testing

/// Who changed what of a job is in the transaction of the change itself, and says nothing that did not happen.
@Suite struct JobChangeTests {
    private static let someone = ChangeAuthor.process(name: "python3", executable: "/usr/bin/python3.11")

    private func words(_ rig: Rig) -> [String] {
        rig.store.changes.map { change in
            [
                change.job, time(change.at), change.what.rawValue, change.until.map { "until \(time($0))" },
                change.reason,
            ]
            .compactMap(\.self).joined(separator: " ")
        }
    }

    @Test func `the record of a change is committed with the change`() throws {
        let rig = Rig([job("a", "0 9 * * *")])
        let effects = rig.send(
            .jobToggled(
                job: "a", isEnabled: false, until: at("12:00"), reason: "quota used up", by: Self.someone, ticket: 1))
        guard case .commit(let changes)? = effects.first else {
            Issue.record("no commit: \(effects)")
            return
        }
        var expected = JobChange(sequence: 1, job: "a", at: at("00:00"), what: .disabled, author: Self.someone)
        (expected.until, expected.reason) = (at("12:00"), "quota used up")
        #expect(changes.contains(.jobChange(expected)))
        #expect(rig.store.states["a"]?.disabledReason == "quota used up")
        let reasons = rig.scheduler.explain("a", at: nil, records: [], now: rig.now)
        #expect(reasons.contains { $0.sentence(in: .utc).hasSuffix(": quota used up") })
    }

    @Test func `what is so already is no change, and a new reason is one`() {
        let rig = Rig([job("a", "0 9 * * *")])
        func disable(_ reason: String?) {
            rig.send(.jobToggled(job: "a", isEnabled: false, until: nil, reason: reason, by: Self.someone))
        }
        rig.send(.jobToggled(job: "a", isEnabled: true, until: nil, by: Self.someone))
        disable(nil)
        disable(nil)
        disable("the disk is full")
        disable("the disk is full")
        rig.send(.jobToggled(job: "a", isEnabled: true, until: nil, reason: "it is not", by: Self.someone))
        #expect(
            words(rig) == [
                "a 00:00 disabled", "a 00:00 disabled the disk is full", "a 00:00 enabled it is not",
            ])
        #expect(rig.store.states["a"]?.disabledReason == nil)
    }

    @Test func `definitions that come, change and go, skips and pauses of all are on record`() {
        let rig = Rig([job("held", "0 9 * * *")])
        var made = job("a", "0 9 * * *")
        made.origin = .bus
        rig.send(.jobUpserted(made, by: Self.someone, ticket: 1))
        rig.send(.jobUpserted(made, by: Self.someone, ticket: 2))
        made.description = "another"
        rig.send(.jobUpserted(made, by: Self.someone, ticket: 3))
        rig.send(.skipRequested(job: "a", by: Self.someone, ticket: 4))
        rig.send(.skipRequested(job: "a", by: Self.someone, ticket: 5))
        rig.send(.schedulerToggled(false, by: .file("state.json")))
        rig.send(.schedulerToggled(false, by: Self.someone))
        rig.send(.schedulerToggled(true, by: Self.someone))
        rig.send(.jobCancelled(job: "a", by: .gone(":1.7"), ticket: 6))
        rig.send(.jobCancelled(job: "held", by: Self.someone, ticket: 7))
        rig.send(.jobCancelled(job: "nobody", by: Self.someone, ticket: 8))
        #expect(
            words(rig) == [
                "a 00:00 created", "a 00:00 replaced", "a 00:00 skipped until 09:00", " 00:00 paused",
                " 00:00 resumed", "a 00:00 removed",
            ])
        #expect(rig.store.changes.map(\.author)[3] == .file("state.json"))
        #expect(rig.store.changes.last?.author == .gone(":1.7"))
    }

    @Test func `what a file that is read anew changes is on record as its writer's`() {
        let rig = Rig([
            job("gone", "0 9 * * *"), job("bad", "0 9 * * *"), job("other", "0 9 * * *"), job("as-is", "@daily"),
        ])
        var settings = SchedulerSettings()
        settings.isCleanupEnabled = false
        let jobs = [job("other", "0 10 * * *"), job("as-is", "@daily"), job("new", "0 9 * * *")]
        rig.send(.configurationChanged(jobs: jobs, retained: ["bad"], settings: settings, isEnabled: false))
        #expect(
            words(rig) == [
                " 00:00 paused", "other 00:00 replaced", "new 00:00 created",
                "bad 00:00 removed its new definition is refused", "gone 00:00 removed",
            ])
        #expect(rig.store.changes.allSatisfy { $0.author == .file("config.json") })
        rig.send(.configurationChanged(jobs: jobs, retained: ["bad"], settings: settings, isEnabled: false))
        #expect(rig.store.changes.count == 5)
    }

    @Test func `a skip and a removal have the reason that was given`() {
        let rig = Rig([])
        var made = job("a", "0 9 * * *")
        made.origin = .bus
        rig.send(.jobUpserted(made, by: Self.someone, ticket: 1))
        rig.send(.skipRequested(job: "a", reason: "a holiday", by: Self.someone, ticket: 2))
        rig.send(.jobCancelled(job: "a", reason: "replaced by b", by: Self.someone, ticket: 3))
        #expect(
            words(rig) == [
                "a 00:00 created", "a 00:00 skipped until 09:00 a holiday", "a 00:00 removed replaced by b",
            ])
    }

    @Test func `what the daemon does by itself is its own change`() {
        let rig = Rig([
            job("a", "0 9 * * *") { $0.pauseOnFailures = 1 }, job("b", "0 9 * * *"),
        ])
        rig.send(.jobToggled(job: "b", isEnabled: false, until: at("08:00"), reason: "why", by: Self.someone))
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1))
        #expect(
            words(rig) == [
                "b 00:00 disabled until 08:00 why", "b 08:00 enabled", "a 09:00 disabled 1 failed runs in a row",
            ])
        #expect(rig.store.changes.dropFirst().allSatisfy { $0.author == .daemon })
        #expect(rig.store.states["a"]?.disabledReason == "1 failed runs in a row")
    }

    /// The model of the store refuses a number that is not the next.
    @Test func `the next daemon counts on`() {
        let rig = Rig([job("a", "0 9 * * *")])
        rig.send(.jobToggled(job: "a", isEnabled: false, until: nil, by: Self.someone))
        rig.restart(at: "01:00")
        rig.send(.jobToggled(job: "a", isEnabled: true, until: nil, by: Self.someone))
        #expect(rig.store.changes.map(\.sequence) == [1, 2])
    }
}
