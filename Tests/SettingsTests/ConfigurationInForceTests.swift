import Configuration
import EventLoop
import Glibc
import JSON
import Performing
import Schedules
import Scheduling
import Testing

@testable import Settings

/// config.json, whatever becomes of it: what is in force, and what is said of it.
@Suite struct ConfigurationInForceTests {
    /// A file that is bad or away, in each way in which it can be.
    enum Mishap: String, CaseIterable {
        case syntax, wrongKind, unknownZone, twoSections, gone, unreadable, folder, pipe, tooLarge, empty

        func happen(to stage: Stage) throws {
            unlink(stage.path)
            switch self {
            case .syntax: try stage.write("{\"schedules\": {\n  \"jobs\": [}")
            case .wrongKind: try stage.write("{\n\"schedules\": []}")
            case .unknownZone: try stage.write("{\"schedules\":\n\n {\"timezone\": \"Mars/Olympus\"}}")
            case .twoSections: try stage.write("{\"schedules\": {},\n\"schedules\": {}}")
            case .gone: break
            case .unreadable: symlink("config.json", stage.path)
            case .folder: mkdir(stage.path, 0o700)
            case .pipe: mkfifo(stage.path, 0o600)
            case .tooLarge:
                close(open(stage.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
                truncate(stage.path, 1 << 30)
            case .empty: try stage.write("")
            }
        }

        var line: Int? {
            switch self {
            case .syntax, .wrongKind, .twoSections: 2
            case .unknownZone: 3
            case .empty: 1
            default: nil
            }
        }

        func clear(_ stage: Stage) {
            unlink(stage.path)
            rmdir(stage.path)
        }
    }

    /// A broken file at the next login, and there was no scheduler at all.
    @Test(arguments: Mishap.allCases) func theLastGoodSectionIsInForceOverARestart(_ mishap: Mishap) throws {
        let first = try Stage()
        try first.write(first.jobs("one", "two"))
        try first.start()
        #expect(first.settings.configurationFault == nil)

        let second = try Stage(store: first.store, in: first.scratch)
        try mishap.happen(to: second)
        try second.start()
        #expect(second.core.jobNames == ["one", "two"])
        #expect(second.settings.isUsingLastGood)
        let fault = try #require(second.settings.configurationFault)
        #expect(fault.object == second.path && fault.line == mishap.line, "\(fault)")
        #expect(second.log.lines.contains { $0.contains("not in force") && $0.contains(second.path) })
        // It is said to be the fault of the file, and the file is watched: mending it is all that it takes.
        mishap.clear(second)
        try second.write(second.jobs("two", "three"))
        try second.turn(until: "the mended file") { second.core.jobNames == ["three", "two"] }
        #expect(second.settings.configurationFault == nil && !second.settings.isUsingLastGood)
    }

    @Test(arguments: Mishap.allCases) func aRunningDaemonKeepsWhatWasGood(_ mishap: Mishap) throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one", "two"))
        try stage.start()
        var told = 0
        stage.settings.onChange = { told += 1 }
        try mishap.happen(to: stage)
        #expect(throws: SettingsError.self) { try stage.settings.reload() }
        #expect(told > 0)
        #expect(stage.core.jobNames == ["one", "two"])
        #expect(stage.settings.configurationFault?.object == stage.path)
        #expect(stage.settings.configuration.jobs.count == 2)
        // A core that is built anew meanwhile has the same.
        stage.core.build(stage.settings)
        #expect(stage.core.jobNames == ["one", "two"])
        mishap.clear(stage)
        try stage.write(stage.jobs("one", "two"))
        #expect(try stage.settings.reload() == ReloadResult())
        #expect(stage.settings.configurationFault == nil)
    }

    @Test(arguments: Mishap.allCases) func whereThereNeverWasAGoodOneThereAreNoJobs(_ mishap: Mishap) throws {
        let stage = try Stage()
        try mishap.happen(to: stage)
        try stage.start()
        #expect(stage.core.jobNames.isEmpty)
        #expect(!stage.settings.isUsingLastGood)
        // A file that never was is a first use, and no fault.
        #expect((stage.settings.configurationFault == nil) == (mishap == .gone))
        mishap.clear(stage)
        try stage.write(stage.jobs("one"))
        try stage.turn(until: "the first file") { stage.core.jobNames == ["one"] }
    }

    @Test func aFileWithoutJobsThatIsTakenAwayIsNoMishap() throws {
        let first = try Stage()
        try first.write("{\"jira\": 1}")
        try first.start()
        unlink(first.path)
        let second = try Stage(store: first.store, in: first.scratch)
        try second.start()
        #expect(second.settings.configurationFault == nil)
    }

    @Test func aRefusedJobDoesNotMakeTheSectionBad() throws {
        let stage = try Stage()
        try stage.write(
            "{\"schedules\": {\"jobs\": [{\"name\": \"bad\", \"cron\": \"61 * * * *\", \"command\": [\"true\"]},"
                + "{\"name\": \"good\", \"command\": [\"true\"]}]}}")
        try stage.start()
        #expect(stage.core.jobNames == ["good"])
        #expect(stage.settings.refusedNames == ["bad"])
        #expect(stage.core.inputs?.retained == ["bad"])
        #expect(stage.settings.configurationFault == nil)
        #expect(stage.store.notes["configuration"]?.contains("61 * * * *") == true)
    }

