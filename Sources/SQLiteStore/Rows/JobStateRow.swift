import Schedules
import Scheduling
import Store

/// The table `job_state`: its columns in the order in which `bind` writes and `read` reads them.
enum JobStateRow {
    static let columns = [
        "job", "schedule_key", "registered_at_us", "decided_through_us", "is_enabled_override", "executions",
        "run_count", "failure_count", "failures_in_a_row", "last_run_at_us", "last_ended_at_us", "last_duration_us",
        "last_status", "skipped_fire_time_us", "budget_day_us", "budget_runs", "budget_wall_time_us", "budget_cost",
        "fired_boot_id", "paused_until_us", "was_enabled", "claimed_us", "reopened_through_us",
        "polls", "last_poll_at_us", "poll_failures", "poll_hash", "poll_found_at_us",
        "disabled_reason",
        "failures_since_success",
        "failing_since_us", "output_digest", "told_reason", "expected_since_us", "overdue_at_us", "told_by_us",
        "counts_from_us", "ended_before",
    ]

    static func bind(_ state: JobState, to statement: Statement) {
        statement.bind(state.job)
        statement.bind(state.scheduleKey)
        statement.bind(state.registeredAt)
        statement.bind(state.decidedThrough)
        statement.bind(state.isEnabledOverride)
        statement.bind(state.executions)
        statement.bind(state.runCount)
        statement.bind(state.failureCount)
        statement.bind(state.failuresInARow)
        statement.bind(state.lastRunAt)
        statement.bind(state.lastEndedAt)
        statement.bind(state.lastDuration)
        statement.bind(state.lastStatus?.rawValue)
        statement.bind(state.skippedFireTime)
        statement.bind(state.budgetUse.day)
        statement.bind(state.budgetUse.runs)
        statement.bind(state.budgetUse.wallTime)
        statement.bind(state.budgetUse.cost)
        statement.bind(state.firedBootID)
        statement.bind(state.pausedUntil)
        statement.bind(state.wasEnabled)
        // A short list that is always read as a whole: text, separated by blanks.
        statement.bind(state.claimed.map { String($0.microseconds) }.joined(separator: " "))
        statement.bind(state.reopenedThrough)
        statement.bind(state.polls)
        statement.bind(state.lastPollAt)
        statement.bind(state.pollFailures)
        statement.bind(state.pollHash.map { Int64(bitPattern: $0) })
        statement.bind(state.pollFoundAt)
        statement.bind(state.disabledReason)
        let course = state.course
        statement.bind(course.failures)
        statement.bind(course.failingSince)
        statement.bind(course.outputDigest)
        statement.bind(course.toldReason?.rawValue)
        let expectation = state.expectation
        statement.bind(expectation.since)
        statement.bind(expectation.overdueAt)
        statement.bind(expectation.toldBy)
        let progress = state.progress
        statement.bind(progress.countsFrom)
        // No name of a job has a blank in it.
        statement.bind(progress.endedBefore.isEmpty ? nil : progress.endedBefore.joined(separator: " "))
    }

    static func read(_ statement: Statement) -> JobState {
        let job = statement.text()
        let scheduleKey = statement.text()
        let registeredAt = statement.instant()
        var state = JobState(
            job: job, scheduleKey: scheduleKey, registeredAt: registeredAt, decidedThrough: statement.instant())
        state.isEnabledOverride = statement.boolIfAny()
        state.executions = statement.count()
        state.runCount = statement.count()
        state.failureCount = statement.count()
        state.failuresInARow = statement.count()
        state.lastRunAt = statement.instantIfAny()
        state.lastEndedAt = statement.instantIfAny()
        state.lastDuration = statement.durationIfAny()
        state.lastStatus = statement.wordIfKnown(Run.Status.self)
        state.skippedFireTime = statement.instantIfAny()
        var use = BudgetUse()
        use.day = statement.instantIfAny()
        use.runs = statement.count()
        use.wallTime = statement.durationIfAny() ?? .zero
        use.cost = statement.real()
        state.budgetUse = use
        state.firedBootID = statement.textIfAny()
        state.pausedUntil = statement.instantIfAny()
        state.wasEnabled = statement.boolIfAny() ?? true
        state.claimed = instants(in: statement.text())
        state.reopenedThrough = statement.instantIfAny()
        state.polls = statement.count()
        state.lastPollAt = statement.instantIfAny()
        state.pollFailures = statement.count()
        state.pollHash = statement.integerIfAny().map { UInt64(bitPattern: $0) }
        state.pollFoundAt = statement.instantIfAny()
        state.disabledReason = statement.textIfAny()
        var course = JobCourse()
        course.failures = statement.count()
        course.failingSince = statement.instantIfAny()
        course.outputDigest = statement.integerIfAny()
        course.toldReason = statement.wordIfKnown(Run.Reason.self)
        state.course = course
        var expectation = JobExpectation()
        expectation.since = statement.instantIfAny()
        expectation.overdueAt = statement.instantIfAny()
        expectation.toldBy = statement.instantIfAny()
        state.expectation = expectation
        var progress = JobProgress()
        progress.countsFrom = statement.instantIfAny()
        let names = statement.textIfAny()?.split(separator: " ", maxSplits: Scheduler.Limits.jobsBefore) ?? []
        progress.endedBefore = names.prefix(Scheduler.Limits.jobsBefore).map(String.init)
        state.progress = progress
        return state
    }

    /// Of a list of numbers with blanks between them: ascending, each once, `claimedMax` at most.
    private static func instants(in text: String) -> [Instant] {
        guard !text.isEmpty else { return [] }
        let numbers = text.split(separator: " ", maxSplits: claimedMax, omittingEmptySubsequences: true)
        return Set(numbers.prefix(claimedMax).compactMap { Int64($0).map(Statement.instant) }).sorted()
    }

    /// A longer list is not ours, and cut. The core takes far fewer.
    private static let claimedMax = 100_000
}
