import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// What processes print, and what they leave behind.
@Suite(.ownThread) struct OutputTests {
    private let session: Session
    private let daemon: Program

    init() throws {
        session = try Session(jobs: [
            ["name": "binary", "command": ["printf", "a\\377b\\000c\\355\\240\\200d\\033[0m"]],
            ["name": "flood", "command": ["sh", "-c", "head -c 60000000 /dev/zero; echo; echo end; exit 4"]],
            ["name": "orphan", "command": ["sh", "-c", "sleep 100 & echo over"]],
            ["name": "zombies", "command": ["sh", "-c", "(sleep 0.05 &) ; (sleep 0.1; exit 3) & exit 0"]],
            ["name": "crash", "command": ["sh", "-c", "kill -SEGV $$"]],
            ["name": "both", "command": ["sh", "-c", "echo one; echo two >&2; echo three"]],
            ["name": "reads", "command": ["sh", "-c", "cat; echo over"], "stdin": "given\n"],
            ["name": "silent", "command": ["true"]],
        ])
        daemon = try session.start()
    }

    @Test func bytesThatAreNoTextAreRepaired() throws {
        let run = try session.runToEnd("binary")
        #expect(run["status"] == "success")
        let preview = run.text("output_preview")
        // A NUL cannot travel in a string of the bus.
        #expect(preview.hasPrefix("a\u{FFFD}b\u{FFFD}c\u{FFFD}"), "\(run)")
        #expect(preview.hasSuffix("d\u{1b}[0m"), "\(run)")
        let completed = try session.signal("JobCompleted", "binary")
        #expect(try JSONValue(parsing: completed[2]).text("output_preview") == preview)
    }

    @Test func aFloodIsReadAndBounded() throws {
        let before = try #require(ProcessState.status(daemon.pid, "RssAnon"))
        let run = try session.runToEnd("flood")
        #expect(run["exit_code"] == 4)
        #expect(run.text("output_preview").count == 500)
        let grown = try #require(ProcessState.status(daemon.pid, "RssAnon")) - before
        #expect(grown < 8 * 1024, "\(grown) KiB")
        let attempt = try session.run(run.text("execution_id"))
        #expect(attempt.compactText.utf8.count < 64 * 1024)
    }

    @Test func aRunEndsWithItsProcessThoughAnotherHoldsTheOutput() throws {
        let run = try session.runToEnd("orphan")
        #expect(run["status"] == "success")
        #expect(run.text("output_preview") == "over\n")
        #expect((run["duration_ms"]?.intValue ?? 0) < 10_000)
    }

    @Test func noZombiesAndNoDescriptorsAreLeft() throws {
        // With the first run comes what the daemon opens once: the mark of what was told.
        try session.runToEnd("zombies")
        let files = ProcessState.openFiles(daemon.pid)
        for _ in 0..<5 { #expect(try session.runToEnd("zombies")["status"] == "success") }
        try session.look(for: "no children of the daemon") {
            TestFile.text("/proc/\(daemon.pid)/task/\(daemon.pid)/children").isEmpty
        }
        #expect(ProcessState.openFiles(daemon.pid) <= files)
    }

    @Test func aSignalThatEndsAProcessIsNamed() throws {
        let run = try session.runToEnd("crash")
        #expect(run["status"] == "failed")
        #expect(run["signal"] == 11 || run["signal"] == "SIGSEGV", "\(run)")
        #expect(run["exit_code"] == .null)
        #expect(run.text("error").contains("SEGV") || run.text("error").contains("11"), "\(run)")
    }

    @Test func bothStreamsComeInTheirOrder() throws {
        #expect(try session.runToEnd("both")["output_preview"] == "one\ntwo\nthree\n")
        #expect(try session.runToEnd("silent")["output_preview"] == .null)
    }

    @Test func standardInputIsWhatTheJobSays() throws {
        #expect(try session.runToEnd("reads")["output_preview"] == "given\nover\n")
    }

    /// `botcrond 2>&1 | head -1` must not end the daemon.
    @Test func aLogThatNobodyReadsDoesNotEndTheDaemon() throws {
        daemon.closeOutput()
        for _ in 0..<3 { #expect(try session.runToEnd("crash")["status"] == "failed") }
        #expect(try session.call("Ping") == ["pong"])
    }
}
