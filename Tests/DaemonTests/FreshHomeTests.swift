import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// A daemon that the bus starts for somebody who has never had one: no configuration, and not even a folder for it.
@Suite(.ownThread) struct FreshHomeTests {
    private let session: Session

    init() throws {
        session = try Session()
        ScratchFolder.remove(configuration)
    }

    private var configuration: String { session.scratch.path + "/config" }

    private func mode(_ path: String) -> UInt32 {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    /// The folders are made while it runs, with what other programs put there: such a daemon was caught in its own
    /// watches of files, for good.
    @Test func foldersMayComeWhileItRuns() throws {
        for round in 0..<10 {
            let daemon = try session.start()
            ScratchFolder.remove(configuration)
            usleep(UInt32(round) * 3_000)  // Another moment of its start in each round.
            let made = try session.run([
                "sh", "-c",
                "mkdir \(configuration); mkdir -p \(configuration)/systemd/user; touch \(configuration)/a; rm \(configuration)/a",
            ])
            #expect(made.code == 0)
            for _ in 0..<5 { #expect(try session.call("Ping").first?.asString == "pong") }
            try TestFile.makeFolder(configuration + "/aa-workflow")
            try TestFile.write(
                #"{"schedules": {"jobs": [{"name": "round-\#(round)", "command": ["true"]}]}}"#, to: session.configFile)
            try session.look(for: "the job of round \(round)") {
                try session.json("list_jobs").arrayValue?.map { $0.text("name") } == ["round-\(round)"]
            }
            try session.stop(daemon)
        }
    }

    @Test func whatIsWrittenThereMakesItsFolder() throws {
        let daemon = try session.start()
        let definition = #"{"name": "told", "command": ["false"], "notify": ["toast"]}"#
        _ = try session.json("schedule_job", .string(definition))
        let run = try session.runToEnd("told").text("execution_id")
        #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"])
        // The mirror that older programs read is the first.
        try session.wait("the mirror") {
            TestFile.text(configuration + "/aa-workflow/cron_state.json").contains("told")
        }
        #expect(mode(configuration) == 0o700 && mode(configuration + "/aa-workflow") == 0o700)
        #expect(!daemon.text.contains("cannot be written"), "\(daemon.text)")
    }
}
