internal import Configuration
internal import EventLoop
internal import Execution
internal import Processes
internal import Scheduling

/// Programs that messages are given to, and what messages say of an output.
extension Attempts {
    /// Of the name of what shows a run's output.
    static var logSuffix: String { "~log" }

    /// A program is given so long.
    static var messageTimeout: Duration { .seconds(60) }
    private static let outputLimit = 16 << 10

    /// - Parameter input: what the program reads.
    func tell(
        _ message: Message, _ argv: [String], input: String, timeout: Duration = messageTimeout,
        then: @escaping (MessageOutcome) -> Void
    ) {
        var request = errand(named: message.id, argv)
        request.standardInput = .bytes(Array(input.utf8))
        request.timeout = timeout
        request.outputLimit = Self.outputLimit
        errands.run(request) { report in
            guard let report else { return then(.failed("it was ended before it began")) }
            if report.isTimedOut { return then(.failed("\(argv[0]) took more than \(timeout)")) }
            let word = report.output.lastLine.map { ": " + $0 } ?? ""
            switch report.ending {
            case .exited(0): then(.sent)
            case .exited(let code): then(.failed("\(argv[0]) exited with status \(code)\(word)"))
            case .signaled(let signal, _): then(.failed("\(argv[0]) was ended by signal \(signal)\(word)"))
            case .couldNotStart(let why), .shortOfResources(let why), .lost(let why): then(.failed(why))
            }
        }
    }

    /// Starts something for a person to see; how it ends is theirs.
    func open(_ argv: [String], named name: String, with variables: [String: String]) {
        var request = errand(named: name, argv)
        request.environment.merge(variables) { $1 }
        request.outputLimit = Self.outputLimit
        guard !errands.isActive(name) else { return }
        // The errand goes with this object.
        errands.run(request) { [unowned self] report in
            guard let report, case .exited(0) = report.ending else {
                return log.warning(
                    "cannot show what was asked for",
                    [("BOTCRON_PROGRAM", argv[0]), ("BOTCRON_ENDING", report.map { "\($0.ending)" } ?? "")])
            }
        }
    }

    private func errand(named name: String, _ argv: [String]) -> AttemptRequest {
        AttemptRequest(
            run: name, attempt: 1, arguments: argv,
            environment: AttemptPlan.environment(session.ownEnvironment, common: settings.surroundings, home: home),
            workingDirectory: home)
    }

    /// The beginning and the end of what a run's last attempt wrote.
    func outputExcerpt(of run: Run) -> OutputExcerpt { runner.output(run: run.id, attempt: run.attempt).excerpt() }
}
