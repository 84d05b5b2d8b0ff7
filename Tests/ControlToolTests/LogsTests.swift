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
        let outcome = try stage.shell("timeout 20 \(Stage.built("botcronctl")) run --shell writes < /dev/null")
        #expect(outcome.code == 0, "\(outcome)")
        let left = try stage.shell(
            "echo 'cat; echo after' | timeout 20 \(Stage.built("botcronctl")) run --shell writes")
        #expect(left.code == 0 && left.output.contains("after\r\n"), "\(left)")
    }

    @Test func aShellHasTheSurroundingsOfTheJob() throws {
        try stage.write("pwd; echo \"<$MINE,$BOTCRON_JOB>\"; tty; exit 9\n", to: "typed")
        let outcome = try stage.shell(
            "\(Stage.built("botcronctl")) run --as-scheduled --shell writes < \(stage.path("typed"))")
        #expect(outcome.code == 9, "\(outcome)")
        #expect(outcome.output.contains("/usr\r\n"), "\(outcome)")
        #expect(outcome.output.contains("<of the job,writes>"), "\(outcome)")
        #expect(outcome.output.contains("/dev/pts/"), "\(outcome)")
        #expect(try stage.control("history", "writes", "--json").output.contains("\"exit_code\": 9"))
    }

    @Test func aShellTakesNoOtherOptions() throws {
        #expect(try stage.control("run", "writes", "--shell", "--wait").code == 64)
    }
}
