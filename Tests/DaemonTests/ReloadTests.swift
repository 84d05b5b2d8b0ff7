import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// The configuration while the daemon runs.
@Suite(.ownThread) struct ReloadTests {
    private static let one: JSONValue = ["name": "one", "cron": "0 0 * * *", "command": ["true"]]
    private static let two: JSONValue = ["name": "two", "cron": "0 0 * * *", "command": ["true"]]
    private static let three: JSONValue = ["name": "three", "command": ["true"]]

    private func names(_ session: Session) throws -> [String] {
        try session.json("list_jobs").arrayValue?.map { $0.text("name") } ?? []
    }

    private func writeInPlace(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
        defer { close(file) }
        let bytes = Array(text.utf8)
        #expect(write(file, bytes, bytes.count) == bytes.count)
    }

    @Test func aChangedFileIsTakenUpWithinASecond() throws {
        let session = try Session(jobs: [Self.one, Self.two])
        try session.start()
        var changed = Self.two.objectValue ?? [:]
        changed["cron"] = "30 1 * * *"
        try TestFile.write(Session.config(jobs: [.object(changed), Self.three]), to: session.configFile)
        let signal = try session.signal("JobsChanged")
        #expect(signal.arguments == [.strings(["three"]), .strings(["two"]), .strings(["one"])])
        #expect(try names(session) == ["three", "two"])
        #expect(try session.job("two").text("next_run").contains("T01:30:00"))
        // In place, as a shell redirection does.
        try writeInPlace(Session.config(jobs: [Self.one]), to: session.configFile)
        try session.wait("the file written in place") { try names(session) == ["one"] }
    }

    @Test func reloadConfigSaysWhatChanged() throws {
        let session = try Session(jobs: [Self.one, Self.two])
        try session.start()
        #expect(try session.json("reload_config") == ["added": [], "changed": [], "removed": [], "invalid": []])
        let bad: JSONValue = ["name": "bad", "cron": "61 * * * *", "command": ["true"]]
        try TestFile.write(Session.config(jobs: [Self.two, Self.three, bad]), to: session.configFile)
        let answer = try session.json("reload_config")
        // The watch of the file may have been first; then there is nothing left to change.
        let told = session.signals.first { $0.member == "JobsChanged" }
        if answer["added"] == [] {
            #expect(told != nil)
        } else {
            #expect(answer["added"] == ["three"])
            #expect(answer["removed"] == ["one"])
        }
        #expect(answer["invalid"]?.compactText.contains("bad") == true)
        #expect(try names(session) == ["bad", "three", "two"])
    }

    @Test func aFileBehindASymbolicLinkIsWatchedToo() throws {
        let session = try Session()
        let folder = session.scratch.path + "/dotfiles"
        try TestFile.makeFolder(folder)
        try TestFile.write(Session.config(jobs: [Self.one]), to: folder + "/botcron.json")
        symlink("../../dotfiles/botcron.json", session.configFile)
        try session.start()
        try TestFile.write(Session.config(jobs: [Self.two]), to: folder + "/botcron.json")
        try session.signal("JobsChanged")
        #expect(try names(session) == ["two"])
        // The link itself is led elsewhere.
        try TestFile.write(Session.config(jobs: [Self.three]), to: folder + "/other.json")
        symlink("../../dotfiles/other.json", session.configFile + ".link")
        rename(session.configFile + ".link", session.configFile)
        try session.wait("the other file") { try names(session) == ["three"] }
    }

    @Test func aFolderThatIsReplacedIsWatchedAnew() throws {
        let session = try Session(jobs: [Self.one])
        try session.start()
        let folder = session.scratch.path + "/config/aa-workflow"
        rename(folder, folder + ".old")
        try session.wait("the file gone") { try session.json("HealthCheck")["healthy"] == false }
        try TestFile.makeFolder(folder)
        try TestFile.write(Session.config(jobs: [Self.two]), to: session.configFile)
        try session.wait("the file of the new folder") { try names(session) == ["two"] }
        try TestFile.write(Session.config(jobs: [Self.three]), to: session.configFile)
        try session.wait("the next change") { try names(session) == ["three"] }
    }

