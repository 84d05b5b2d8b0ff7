import DBus
import JSON
import Testing

/// The flags of `botcrond` that are no daemon.
@Suite(.ownThread) struct CommandLineTests {
    private let session: Session

    init() throws {
        session = try Session(jobs: [
            ["name": "one", "cron": "0 9 * * *", "command": ["true"]],
            ["name": "bad", "cron": "61 9 * * *", "command": ["true"]],
        ])
    }

    private func botcrond(_ arguments: String...) throws -> (code: Int32, output: String) {
        try session.run([Session.binary] + arguments)
    }

    @Test func listJobsReadsTheConfigurationWithoutADaemon() throws {
        let (code, output) = try botcrond("--list-jobs")
        #expect(code == 0)
        #expect(output.contains("one") && output.contains("0 9 * * *"), "\(output)")
        #expect(output.contains("bad") && output.contains("61"), "\(output)")
    }

    @Test func askingADaemonThatIsNotThereIs69() throws {
        for arguments in [["--status"], ["--stop"], ["--run-job", "one"]] {
            let (code, output) = try session.run([Session.binary] + arguments)
            #expect(code == 69, "\(arguments): \(output)")
            #expect(output.contains("no daemon"), "\(output)")
        }
    }

    @Test func theRunningDaemonIsAsked() throws {
        let daemon = try session.start()
        let status = try botcrond("--status")
        #expect(status.code == 0)
        #expect(!status.output.isEmpty)
        let run = try botcrond("--run-job", "one")
        #expect(run.code == 0, "\(run)")
        try session.signal("JobCompleted", "one")
        let unknown = try botcrond("--run-job", "onne")
        #expect(unknown.code != 0 && unknown.code != 69)
        #expect(unknown.output.contains("onne") && unknown.output.contains("one"), "\(unknown)")
        let stop = try botcrond("--stop")
        #expect(stop.code == 0)
        #expect(try session.end(daemon) == 0)
    }

    @Test func versionAndHelpNeedNothing() throws {
        let version = try botcrond("--version")
        #expect(version.code == 0)
        #expect(version.output.contains(/\d+\.\d+\.\d+/))
        let help = try botcrond("--help")
        #expect(help.code == 0)
        for flag in [
            "--config", "--state-dir", "--bus", "--list-jobs", "--run-job", "--status", "--stop", "--verbose",
            "--version", "--help",
        ] {
            #expect(help.output.contains(flag), "\(flag)")
        }
    }

    @Test func aWrongFlagIsAUsageError() throws {
        for arguments in [["--frobnicate"], ["--config"], ["one"], ["--run-job"]] {
            let (code, output) = try session.run([Session.binary] + arguments)
            #expect(code == 64, "\(arguments): \(output)")
            #expect(output.contains(arguments[0]) && output.contains("--help"), "\(output)")
        }
    }
}
