import Glibc
import JSON
import TestSupport
import Testing

/// `logs` and `run --shell`: what runs write, and a shell in their place.
@Suite struct LogsTests {
    private let stage: Stage

    init() throws {
        stage = try Stage(
            """
            {"schedules": {"timezone": "UTC", "jobs": [
              {"name": "writes", "command": "printf 'a\\\\000b\\\\n'; echo err >&2; exit 5", "environment": {"MINE": "of the job"},
               "working_directory": "/usr"},
              {"name": "floods", "command": "seq 100000", "output_limit": 1000},
              {"name": "slow", "command": "echo one; sleep 0.7; echo two; exit 7"},
              {"name": "again", "command": "echo begin $BOTCRON_ATTEMPT; sleep 0.4; echo end $BOTCRON_ATTEMPT; exit $BOTCRON_ATTEMPT",
               "retry": {"max_attempts": 3, "delay_seconds": 0.1, "backoff_multiplier": 1}},
              {"name": "never", "command": ["true"]}
            ]}}
            """)
    }

    @Test func whatTheLatestRunWroteIsPrintedAsItIs() throws {
        #expect(try stage.control("run", "writes", "--wait").code == 5)
        let outcome = try stage.control("logs", "writes")
        #expect(outcome.code == 0)
        #expect(outcome.output == "a\0b\nerr\n")
        let history = try stage.control("history", "writes", "--json").output
        let id = try #require(history.firstMatch(of: /cron-writes-[0-9-]+/)).output
        #expect(try stage.control("logs", String(id)).output == "a\0b\nerr\n")
    }

    @Test func whatWasNotKeptIsSaid() throws {
        #expect(try stage.control("run", "floods", "--wait").code == 0)
        let outcome = try stage.control("logs", "floods")
        #expect(outcome.output.hasPrefix("1\n2\n") && outcome.output.hasSuffix("99999\n100000\n"))
        #expect(outcome.errors == "botcronctl: 587895 bytes in between were not kept\n")
    }

    @Test func aRunIsFollowedToItsEnd() throws {
        #expect(try stage.control("run", "slow").code == 0)
        let outcome = try stage.control("logs", "slow", "-f")
        #expect(outcome.output == "one\ntwo\n")
        #expect(outcome.code == 7)
    }

    /// One that followed went on in the next attempt where the one before had ended, and left out its beginning.
    @Test func everyAttemptIsPrintedFromItsBeginning() throws {
        #expect(try stage.control("run", "again").code == 0)
        let outcome = try stage.control("logs", "again", "-f", "--attempt", "1")
        #expect(outcome.output == (1...3).map { "begin \($0)\nend \($0)\n" }.joined())
        #expect(outcome.code == 3)
        #expect(try stage.control("logs", "again").output == "begin 3\nend 3\n")
        #expect(try stage.control("logs", "again", "--attempt", "2").output == "begin 2\nend 2\n")
        let fourth = try stage.control("logs", "again", "--attempt", "4")
        #expect(fourth.code == 4 && fourth.errors.contains(".4\""), "\(fourth)")
        #expect(try stage.control("logs", "again", "--attempt", "0").code == 64)
    }

    @Test func withoutARunItSaysWhatToDo() throws {
        let outcome = try stage.control("logs", "never")
        #expect(outcome.code == 4)
        #expect(outcome.errors.contains("has not run yet") && outcome.errors.contains("botcronctl run never"))
        #expect(try stage.control("logs", "nevr").errors.contains("never"))
    }

    @Test func aShellEndsWhereNobodyTypes() throws {
        let outcome = try stage.shell("timeout 60 \(TestPlace.built("botcronctl")) run --shell writes < /dev/null")
        #expect(outcome.code == 0, "\(outcome)")
        let left = try stage.shell(
            "echo 'cat; echo after' | timeout 60 \(TestPlace.built("botcronctl")) run --shell writes")
        #expect(left.code == 0 && left.output.contains("after\r\n"), "\(left)")
    }

    @Test func aShellHasTheSurroundingsOfTheJob() throws {
        try stage.write("pwd; echo \"<$MINE,$BOTCRON_JOB>\"; tty; exit 9\n", to: "typed")
        let outcome = try stage.shell(
            "\(TestPlace.built("botcronctl")) run --as-scheduled --shell writes < \(stage.path("typed"))")
        #expect(outcome.code == 9, "\(outcome)")
        #expect(outcome.output.contains("/usr\r\n"), "\(outcome)")
        #expect(outcome.output.contains("<of the job,writes>"), "\(outcome)")
        #expect(outcome.output.contains("/dev/pts/"), "\(outcome)")
        #expect(try stage.control("history", "writes", "--json").output.contains("\"exit_code\": 9"))
    }

