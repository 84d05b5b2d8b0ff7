import Glibc
import TestSupport
import Testing

@testable import botcronctl

/// The terminal view on a terminal, with a daemon behind it: typed into, and read.
@Suite struct TopTerminalTests {
    private static let configuration = """
        {"schedules": {"timezone": "UTC", "jobs": [
          {"name": "fails", "cron": "0 0 1 1 *", "command": "echo oh; exit 3"},
          {"name": "talks", "command": "n=0; while :; do n=$((n+1)); echo line $n of what it says; sleep 0.2; done"},
          {"name": "strange", "command": "printf '\\\\033[2Jwiped\\\\033]0;title\\\\007 out\\\\n'"},
          {"name": "far", "once": "2190-01-01T00:00:00Z", "command": ["true"]},
          {"name": "gives-up", "command": "exit 1", "pause_on_failures": 1},
          {"name": "bad", "cron": "0 9 * * MON-FRX", "command": ["true"]}
        ]}}
        """

    private let stage: Stage

    init() throws { stage = try Stage(Self.configuration) }

    private func pane(
        _ columns: Int = 80, _ rows: Int = 24, environment: [String] = ["TERM=screen"], _ options: String = ""
    ) throws -> TmuxPane {
        let pane = try TmuxPane(stage, columns: columns, rows: rows, environment: environment)
        for line in environment { pane.type("export \(line)\n") }
        // The pid is that of the program, because a shell that ends in one becomes it.
        try stage.write("echo $$ > pid; exec \(TestPlace.built("botcronctl")) top \(options)", to: "top.sh")
        pane.type("clear; stty -g > before; sh top.sh; echo ended with $?\n")
        try pane.screen(with: "BotCron  running")
        try pane.screen(with: "not schedulable")
        return pane
    }

    private var pid: Int32 { Int32(TestFile.text(stage.path("pid")).filter(\.isNumber)) ?? 0 }

    /// The modes of the terminal are those that it had.
    private func expectModesBack(_ pane: TmuxPane, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(pane.isGivenBack, sourceLocation: sourceLocation)
        pane.type("stty -g > after; cmp before after && echo the ''same\n")
        #expect(throws: Never.self, sourceLocation: sourceLocation) { try pane.screen(with: "the same") }
    }

    // MARK: - Using it

    @Test func aJobIsRunSeenReadAndEnded() throws {
        let pane = try pane()
        try pane.takePicture("top-80x24")
        pane.type("/talk")
        try pane.screen(with: "6 jobs, 1 shown")
        pane.press("Enter")
        pane.type("r")
        try pane.screen(with: "✓ botcronctl run talks  cron-talks-")
        try pane.screen(with: "Running 1")
        try pane.takePicture("top-running")
        // Its log comes as it is written.
        pane.type("l")
        try pane.screen(with: "line 3 of what it says")
        try pane.screen(with: "following")
        pane.type("/LINE 2")
        pane.press("Enter")
        try pane.screen(with: "is not found")
        pane.type("/line 2 ")
        pane.press("Enter")
        try pane.screen(with: "G follows")
        pane.type("G")
        try pane.screen(with: "line 30 of what it says")
        try pane.takePicture("top-log")
        // The first escape leaves the search, and the second the log.
        pane.press("Escape")
        try pane.screen(without: "\"line 2 \"")
        pane.press("Escape")
        try pane.screen(with: "Running 1")
        pane.type("w")
        try pane.screen(with: "Why: talks")
        try pane.screen(with: "attempt 1")
        pane.type("q")
        // A resize in the middle of it.
        try pane.tmux("resize-window", "-x", "200", "-y", "60")
        try pane.wait("two columns") {
            $0.split(separator: "\n").contains { $0.contains("look") && $0.contains("Jobs") }
        }
        #expect(pane.rows.count >= 60)
        try pane.takePicture("top-200x60")
        pane.type("c")
        try pane.screen(with: "of talks? y/N")
        try pane.tmux("resize-window", "-x", "60", "-y", "20")
        pane.type("y")
        // The terminal tells of its size a moment after it has it.
        try pane.wait("the whole of the smaller picture") {
            $0.hasPrefix(" BotCron  running") && $0.contains("Nothing is running") && $0.contains("?")
        }
        try pane.takePicture("top-60x20")
        pane.press("Escape")
        try pane.screen(without: "filter: talk")
        pane.type("q")
        try pane.screen(with: "ended with 0")
        try expectModesBack(pane)
    }

