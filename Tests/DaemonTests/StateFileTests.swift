import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// `state.json`, which others write and read as well as the daemon.
@Suite(.ownThread) struct StateFileTests {
    private let session: Session
    private var path: String { session.scratch.path + "/config/aa-workflow/state.json" }

    init() throws {
        session = try Session(jobs: [
            ["name": "one", "cron": "0 0 * * *", "command": ["true"]],
            ["name": "two", "cron": "0 0 * * *", "command": ["true"]],
            ["name": "off", "cron": "0 0 * * *", "command": ["true"], "enabled": false],
        ])
    }

    private func file() throws -> JSONValue { try JSONValue(parsing: TestFile.text(path)) }

    private func isEnabled(_ job: String) throws -> Bool { try session.job(job)["enabled"] == true }

    private func wait(_ job: String, enabled: Bool) throws {
        try session.look(for: "\(job) enabled: \(enabled)") { try isEnabled(job) == enabled }
    }

    @Test func aToggleIsThereWhenItsAnswerIs() throws {
        try session.start()
        #expect(TestFile.bytes(path) == nil)
        try session.done("toggle_job", "one", .bool(false))
        #expect(try file() == ["version": 1, "jobs": ["one": ["enabled": false]]])
        try session.done("toggle_scheduler", .bool(false))
        #expect(try file()["services"]?["scheduler"]?["enabled"] == false)
        try session.done("toggle_job", "one", .bool(true))
        #expect(try file()["jobs"] == ["one": ["enabled": true]])
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    /// The next job of that name would be shown as disabled there, while its schedule is in force.
    @Test func aJobThatIsCancelledLeavesNoOverrideBehind() throws {
        try session.start()
        let definition = #"{"name": "made", "interval": "1h", "command": ["true"]}"#
        _ = try session.json("schedule_job", .string(definition))
        try session.done("toggle_job", "one", .bool(false))
        try session.done("toggle_job", "made", .bool(false))
        #expect(try file()["jobs"]?["made"] == ["enabled": false])
        try session.done("cancel_job", "made")
        #expect(try file()["jobs"] == ["one": ["enabled": false]])
        _ = try session.json("schedule_job", .string(definition))
        #expect(try isEnabled("made"))
        #expect(try file()["jobs"] == ["one": ["enabled": false]])
    }

    @Test func unknownKeysTheLayoutAndALinkStay() throws {
        let text = """
            {"version": 1,  "theme": "dark",
              "services": {"scheduler": {"enabled": true, "pid": 5}, "slack": {"enabled": false}},
                "jobs": {"one": {"enabled": true, "note": [1.50]}, "of_somebody_else": {"enabled": false}} }

            """
        let real = session.scratch.path + "/home/real.json"
        try TestFile.write(text, to: real, mode: 0o644)
        #expect(symlink(real, path) == 0)
        try session.start()
        try session.done("toggle_job", "one", .bool(false))
        #expect(
            TestFile.text(real) == text.replacing("\"one\": {\"enabled\": true", with: "\"one\": {\"enabled\": false"))
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode & S_IFMT == S_IFLNK)
        #expect(stat(real, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o644)
    }

    @Test func aChangeFromOutsideIsTakenUp() throws {
        try session.start()
        try TestFile.write(#"{"version": 1, "jobs": {"one": {"enabled": false}, "off": {"enabled": true}}}"#, to: path)
        try wait("one", enabled: false)
        try wait("off", enabled: true)
        try session.signal("JobsChanged")
        try TestFile.write(#"{"services": {"scheduler": {"enabled": false}}, "jobs": {}}"#, to: path)
        try session.signal("SchedulerToggled")
        #expect(try session.property("Enabled") == .bool(false))
        // What is no longer said is as config.json has it, and the file is left as the other one wrote it.
        try wait("one", enabled: true)
        try wait("off", enabled: false)
        #expect(try file() == ["services": ["scheduler": ["enabled": false]], "jobs": [:]])
    }

    @Test func itWinsOverConfigJSONAndOverAReload() throws {
        try TestFile.write(#"{"jobs": {"one": {"enabled": false}, "later": {"enabled": false}}}"#, to: path)
        let daemon = try session.start()
        #expect(try isEnabled("one") == false)
        #expect(try isEnabled("two"))
        try TestFile.write(
            Session.config(jobs: [
                ["name": "one", "cron": "0 1 * * *", "command": ["true"], "enabled": true],
                ["name": "later", "cron": "0 1 * * *", "command": ["true"]],
            ]), to: session.configFile)
        _ = try session.json("reload_config")
        #expect(try isEnabled("one") == false)
        #expect(try isEnabled("later") == false)
        try session.crash(daemon)
        try session.start()
        #expect(try isEnabled("one") == false)
        #expect(try isEnabled("later") == false)
    }

    @Test func atTheStartItWinsWhereItWasChanged() throws {
        var daemon = try session.start()
        try session.done("toggle_job", "one", .bool(false))
        try session.done("toggle_job", "two", .bool(false))
        try session.stop(daemon)
        // One entry is changed while no daemon runs.
        try TestFile.write(
            TestFile.text(path).replacing(
                "\"two\": {\n      \"enabled\": false", with: "\"two\": {\n      \"enabled\": true"), to: path)
        #expect(try file()["jobs"]?["two"]?["enabled"] == true, "\(TestFile.text(path))")
        daemon = try session.start()
        #expect(try isEnabled("one") == false)
        #expect(try isEnabled("two"))
        try session.crash(daemon)
        // The file is gone: the store has it.
        unlink(path)
        daemon = try session.start()
        #expect(try isEnabled("one") == false)
        try session.done("toggle_job", "two", .bool(false))
        #expect(try file()["jobs"]?.objectValue?.keys.sorted() == ["one", "two"])
        try session.crash(daemon)
        try TestFile.write(#"{"services": {"scheduler": {"enabled": false}}}"#, to: path)
        try session.start()
        #expect(try isEnabled("one"))
        #expect(try session.property("Enabled") == .bool(false))
    }

    @Test func whatDoesNotParseIsNeitherTakenNorOverwritten() throws {
        let daemon = try session.start()
        try session.done("toggle_job", "one", .bool(false))
        try TestFile.write("{ broken", to: path)
        try session.look(for: "a word on it") { daemon.text.contains("state.json was not taken up") }
        #expect(try isEnabled("one") == false)
        try session.done("toggle_job", "two", .bool(false))
        #expect(TestFile.text(path) == "{ broken")
        #expect(try isEnabled("two") == false)
        try session.crash(daemon)
        try session.start()
        #expect(try isEnabled("two") == false)
        try TestFile.write(#"{"jobs": {"two": {"enabled": true}}}"#, to: path)
        try wait("two", enabled: true)
    }
}