    /// A shell for anybody but root: it got no terminal ("failed to set the controlling terminal"), ended at once, and
    /// a failed run was booked. On a terminal, with job control, as a person has it.
    @Test(.enabled(if: Self.canBeAnotherUser, "only root can be another user, and that one must reach the programs"))
    func aShellIsForOrdinaryUsers() throws {
        let stage = try Stage(
            #"{"schedules": {"jobs": [{"name": "writes", "command": ["true"], "environment": {"PS1": "> "}}]}}"#,
            as: Self.ordinaryUser)
        let typed = #"id -u; tty; ps -o pid=,tpgid=,sess= -p $$; (exit 3); sleep 0 & wait; exit 9\n"#
        let outcome = try stage.shell(
            """
            (sleep 1; printf '\(typed)') | timeout 60 script --quiet --return \
              --command '\(TestPlace.built("botcronctl")) run --as-scheduled --shell writes' /dev/null
            """)
        #expect(outcome.code == 9, "\(outcome)")
        #expect(outcome.output.contains("\(Self.ordinaryUser)\r\n"), "\(outcome)")
        #expect(outcome.output.contains("/dev/pts/"), "\(outcome)")
        // The shell leads the session whose terminal it is, and may move jobs to the front of it.
        let ids = try #require(outcome.output.firstMatch(of: /(\d+) +(\d+) +(\d+)/)).output
        #expect(ids.1 == ids.3, "\(outcome)")
        #expect(!outcome.output.contains("job control") && !outcome.output.contains("controlling"), "\(outcome)")
        let runs = try JSONValue(parsing: stage.control("history", "--json").output).arrayValue ?? []
        #expect(runs.count == 1 && runs[0]["exit_code"] == 9, "\(runs)")
    }

    private static let ordinaryUser: uid_t = 65_534

    private static let canBeAnotherUser: Bool = {
        let probe = try? TestProgram(
            ["setpriv", "--reuid=\(ordinaryUser)", "--clear-groups", TestPlace.built("botcronctl"), "--version"],
            environment: ["PATH=/usr/bin:/bin"]
        ).finish()
        return geteuid() == 0 && probe?.code == 0
    }()

    /// Where the shell could not open the terminal there is no run, failed or otherwise.
    @Test(.enabled(if: Self.canBeAnotherUser, "only root can be another user, and that one must reach the programs"))
    func whereAShellCannotWorkNothingIsBooked() throws {
        let stage = try Stage(
            #"{"schedules": {"jobs": [{"name": "writes", "command": ["true"]}]}}"#, as: Self.ordinaryUser)
        // Root may speak to the bus of another, and has terminals of its own.
        let outcome = try TestProgram(
            [TestPlace.built("botcronctl"), "run", "--shell", "writes"], environment: stage.environment
        ).finish()
        #expect(
            outcome.code == 1 && outcome.errors.contains("the daemon runs as user \(Self.ordinaryUser)"), "\(outcome)")
        #expect(try stage.control("history", "--json").output == "[]\n")
    }

    /// A container with the bus of the session in it, and terminals of its own.
    @Test(.enabled(if: Self.canHaveOtherTerminals, "needs a mount namespace with another /dev/pts"))
    func whereTheDaemonDoesNotSeeTheTerminalNothingIsBooked() throws {
        let outcome = try stage.shell(
            "\(Self.elsewhere) '\(TestPlace.built("botcronctl")) run --shell writes'")
        #expect(outcome.code == 1 && outcome.errors.contains("the daemon does not see the terminal"), "\(outcome)")
        #expect(try stage.control("history", "--json").output == "[]\n")
    }

    private static let elsewhere = """
        unshare --mount sh -c 'mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts && \
        mount --bind /dev/pts/ptmx /dev/ptmx && exec sh -c "$0"'
        """

    private static let canHaveOtherTerminals: Bool =
        (try? TestProgram(["/bin/sh", "-c", "\(elsewhere) true"], environment: ["PATH=/usr/sbin:/usr/bin:/bin"])
        .finish())?
        .code == 0

    @Test func aShellTakesNoOtherOptions() throws {
        #expect(try stage.control("run", "writes", "--shell", "--wait").code == 64)
    }
}