    @Test func aFailureIsSeenWithoutAKey() throws {
        let pane = try pane()
        #expect(try stage.control("run", "fails", "--wait").code == 3)
        let text = try pane.wait("the failure") {
            $0.contains("✕ fails") && $0.contains("failed just now") && $0.contains("status 3")
        }
        #expect(text.contains("Needs a look 2"))
        #expect(try stage.control("run", "gives-up", "--wait").code == 1)
        try pane.screen(with: "✕ gives-up        paused by failures      the job was paused after 1 failed")
        // And what it wrote can do nothing to this terminal.
        #expect(try stage.control("run", "strange", "--wait").code == 0)
        pane.type("/strange")
        pane.press("Enter")
        pane.type("l")
        try pane.screen(with: "wiped out")
        try pane.screen(with: "it has ended")
    }

    /// No signal names a job that is refused.
    @Test func aJobThatIsRefusedByAReloadIsSeen() throws {
        let pane = try pane()
        try stage.write(
            Self.configuration.replacing("MON-FRX", with: "MON-FRY").replacing(
                #"{"name": "talks","#, with: #"{"name": "worse", "cron": "61 * * * *"}, {"name": "talks","#),
            to: "config.json")
        #expect(try stage.control("reload").code == 0)
        // Something that is heard of, so that nobody has to wait for a minute.
        #expect(try stage.control("disable", "far").code == 0)
        try pane.screen(with: "FRY")
        try pane.wait("the new one") { $0.contains("✕ worse") && $0.contains("Needs a look 2") }
    }

    @Test func jobsAreDisabledSkippedAndEdited() throws {
        try stage.write("#!/bin/sh\nsed -i 's/2190/2191/' \"$1\"\n", to: "editor")
        chmod(stage.path("editor"), 0o755)
        let pane = try pane(environment: ["TERM=screen", "VISUAL=\(stage.path("editor"))"])
        pane.type("/far")
        pane.press("Enter")
        pane.type("t")
        try pane.screen(with: "✓ botcronctl disable far  it is disabled")
        try pane.wait("what the list says of it") { $0.contains("disabled") && $0.contains("Nothing is due") }
        pane.type("s")
        try pane.screen(with: "✕ botcronctl skip far  it has no next fire time")
        pane.type("t")
        try pane.screen(with: "✓ botcronctl enable far  it is enabled")
        pane.type("e")
        try pane.screen(with: "✓ botcronctl edit far  the editor has ended")
        try pane.screen(with: "once 2191-01-01")
        #expect(try stage.control("show", "far").output.contains("2191"))
        pane.press("C-c")
        try pane.screen(with: "ended with 0")
        // What was behind the screen is there again, with what the editor's verb said.
        #expect(pane.screen.contains("far is changed"))
        try expectModesBack(pane)
    }

    @Test func aDaemonThatLeavesIsSeenAndItsReturn() throws {
        let pane = try pane()
        try stage.stopDaemon()
        try pane.screen(with: ": no daemon is on the bus")
        try pane.takePicture("top-not-live")
        // A key says so, too, and starts none.
        pane.type("/far")
        pane.press("Enter")
        pane.type("r")
        try pane.screen(with: "✕ botcronctl run far  no daemon runs on this bus")
        pane.press("Escape")
        try stage.startDaemon()
        try pane.screen(with: "BotCron  running")
        stage.killBus()
        try pane.screen(with: "the connection to the bus is lost")
        pane.type("q")
        try pane.screen(with: "ended with 0")
        try expectModesBack(pane)
    }

    @Test func aClickSelectsWhereTheMouseIsWanted() throws {
        let pane = try pane(80, 24, "--mouse")
        #expect(pane.value("#{mouse_any_flag}") == "1")
        let row = try #require(pane.rows.firstIndex { $0.contains("  talks ") })
        pane.type("\u{1B}[<0;10;\(row + 1)M\u{1B}[<0;10;\(row + 1)m")
        try pane.screen(with: "›   talks")
        // In a log it selects text, as everywhere else.
        pane.type("l")
        try pane.screen(with: "has not run yet")
        #expect(pane.value("#{mouse_any_flag}") == "0")
        pane.type("q")
        try pane.screen(with: "›   talks")
        pane.type("q")
        try pane.screen(with: "ended with 0")
        try expectModesBack(pane)
    }

    // MARK: - The terminal

    @Test(arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGTRAP])
    func theTerminalIsGivenBackWhateverEndsIt(_ signal: Int32) throws {
        let pane = try pane(80, 24, "--mouse")
        #expect(!pane.isGivenBack)
        #expect(kill(pid, signal) == 0)
        try pane.screen(with: "ended with \(128 + signal)")
        try expectModesBack(pane)
    }