    @Test func theStoreIsWrittenOnlyWhereTheSectionChanged() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one"))
        try stage.start()
        #expect(stage.store.keeps["configuration"] == 1)
        try stage.settings.reload()
        try stage.write("{\"other\": 1, " + stage.jobs("one").dropFirst())
        try stage.settings.reload()
        #expect(stage.store.keeps["configuration"] == 1)
        try stage.write(stage.jobs("two"))
        try stage.settings.reload()
        #expect(stage.store.keeps["configuration"] == 2)
        // The next daemon knows what is kept.
        let next = try Stage(store: stage.store, in: stage.scratch)
        try next.start()
        #expect(stage.store.keeps["configuration"] == 2)
    }

    @Test func `what is kept has no secrets, and a daemon that starts with it knows what it lacks`() throws {
        let stage = try Stage()
        let jobs = stage.jobs("one")
        let notifications =
            #""notifications": {"slack": {"webhook": "https://h.test/T0P"}, "memory": {"directory": "/m"}}"#
        try stage.write(jobs.dropLast(2) + ", " + notifications + "}}")
        try stage.start()
        #expect(
            !stage.settings.configuration.targets.usable.isEmpty
                && stage.settings.configuration.targets.withheld.isEmpty)
        let kept = try #require(stage.store.notes["configuration"])
        #expect(!kept.contains("T0P") && kept.contains("/m") && kept.contains("one"))
        #expect(try stage.value("schedules", "notifications.slack") == ["webhook": "***"])
        try stage.write("{")
        let next = try Stage(store: stage.store, in: stage.scratch)
        try next.start()
        #expect(next.settings.isUsingLastGood && next.core.jobNames == ["one"])
        #expect(
            next.settings.configuration.targets.withheld == ["slack"]
                && next.settings.configuration.targets.usable["memory"] != nil)
    }

    /// What cannot be kept now is kept by a later commit.
    @Test func aStoreThatFailsIsTriedAgain() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one"))
        try stage.start()
        stage.store.isFailing = true
        try stage.write(stage.jobs("two"))
        try stage.settings.reload()
        try stage.settings.reload()
        #expect(stage.log.lines.filter { $0.contains("cannot be kept") }.count == 1)
        stage.store.isFailing = false
        stage.core.submit(.schedulerToggled(false))
        #expect(stage.store.notes["configuration"]?.contains("two") == true)
    }

    @Test func aReloadIsByDifference() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one", "two", "three"))
        try stage.start()
        try stage.write(
            stage.jobs("two", "four").replacing("0 9", with: "0 9", maxReplacements: 1)
                .replacing("\"two\", \"cron\": \"0 9", with: "\"two\", \"cron\": \"0 10"))
        let result = try stage.settings.reload()
        #expect(result.added == ["four"] && result.changed == ["two"] && result.removed == ["one", "three"])
        #expect(stage.core.jobNames == ["four", "two"])
        // The same once more changes nothing.
        #expect(try stage.settings.reload() == ReloadResult())
    }

    /// Somebody who touches a large file all the time costs a look at its bytes, and no reload.
    @Test func aFileThatIsTouchedInVainIsNotReloaded() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one"))
        try stage.start()
        var looks = 0
        stage.settings.onChange = { looks += 1 }
        try stage.write(stage.jobs("one"))
        try stage.turn(until: "the look") { looks > 0 }
        #expect(!stage.core.events.contains { if case .configurationChanged = $0 { true } else { false } })
    }

    /// Only the right to read it was missing.
    @Test func rightsThatComeBackEndTheFault() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one"))
        try stage.start()
        chmod(stage.path, 0)
        guard access(stage.path, R_OK) != 0 else { return }  // root reads everything
        try stage.turn(until: "the fault") { stage.settings.configurationFault != nil }
        chmod(stage.path, 0o600)
        try stage.turn(until: "no fault") { stage.settings.configurationFault == nil }
    }

    @Test func aConfigurationBehindAFolderThatIsSwappedIsRead() throws {
        let stage = try Stage()
        let home = stage.folder
        for number in 1...2 { mkdir("\(home)/v\(number)", 0o700) }
        symlink("v1", home + "/current")
        let settings = Settings(
            configurationPath: home + "/current/config.json", home: "/", zones: stage.settings.zones,
            store: stage.store, loop: stage.loop, log: stage.settings.log)
        try stage.write(stage.jobs("one"), to: "v1/config.json")
        try stage.write(stage.jobs("two"), to: "v2/config.json")
        stage.core.build(settings)
        settings.begin(intake: stage.core, reading: stage.core)
        #expect(stage.core.jobNames == ["one"])
        symlink("v2", home + "/next")
        rename(home + "/next", home + "/current")
        try stage.turn(until: "the other folder") { stage.core.jobNames == ["two"] }
    }

    @Test func aZoneOfTheMachineThatCannotBeReadIsSaidAndUTCIsInItsPlace() throws {
        let stage = try Stage(zone: "Mars/Olympus")
        try stage.write(stage.jobs("one").replacing("\"timezone\": \"UTC\", ", with: ""))
        try stage.start()
        #expect(stage.core.jobNames == ["one"])
        #expect(stage.settings.zoneFault?.field == "TZ")
        #expect(stage.settings.configuration.warnings.contains { $0.contains("TZ") })
        #expect(stage.settings.configurationFault == nil)
        let rule = try Stage(zone: "CET-1CEST,M3.5.0,M10.5.0/3")
        try rule.write(rule.jobs("one").replacing("\"timezone\": \"UTC\", ", with: ""))
        try rule.start()
        #expect(rule.settings.zoneFault == nil)
        #expect(rule.settings.configuration.timezone.utcOffset(at: Stage.noon) == 3_600)
    }
}
