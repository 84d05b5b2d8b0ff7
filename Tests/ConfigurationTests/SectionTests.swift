import JSON
import Schedules
import Scheduling
import Testing

@testable import Configuration

@Suite struct SectionTests {
    private func read(_ text: String) throws -> Configuration {
        try reader().read(document: JSONDocument(bytes: Array(text.utf8)))
    }

    @Test(arguments: ["{}", #"{"schedules": null}"#, #"{"schedules": {}}"#, #"{"schedules": {"jobs": []}, "user": 1}"#])
    func withoutASectionThereAreDefaults(text: String) throws {
        let configuration = try read(text)
        #expect(configuration == Configuration(timezone: .utc))
        #expect(configuration.isEnabled)
        #expect(configuration.executionMode == "claude_cli")
        #expect(configuration.settings == SchedulerSettings())
        #expect(configuration.defaultRetry == nil)
        #expect(configuration.executionTimeout == .seconds(300))
        #expect(configuration.stopTimeout == .seconds(90))
        #expect(configuration.isTracedByDefault)
        #expect(!configuration.allowsPastEvents)
        #expect(configuration.notifications == "{}")
        #expect(configuration.runners.keys.sorted() == ["claude_cli", "claude_prompt", "message", "python_script"])
    }

    @Test func everySettingIsRead() throws {
        let configuration = try configuration(
            """
            "enabled": false, "timezone": "Asia/Tokyo", "execution_mode": "direct", "max_concurrent_executions": 3,
            "execution_timeout": "10m", "retention_days": 7, "auto_cleanup_enabled": false,
            "cleanup_interval_hours": 1.5, "wake_settle": 1, "wake_spread": "2m", "launch_rate": 30,
            "stop_timeout": 5, "trace_enabled_by_default": false, "allow_past_events": true,
            "notifications": {"memory": {"directory": "/notes"}, "toast": true},
            "environment": {"A": "~/x:/y:${HOME}", "B": 7, "C": "a~/$HOME"}, "path": ["~/bin", "$HOME/b", "/opt/b"],
            "remediation": {"auth": ["login", "--quiet"]}, "failure_patterns": {"license": ["no seat"]},
            "runners": {"skill_direct": {"command": ["sk", "${skill}"]}, "mine": ["m", "${job}"]}
            """)
        #expect(!configuration.isEnabled)
        #expect(configuration.timezone.name == "Asia/Tokyo")
        #expect(configuration.executionMode == "skill_direct")
        #expect(configuration.settings.maxConcurrentRuns == 3)
        #expect(configuration.settings.retentionDays == 7)
        #expect(!configuration.settings.isCleanupEnabled)
        #expect(configuration.settings.cleanupInterval == .seconds(5400))
        #expect(configuration.settings.wakeSettle == .seconds(1))
        #expect(configuration.settings.wakeSpread == .seconds(120))
        #expect(configuration.settings.launchesPerMinute == 30)
        #expect(configuration.stopTimeout == .seconds(5))
        #expect(configuration.executionTimeout == .seconds(600))
        #expect(!configuration.isTracedByDefault)
        #expect(configuration.allowsPastEvents)
        #expect(configuration.notifications == #"{"memory": {"directory": "/notes"}, "toast": true}"#)
        let home = "/home/ada"
        #expect(
            configuration.surroundings.variables == ["A": "\(home)/x:/y:\(home)", "B": "7", "C": "a~/$HOME"])
        #expect(configuration.surroundings.path == ["\(home)/bin", "\(home)/b", "/opt/b"])
        #expect(configuration.remediation == ["auth": ["login", "--quiet"]])
        #expect(configuration.failureClassifier.type(ofError: "No seat left", output: nil) == "license")
        #expect(configuration.runners["skill_direct"] == ["sk", "${skill}"])
        #expect(configuration.runners["mine"] == ["m", "${job}"])
        #expect(configuration.warnings == [])
    }

    @Test(arguments: [
        ("[]", "cannot read the configuration (line 1, column 1): found an empty array; expected an object"),
        (
            "{\n  \"schedules\": []\n}",
            "cannot read the configuration (line 2, column 16): schedules: found an empty array; expected an object"
        ),
        (
            "{\n  \"schedules\": {\n    \"jobs\": {}\n}}",
            "cannot read the configuration (line 3, column 13): schedules.jobs: found an empty object; "
                + "expected an array of jobs"
        ),
        (
            #"{"schedules": {"enabled": "no"}}"#,
            "cannot read the configuration (line 1, column 27): schedules.enabled: found the string \"no\"; "
                + "expected true or false"
        ),
        (
            #"{"schedules": {"max_concurrent_executions": 0}}"#,
            "cannot read the configuration (line 1, column 45): schedules.max_concurrent_executions: "
                + "found the number 0; expected a whole number from 1 to 1000000000"
        ),
        (
            #"{"schedules": {"remediation": {"auth": "x"}}}"#,
            "cannot read the configuration (line 1, column 40): schedules.remediation.auth: found the string \"x\"; "
                + "expected an array of strings: a program and its arguments"
        ),
        (
            #"{"schedules": {"default_retry": true}}"#,
            "cannot read the configuration (line 1, column 33): schedules.default_retry: found true; "
                + "expected an object, or false for no retry"
        ),
    ])
    func troubleWithTheSectionHasItsPlace(text: String, expected: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        #expect(error?.description == expected)
    }

    @Test(arguments: ["bin", "a:b", "$HOMER/x", "~user/bin"]) func aFolderOfThePathIsOneThatIsFound(_ folder: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try read("{\"schedules\": {\"path\": [\"\(folder)\"]}}")
        }
        #expect(error?.description.contains("one absolute folder") == true, "\(String(describing: error))")
    }