    @Test func itIsStoppedAndGoesOn() throws {
        let pane = try pane()
        pane.press("C-z")
        try pane.screen(with: "Stopped")
        try expectModesBack(pane)
        pane.type("clear; fg\n")
        try pane.screen(with: "not schedulable")
        #expect(!pane.isGivenBack)
        // From somebody else, and in a way that no program can prepare for.
        for signal in [SIGTSTP, SIGSTOP] {
            #expect(kill(pid, signal) == 0)
            try pane.screen(with: "Stopped")
            pane.type("clear; fg\n")
            try pane.screen(with: "not schedulable")
        }
        pane.type("?")
        try pane.screen(with: "Keys of botcronctl top")
        pane.type("qq")
        try pane.screen(with: "ready>")
        try expectModesBack(pane)
    }

    /// Continued without the terminal it is not stopped for taking it, and leaves what the shell has made of it.
    @Test(arguments: [SIGTSTP, SIGSTOP])
    func oneThatIsStoppedCanBeEnded(_ signal: Int32) throws {
        let pane = try pane()
        #expect(kill(pid, signal) == 0)
        try pane.screen(with: "Stopped")
        let stopped = pid
        pane.type("kill %1\n")
        try pane.wait("end of \(stopped)") { _ in kill(stopped, 0) != 0 }
        pane.type("clear\n")
        try expectModesBack(pane)
    }

    /// What does not change is not written, and what counts by minutes wakes once a minute.
    @Test func idleWritesNothing() throws {
        let pane = try pane()
        pane.type("/far")
        pane.press("Enter")
        try pane.screen(with: "never ran")
        // What its rows lacked has come.
        _ = try settledSwitches()
        try pane.tmux("pipe-pane", "cat > '\(stage.path("written"))'")
        // A minute may end in one span of them, and not in the others.
        let isAsleep = try (0..<3).contains { _ in
            let before = try switches()
            // It is a span of nothing that is looked at.
            sleep(2)
            return try switches() == before
        }
        #expect(isAsleep)
        #expect(TestFile.bytes(stage.path("written")) == [])
        try pane.tmux("pipe-pane")
    }

    private func switches() throws -> Int {
        let line = TestFile.text("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt") }
        return try #require(line.flatMap { Int($0.filter(\.isNumber)) })
    }

    /// When it has stopped waking.
    private func settledSwitches() throws -> Int {
        var last = try switches()
        for _ in 0..<100 {
            // Nothing tells that nothing more will come.
            usleep(300_000)
            let now = try switches()
            if now == last { return now }
            last = now
        }
        throw TestFailure("it does not come to rest")
    }

    @Test func theConsoleIsDrawnWithItsOwnSigns() throws {
        let pane = try pane(80, 24, environment: ["TERM=linux"])
        let text = try pane.screen(with: "x bad")
        #expect(text.contains("> x bad") && !text.contains("✕") && !text.contains("›"))
        try pane.takePicture("top-linux")
        pane.type("q")
        try pane.screen(with: "ended with 0")
        try expectModesBack(pane)
    }

    @Test func withoutColoursItIsReadable() throws {
        let pane = try pane(80, 24, environment: ["TERM=screen", "NO_COLOR=1"])
        let colors = pane.styledScreen.matches(of: /\u{1B}\[([0-9;]*)m/).flatMap { $0.output.1.split(separator: ";") }
        #expect(!colors.contains { ["31", "32", "33", "34"].contains($0) }, "\(colors)")
        #expect(pane.screen.contains("› ✕ bad"))
        try pane.takePicture("top-no-color")
    }

    // MARK: - In lines

    @Test(arguments: [["--plain"], []])
    func withoutAScreenEachChangeIsALineInWords(_ options: [String]) throws {
        let program = try TestProgram(
            [TestPlace.built("botcronctl"), "top"] + options, environment: ["TERM=dumb"] + stage.environment)
        var text = try program.output(until: "next: far")
        #expect(text.hasPrefix("botcrond is running, with 6 jobs\nneeds a look: bad is not schedulable: "))
        #expect(text.contains("\nnothing is running\nnext: "))
        // What is next is told when it listens.
        text += try program.output(until: "  next ")
        #expect(try stage.control("run", "fails", "--wait").code == 3)
        text += try program.output(until: "failed")
        program.send(SIGTERM)
        let end = try program.finish()
        #expect(end.code == 0 && !(text + end.output).contains("\u{1B}"), "\(text)\(end)")
        let again = try TestProgram(
            [TestPlace.built("botcronctl"), "top"] + options, environment: stage.environment)
        _ = try again.output(until: "needs a look: fails failed")
        #expect(try stage.control("run", "gives-up", "--wait").code == 1)
        let last = try TestProgram([TestPlace.built("botcronctl"), "top"] + options, environment: stage.environment)
        _ = try last.output(until: "needs a look: gives-up: the job was paused after 1 failed")
    }

    @Test func forProgramsThereIsAnother() throws {
        let outcome = try stage.control("top", "--json")
        #expect(outcome.code == 64 && outcome.output.contains("monitor --json"), "\(outcome)")
    }
}
