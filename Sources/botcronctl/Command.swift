import Contract

/// `botcronctl`: sees and controls the jobs of BotCron from a terminal or a script.
///
/// It is an ordinary client of the bus: whatever it does, another program can do too. A command line is read against
/// the table of verbs (`Verb.all`), which drives parsing, help and dispatch; a verb gets what was read (`Request`) and
/// what it works with (`Context`), prints its result, and returns the exit code. What goes wrong is a `Failure`,
/// printed here and nowhere else.
///
/// ```swift
/// runCommand(["list", "--json"])     // 0, and the jobs on stdout
/// runCommand(["run", "nightly"])     // 4 where there is no such job
/// ```
///
/// Sharp edges: results go to stdout and complaints to stderr, except with `--json`, where an error is an object on
/// stdout. Texts of jobs and runs are foreign: whatever is interpolated into a `Line` is cleaned.
func runCommand(_ arguments: [String]) -> Int32 {
    let commandLine: ParsedCommandLine
    do {
        commandLine = try ParsedCommandLine(arguments)
    } catch {
        return report(error, Screen(options: GlobalOptions(arguments)))
    }
    let screen = Screen(options: commandLine.options)
    if commandLine.asksForHelp {
        screen.line(Line(own: commandLine.verb.map { Help.text(of: $0) } ?? Help.overview))
        return ExitCode.success
    }
    if commandLine.asksForVersion {
        screen.line("botcronctl \(botcronVersion)")
        return ExitCode.success
    }
    let verb = commandLine.verb ?? Verb.standard
    guard let pager = Pager(verb, screen) else { return run(verb, commandLine, screen) }
    let code = run(verb, commandLine, screen)
    pager.finish()
    return code
}

private func run(_ verb: Verb, _ commandLine: ParsedCommandLine, _ screen: Screen) -> Int32 {
    do {
        return try verb.run(commandLine.request, Context(options: commandLine.options, screen: screen))
    } catch {
        return report(error, screen)
    }
}

/// Says what went wrong, once: as an object with `--json`, else in words.
private func report(_ failure: Failure, _ screen: Screen) -> Int32 {
    if screen.isJSON {
        screen.json(failure.json)
    } else {
        screen.complain(failure)
    }
    return failure.exitCode
}
