import Scheduling

/// The table `attempt`: the columns after its key, the run's sequence number.
enum AttemptRow {
    static let columns = [
        "number", "started_at_us", "ended_at_us", "exit_code", "exit_signal", "error", "failure_type",
        "remedy_succeeded",
    ]

    static func bind(_ attempt: Attempt, to statement: Statement) {
        statement.bind(attempt.number)
        statement.bind(attempt.startedAt)
        statement.bind(attempt.endedAt)
        statement.bind(attempt.exit)
        statement.bind(attempt.error)
        statement.bind(attempt.failureType)
        statement.bind(attempt.remedySucceeded)
    }

    static func read(_ statement: Statement, run: String) -> Attempt {
        let number = statement.count()
        var attempt = Attempt(run: run, number: number, startedAt: statement.instant())
        attempt.endedAt = statement.instantIfAny()
        attempt.exit = statement.exitIfAny()
        attempt.error = statement.textIfAny()
        attempt.failureType = statement.textIfAny()
        attempt.remedySucceeded = statement.boolIfAny()
        return attempt
    }
}