    @Test func theCommonEnvironmentIsLaidOverTheSessions() {
        var common = CommonEnvironment()
        (common.variables, common.path) = (["A": "1"], ["/first"])
        var session = ["A": "0", "B": "2", "PATH": "/bin::/usr/bin"]
        common.lay(over: &session, personal: "/home/ada/.local/bin")
        #expect(session == ["A": "1", "B": "2", "PATH": "/first:/bin::/usr/bin:/home/ada/.local/bin"])
        var bare: [String: String] = [:]
        CommonEnvironment().lay(over: &bare, personal: nil)
        #expect(bare == ["PATH": "/usr/local/bin:/usr/bin:/bin"])
        // What is there already stays where it is.
        var known = ["PATH": "/home/ada/.local/bin:/bin"]
        CommonEnvironment().lay(over: &known, personal: "/home/ada/.local/bin")
        #expect(known["PATH"] == "/home/ada/.local/bin:/bin")
    }

    @Test func aVariableOfARunnerWithoutItsDollarIsAWarning() throws {
        let configuration = try configuration(
            #""runners": {"a": ["x", "{skill}", "{other}", "${persona}"], "b": ["y", "-p={persona}"]}"#)
        #expect(configuration.warnings.count == 2, "\(configuration.warnings)")
        #expect(configuration.warnings[0].hasPrefix("runners.a: \"{skill}\" stands for itself"))
        #expect(configuration.warnings[1].contains("the variable is \"${persona}\""))
    }

    @Test func anUnknownZoneOfTheSectionHasItsPlace() throws {
        let error = try #require(
            #expect(throws: ConfigurationError.self) { try read("{\"schedules\": {\n\"timezone\": \"Mars/Olympus\"}}") }
        )
        #expect(error.line == 2)
        #expect(error.column == 13)
        #expect(error.reason.hasPrefix(#"schedules.timezone: bad_timezone timezone "Mars/Olympus" at 0: "#))
    }

