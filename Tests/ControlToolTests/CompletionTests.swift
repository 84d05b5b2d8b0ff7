import Glibc
import TestSupport
import Testing

@testable import botcronctl

/// Completions, in the shells that they are for.
@Suite struct CompletionTests {
    private static let shells = CompletionScript.allCases

    private func script(_ shell: CompletionScript) throws -> String {
        let outcome = try TestProgram.run([TestPlace.built("botcronctl"), "completion", shell.rawValue])
        #expect(outcome.code == 0 && outcome.errors.isEmpty)
        return outcome.output
    }

    /// A stage with the scripts in `completions/`, and an environment in which the tool is found by name.
    private func stage(_ configuration: String? = Stage.configuration) throws -> (Stage, [String]) {
        let stage = try Stage(configuration)
        // A name that readline breaks into two words.
        if configuration != nil { #expect(try stage.control("add", "team:mail", "--", "true").code == 0) }
        for shell in Self.shells { try stage.write(try script(shell), to: shell.rawValue) }
        let folder = TestPlace.built("botcronctl").dropLast("/botcronctl".count)
        let own = [
            "PATH=\(folder):/usr/bin:/bin", "TERM=dumb", "NO_COLOR=1",
            // On a busy machine 200 ms may not be enough, and that is not what is looked at.
            "\(CompletionNames.variable)=60000",
        ]
        return (stage, own + stage.environment.filter { !$0.hasPrefix("PATH=") })
    }

    // MARK: - What is in them

    @Test(arguments: CompletionScript.allCases)
    func theScriptIsCleanAndHasEveryVerbAndOption(shell: CompletionScript) throws {
        let text = try script(shell)
        for verb in Verb.all {
            #expect(text.contains(verb.name), "\(verb.name)")
            for option in verb.allOptions {
                for spelling in option.spellings {
                    let written = shell == .fish ? spelling.fishOption : spelling
                    #expect(text.contains(written), "\(verb.name) \(spelling)")
                }
            }
        }
        let checked = try TestProgram.run([shell.rawValue, "-n"], input: text)
        #expect(checked == TestProgram.Outcome(code: 0, output: "", errors: ""))
    }

    @Test func everyArgumentThatIsAJobARunOrAFileIsKnownAsOne() {
        let meanings: [String: Verb.Meaning] = [
            "JOB": .job, "RUN": .run, "JOB|RUN": .jobOrRun, "FILE": .file, "VERB": .verb, "PAGE": .page,
        ]
        for verb in Verb.all {
            let words = verb.arguments.split(separator: " ").map { $0.filter { !"[]'".contains($0) } }
            // A word that may be repeated is completed several times.
            let isRepeated = words.last?.hasSuffix("…") ?? false
            #expect(verb.meanings.count <= max(words.count, 1) || isRepeated, "\(verb.name)")
            for (place, word) in words.enumerated() {
                guard let meaning = meanings[word] else { continue }
                #expect(verb.meaning(at: place) == meaning, "\(verb.name): \(word)")
            }
            for option in verb.allOptions {
                guard let value = option.value else { continue }
                let wanted: Verb.Meaning? =
                    switch value {
                    case "FILE": .file
                    case "FOLDER": .folder
                    case "ZONE": .zone
                    default: nil
                    }
                if let wanted { #expect(option.meaning == wanted, "\(verb.name) \(option.spellings[0])") }
            }
        }
    }

    // MARK: - In the shells

    /// What is typed, and all that is then offered.
    private static let offers: [(line: String, words: [String])] = [
        ("botcronctl sho", ["show"]),
        ("botcronctl re", ["rename", "remove", "rerun", "resume", "reload"]),
        ("botcronctl --json hist", ["history"]),
        ("botcronctl --bus unix:path=/a sho", ["show"]),
        ("botcronctl run --as", ["--as-scheduled"]),
        ("botcronctl history --s", ["--status", "--since"]),
        ("botcronctl add x --ov", ["--overlap"]),
        ("botcronctl show gr", ["greet"]),
        ("botcronctl show ", ["bad", "fails", "far", "greet", "off", "sleeper", "standup", "team:mail"]),
        ("botcronctl logs tea", ["team:mail"]),
        ("botcronctl history --failed -n 3 st", ["standup"]),
        ("botcronctl run --wait sl", ["sleeper"]),
        ("botcronctl copy greet ", []),
        ("botcronctl next --type c", ["cron", "calendar"]),
        ("botcronctl next --tz Europe/Berl", ["Europe/Berlin"]),
        ("botcronctl history --status int", ["interrupted"]),
        ("botcronctl add x --shell sho", []),
        ("botcronctl help dis", ["disable"]),
        ("botcronctl man botcron.", ["botcron.json"]),
        ("botcronctl completion f", ["fish"]),
    ]

    @Test func bashOffersWhatFits() throws {
        let (stage, environment) = try stage()
        let lines =
            Self.offers + [
                ("botcronctl next --type=c", ["cron", "calendar"]), ("botcronctl show team:m", ["mail"]),
                ("~/bin/botcronctl sho", ["show"]), ("botcronctl add x -- ls ", []),
            ]
        // As readline hands a line over: words broken at blanks and at = and :.
        let driver = """
            source '\(stage.path("bash"))'
            while IFS= read -r line; do
                COMP_LINE=$line COMP_POINT=${#line} COMP_WORDS=()
                rest=$line
                while [[ $rest =~ ^([[:space:]]*)([^[:space:]=:]+|[=:]+)(.*)$ ]]; do
                    COMP_WORDS+=("${BASH_REMATCH[2]}")
                    rest=${BASH_REMATCH[3]}
                done
                [[ $line != *' ' ]] || COMP_WORDS+=('')
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                _botcronctl botcronctl '' ''
                echo "${COMPREPLY[*]}"
            done
            """
        let outcome = try TestProgram(
            ["bash", "--norc", "-c", driver], environment: environment,
            input: lines.map { $0.line + "\n" }.joined()
        ).finish()
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        let answers = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(answers.count == lines.count + 1)
        for (offer, answer) in zip(lines, answers) {
            #expect(answer.split(separator: " ").map(String.init).sorted() == offer.words.sorted(), "\(offer.line)")
        }
    }

    @Test func fishOffersWhatFits() throws {
        let (stage, environment) = try stage()
        let script =
            "source '\(stage.path("fish"))'; while read -l line; complete -C\"$line\" | string split -f1 \\t; echo .; end"
        let outcome = try TestProgram(
            ["fish", "--no-config", "-c", script], environment: environment,
            input: Self.offers.map { $0.line + "\n" }.joined()
        ).finish()
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        let answers = outcome.output.split(separator: ".\n", omittingEmptySubsequences: false)
        #expect(answers.count == Self.offers.count + 1, "\(outcome.output)")
        for (offer, answer) in zip(Self.offers, answers) {
            #expect(answer.split(separator: "\n").map(String.init).sorted() == offer.words.sorted(), "\(offer.line)")
        }
    }

    /// Typed on a terminal: verbs, options, jobs, words, zones and files are completed by the key, and each line does
    /// what it then says.
    @Test(arguments: [CompletionScript.bash, .zsh]) func aLineIsCompletedAsItIsTyped(shell: CompletionScript) throws {
        let (stage, environment) = try stage()
        let isRoot = getuid() == 0
        var terminal = Terminal()
        let arguments: [String]
        switch shell {
        case .bash:
            arguments = ["bash", "--norc", "--noprofile", "-i"]
            terminal.when(isRoot ? "# " : "$ ", type: "PS1='rea''dy> '; source '\(stage.path("bash"))'\n")
        default:
            arguments = ["zsh", "-f", "-i"]
            #expect(try stage.shell("mkdir '\(stage.path("functions"))'").code == 0)
            try stage.write(try script(.zsh), to: "functions/_botcronctl")
            terminal.when(
                isRoot ? "# " : "% ",
                type: "unsetopt zle_bracketed_paste; PS1='rea''dy> '; fpath=('\(stage.path("functions"))' $fpath); "
                    + "autoload -U compinit; compinit -D -u\n")
        }
        terminal.when("ready> ", type: "botcronctl run --wa\tgre\t\n")
        terminal.when("Hello", type: "")
        terminal.when("ready> ", type: "botcronctl next --type onc\t --tz Europe/Berl\t 2190-01-01T09:00\n")
        terminal.when("09:00:00 +01:00", type: "")
        terminal.when("ready> ", type: "botcronctl vali\t \(stage.folder)/config.js\t\n")
        terminal.when("1 bad", type: "")
        terminal.when("ready> ", type: "exit 7\n")
        let outcome = try terminal.run(arguments, environment: environment)
        #expect(outcome.code == 7 && outcome.errors.isEmpty, "\(outcome)")
    }

    // MARK: - Names

    @Test func namesAreAskedForLineByLine() throws {
        let (stage, environment) = try stage()
        func ask(_ kind: String) throws -> TestProgram.Outcome {
            try TestProgram([TestPlace.built("botcronctl"), "completion", kind], environment: environment).finish()
        }
        let jobs = try ask("jobs")
        #expect(
            jobs == .init(code: 0, output: "bad\nfails\nfar\ngreet\noff\nsleeper\nstandup\nteam:mail\n", errors: ""))
        _ = try stage.control("run", "greet", "--wait")
        #expect(try ask("runs").output.contains("greet"))
        #expect(try ask("zones").output.contains("\nEurope/Berlin\n"))
        #expect(try ask("nothing").code == 64)
    }

    /// Neither a daemon that is not there nor a bus that is none keeps anybody waiting, and none is started.
    @Test func withoutADaemonThereAreNoNames() throws {
        let (stage, environment) = try stage(nil)
        let service = "[D-BUS Service]\nName=com.aiworkflow.BotCron\nExec=/bin/touch \(stage.path("started"))\n"
        #expect(try stage.shell("mkdir -p '\(stage.folder)/.local/share/dbus-1/services'").code == 0)
        try stage.write(service, to: ".local/share/dbus-1/services/com.aiworkflow.BotCron.service")
        let nothing = TestProgram.Outcome(code: 0, output: "", errors: "")
        let arguments = [TestPlace.built("botcronctl"), "completion", "jobs"]
        #expect(try TestProgram(arguments, environment: environment).finish() == nothing)
        #expect(access(stage.path("started"), F_OK) != 0)
        #expect(try TestProgram(arguments, environment: ["PATH=/usr/bin"]).finish() == nothing)
    }

    /// A bus that takes the connection and never says a word: without the limit this would not end.
    @Test func whatDoesNotAnswerIsNotWaitedFor() throws {
        let scratch = try ScratchFolder("completion-test")
        let path = scratch.path + "/bus"
        let listener = try TestProgram(
            [
                "python3", "-c",
                "import socket,sys,time; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(9); "
                    + "print('up', flush=True); time.sleep(1000)", path,
            ])
        #expect(try listener.readLine() == "up")
        let outcome = try TestProgram(
            [TestPlace.built("botcronctl"), "completion", "jobs"],
            environment: ["DBUS_SESSION_BUS_ADDRESS=unix:path=\(path)"]
        ).finish()
        #expect(outcome == TestProgram.Outcome(code: 0, output: "", errors: ""))
    }
}

extension String {
    /// `--all` is `-l all` for fish, and `-a` is `-s a`.
    fileprivate var fishOption: String { hasPrefix("--") ? "-l \(dropFirst(2)) " : "-s \(dropFirst()) " }
}