    /// Every job was removed with its state, and its retries with it, by an editor that writes by unlink and create.
    @Test func aFileThatIsGoneForAMomentChangesNothing() throws {
        let session = try Session(jobs: [Self.one, Self.two])
        try session.start()
        let path = session.configFile
        try #require(rename(path, path + ".aside") == 0)
        try session.wait("the fault") { try session.json("HealthCheck")["healthy"] == false }
        #expect(try session.json("HealthCheck").compactText.contains("the file is gone"))
        #expect(try names(session) == ["one", "two"])
        try #require(rename(path + ".aside", path) == 0)
        try session.wait("health") { try session.json("HealthCheck")["healthy"] == true }
        #expect(try names(session) == ["one", "two"])
        #expect(!session.signals.contains { $0.member == "JobsChanged" })
        // One that says so has none.
        try TestFile.write("{}", to: path)
        try session.wait("no jobs") { try names(session).isEmpty }
    }

    /// The file changes by another name of it, in a folder that nobody watches: only the signal tells of it.
    @Test func sighupReloads() throws {
        let session = try Session(jobs: [Self.one])
        let elsewhere = session.scratch.path + "/elsewhere.json"
        link(session.configFile, elsewhere)
        let daemon = try session.start()
        #expect(try names(session) == ["one"])
        try writeInPlace(Session.config(jobs: [Self.one, Self.two]), to: elsewhere)
        daemon.signal(SIGHUP)
        try session.signal("JobsChanged")
        #expect(try names(session) == ["one", "two"])
        #expect(daemon.code == nil)
    }

    @Test func whatDidNotChangeKeepsItsStateAndItsRunningProcess() throws {
        let long: JSONValue = ["name": "long", "cron": "0 0 * * *", "command": ["sleep", "100"]]
        let session = try Session(jobs: [long, Self.one])
        try session.start()
        try session.done("toggle_job", "long", .bool(false))
        let id = try session.json("run_job", "long").text("execution_id")
        try TestFile.write(Session.config(jobs: [Self.two, long]), to: session.configFile)
        _ = try session.json("reload_config")
        let job = try session.job("long")
        #expect(job["enabled"] == false)
        #expect(job["running"] == [.string(id)])
        #expect(try names(session) == ["long", "two"])
        // A job that is gone: its run goes on, and its history stays.
        try TestFile.write(Session.config(jobs: [Self.two]), to: session.configFile)
        _ = try session.json("reload_config")
        #expect(try session.run(id)["status"] == "running")
        try session.done("cancel_run", .string(id))
        #expect(try session.waitForRun(id)["status"] == "cancelled")
        #expect(try session.history().first?["execution_id"] == .string(id))
    }

    @Test func enabledOfTheFilePausesAndTheBusResumes() throws {
        let session = try Session(jobs: [Self.one], ["enabled": false])
        try session.start()
        #expect(try session.property("Enabled") == .bool(false))
        #expect(try session.property("NextRun") == "")
        try session.done("toggle_scheduler", .bool(true))
        #expect(try session.property("Enabled") == .bool(true))
        #expect(try session.job("one")["next_run"] != .null)
    }

    @Test func otherProgramsSectionsAndUnknownKeysDoNotMatter() throws {
        let session = try Session(
            config:
                """
                {"jira": [1, 2], "schedules": {"timezone": "UTC", "check_interval": 5, "frobnicate": 1,
                 "jobs": [{"name": "one", "command": ["true"]}]}}
                """
        )
        let daemon = try session.start()
        #expect(try names(session) == ["one"])
        #expect(daemon.text.contains("frobnicate"), "\(daemon.text)")
    }

    @Test func theFileAndTheFolderCanBeNamed() throws {
        let session = try Session(jobs: [Self.one])
        let file = session.scratch.path + "/mine.json"
        try TestFile.write(Session.config(jobs: [Self.two]), to: file)
        try session.start(["--config", file, "--state-dir", session.scratch.path + "/mine"])
        #expect(try names(session) == ["two"])
        #expect(ScratchFolder.names(in: session.scratch.path + "/mine").contains("botcron.db"))
        #expect(ScratchFolder.names(in: session.scratch.path + "/state").isEmpty)
    }
}