    @Test func unknownKeysOfTheSectionAreWarnings() throws {
        let configuration = try read(
            """
            {"schedules": {
              "job": [],
              "description": "free", "x-own": 1,
              "check_interval": 1,
              "enabled": true, "enabled": false
            }}
            """)
        #expect(
            configuration.warnings == [
                "schedules.job: unknown key; did you mean \"jobs\"? (line 2, column 3)",
                "schedules.enabled: given twice, with different values; give it once (line 5, column 20)",
                "schedules.check_interval: ignored: nothing is polled, fire times are met by a timer",
            ])
        #expect(!configuration.isEnabled)
    }

    @Test(arguments: ["jobs", "schedule"])
    func jobsWithoutTheSectionAreSaidToBeUnread(key: String) throws {
        let configuration = try read("{\"user\": 1, \"\(key)\": []}")
        let text = "there is no section \"schedules\", so there are no jobs; \"\(key)\" stands at the top of the file"
        #expect(
            configuration.warnings.count == 1 && configuration.warnings[0].hasPrefix(text), "\(configuration.warnings)")
        #expect(try read("{\"\(key)\": [], \"schedules\": {}}").warnings == [], "it may be another program's")
    }

    @Test func chainsToNowhereAreWarnings() throws {
        let configuration = try read(
            """
            {"schedules": {"jobs": [
              {"name": "first", "command": ["true"], "on_success": ["secnod", "second"], "on_failure": ["x"]},
              {"name": "second", "command": ["true"], "after": {"job": "frist"}}
            ]}}
            """)
        #expect(configuration.refused.isEmpty)
        #expect(
            configuration.warnings == [
                "first: on_success names \"secnod\", and there is no such job here; the nearest is \"second\"",
                "first: on_failure names \"x\", and there is no such job here; the nearest is \"first\"",
                "second: after names \"frist\", and there is no such job here; the nearest is \"first\"",
            ])
    }

    // MARK: - Bad jobs

    @Test func aBadJobStandsBesideGoodOnes() throws {
        let configuration = try read(
            """
            {
              "schedules": {
                "jobs": [
                  {"name": "good", "cron": "0 9 * * *", "command": ["true"]},
                  {"name": "bad_cron", "cron": "61 * * * *", "command": ["true"]},
                  {"name": "typo", "cron": "0 9 * * *", "comand": ["true"]},
                  {"name": "good", "cron": "0 8 * * *", "command": ["false"]},
                  {"name": "zone", "cron": "0 9 * * *", "timezone": "EST5", "command": ["true"]},
                  "no object",
                  {"name": "good_too", "cron": "0 9 * * *", "command": ["true"],
                   "retry": {"max_attempts": 2}},
                  {"name": "deep", "command": ["true"], "retry": {
                    "max_attempts": "two"}}
                ]
              }
            }
            """)
        #expect(configuration.jobs.map(\.name) == ["good", "good_too"])
        #expect(configuration.jobs[0].action == .command(["true"]))
        #expect(configuration.refused.map(\.name) == ["bad_cron", "typo", "good", "zone", "jobs[5]", "deep"])
        let errors = configuration.refused.map(\.error)
        #expect(errors[0].hasPrefix(#"out_of_range minute "61" at 0: "#))
        #expect(errors[0].hasSuffix(" (cron, line 5, column 36)"))
        #expect(errors[1] == #"comand: unknown key; did you mean "command"? (line 6, column 45)"#)
        #expect(errors[2] == #"name: "good" is taken by jobs[0], which stands; names are unique (line 7, column 16)"#)
        #expect(errors[3].hasPrefix(#"bad_timezone timezone "EST5" at 0: "#))
        #expect(errors[3].hasSuffix(" (timezone, line 8, column 57)"))
        #expect(errors[4] == #"found the string "no object"; expected an object: one job (line 9, column 7)"#)
        #expect(
            errors[5] == "retry.max_attempts: found the string \"two\"; expected a whole number from 1 to 1000000000"
                + " (line 13, column 25)")
        #expect(configuration.refused[4].definition == "\"no object\"")
    }

    // MARK: - Runners

    @Test func aBrokenRunnerIsTheTroubleOfItsJobs() throws {
        let configuration = try read(
            """
            {"schedules": {
              "runners": {"claude_cli": {"command": ["claude", "${skil}"]}, "shell": {"command": "sh -c"},
                          "empty": {}, "mine": {"command": ["m"], "extra_arguments": ["-v"]}},
              "jobs": [{"name": "a", "skill": "s"}, {"name": "b", "skill": "s", "execution_mode": "mine"},
                       {"name": "c", "execution_mode": "shell"}]
            }}
            """)
        #expect(configuration.jobs.map(\.name) == ["b"])
        #expect(configuration.jobs[0].action == .runner(["m", "-v"]))
        #expect(
            configuration.warnings == [
                "schedules.runners.claude_cli.command: argument 1 of the runner, \"${skil}\": unknown variable "
                    + "\"skil\"; did you mean \"skill\"?",
                "schedules.runners.shell.command: found the string \"sh -c\"; expected an array of strings: "
                    + "a program and its arguments",
                "schedules.runners.empty.command: missing; it is the argv template of this runner",
            ])
        #expect(configuration.refused.map(\.name) == ["a", "c"])
        #expect(configuration.refused[0].error.hasPrefix("skill: the runner \"claude_cli\" is broken: "))
    }

    @Test func runnersAreChosenByModeAndKind() throws {
        let section =
            #""execution_mode": "own", "#
            + #""runners": {"own": ["o", "${skill}"], "tool": ["t", "${skill}", "${inputs_json}"], "direct": ["d"]}"#
        func mode(_ members: String) throws -> String {
            let job = try job(members, section: section)
            guard case .runner(let argv) = job.action else { return "no runner" }
            return "\(job.executionMode) \(argv[0]) \(job.skill)"
        }
        #expect(try mode(#""skill": "s""#) == "own o s")
        #expect(try mode(#""skill": "s", "execution_mode": "claude_cli""#) == "claude_cli claude s")
        #expect(try mode(#""skill": "s", "execution_mode": "skill_direct""#) == "skill_direct d s")
        #expect(try mode(#""skill": "s", "execution_mode": "direct""#) == "skill_direct d s")
        #expect(try mode(#""agentool_name": "f", "input_data": {"a": 1}"#) == "tool t f")
        #expect(try mode(#""function_name": "f", "parameters": {"a": 1}"#) == "tool t f")
        #expect(try mode(#""workflow_id": "f""#) == "tool t f")
        #expect(try mode(#""message": "m""#) == "message claude ")
        #expect(try mode(#""message": "m", "execution_mode": "own""#) == "own o ")
        #expect(try mode(#""execution_mode": "own", "inputs": {}"#) == "own o ")
        #expect(try job(#""function_name": "f", "parameters": {"a": 1}"#, section: section).inputs == #"{"a": 1}"#)
        #expect(
            try refusal(#""skill": "s""#, section: #""execution_mode": "python_script""#)
                == "skill: schedules.execution_mode is \"python_script\", which runs no skills; "
                + "give the job an execution_mode")
    }
}

/// What a person who writes the file by hand gets wrong without noticing.
@Suite struct SlipTests {
    private func read(_ text: String) throws -> Configuration {
        try reader().read(outline: try ConfigurationFile.outline(Array(text.utf8), path: "config.json"))
    }

    /// The last one was taken, and the jobs of the other were gone without a word.
    @Test(arguments: [
        "{\"schedules\": {\"jobs\": []},\n\"x\": 1,\n\"schedules\": {}}",
        "{\"schedules\": null,\n\n\"schedules\": {\"jobs\": []}}",
        "{\"schedules\": {\n\"jobs\": [],\n\n\"jobs\": []}}",
    ]) func twoOfWhatHoldsJobsAreRefusedWithBothLines(_ text: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().filter {
            $0.element.contains(text.contains("\"jobs\": [],\n") ? "\"jobs\"" : "\"schedules\"")
        }.map { $0.offset + 1 }
        #expect(error?.reason.contains("in lines \(lines[0]) and \(lines[1])") == true, "\(error?.description ?? "")")
        #expect(error?.line == lines[1])
    }

    @Test(arguments: ["Schedules", "schedulers", "schedule", "scheduler", "SCHEDULES", "shedules", "jobs"])
    func aSectionUnderAnotherNameIsSaid(_ name: String) throws {
        let configuration = try read("{\"\(name)\": {\"jobs\": []}, \"jira\": {}}")
        #expect(configuration.warnings.count == 1)
        #expect(configuration.warnings.first?.contains("\"\(name)\"") == true)
        #expect(configuration.warnings.first?.contains("\"schedules\"") == true)
    }

    @Test func sectionsOfOthersAreNotSaid() throws {
        #expect(try read("{\"jira\": {}, \"services\": {}, \"slack\": 1}").warnings.isEmpty)
        #expect(try read("{\"schedules\": {}, \"scheduler\": {}}").warnings.isEmpty)
    }

    @Test(arguments: ["_comment", "//", "# why", "comment", "$schema", "Note", "_"])
    func aCommentGetsTheHintHowToWriteOne(_ key: String) throws {
        let job = "{\"name\": \"a\", \"command\": [\"true\"], \"\(key)\": \"because\"}"
        let configuration = try read("{\"schedules\": {\"\(key)\": 1, \"jobs\": [\(job)]}}")
        #expect(configuration.warnings.first?.contains("x-comment") == true, "\(configuration.warnings)")
        #expect(configuration.refused.first?.error.contains("x-comment") == true)
        #expect(try read("{\"schedules\": {\"x-comment\": 1}}").warnings.isEmpty)
    }

    /// A byte order mark before the file is none of its business.
    @Test func aByteOrderMarkAndCRLFAreRead() throws {
        let text =
            "\u{FEFF}{\r\n\"schedules\": {\r\n\"jobs\": [{\"name\": \"a\", \"command\": [\"true\"]},\r\n {\"nam\": 1}]}}\r\n"
        let configuration = try read(text)
        #expect(configuration.jobs.map(\.name) == ["a"])
        #expect(configuration.refused.first?.error.contains("line 4, column 3") == true, "\(configuration.refused)")
    }

    /// Every job of a large file is refused, and it is full of keys that nobody knows: each gets its place and the
    /// nearest key in time of its own, not in proportion to all.
    @Test func faultsCostNoMoreAmongMany() throws {
        func time(_ count: Int) throws -> Duration {
            let jobs = (0..<count).map { "{\"name\": \"j\($0)\", \"on_succes\": [\"x\"]}" }.joined(separator: ",\n")
            let keys = (0..<20 * count).map { "\"k\($0)\": 1" }.joined(separator: ",")
            var configuration: Configuration?
            let took = try ContinuousClock().measure {
                configuration = try read("{\"schedules\": {\(keys), \"jobs\": [\(jobs)]}}")
            }
            #expect(configuration?.refused.count == count)
            #expect(configuration?.refused.last?.error.contains("line \(count), column") == true)
            // The rest is not listed.
            #expect(configuration?.warnings.count == 20)
            return took
        }
        let (few, many) = (try time(40), try time(1_200))
        // Thirty times as many; in quadratic time it would be nine hundred.
        #expect(many < few * 200)
    }
}
