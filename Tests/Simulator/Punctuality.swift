import Schedules
import Scheduling
import StoreModel

/// What is told as late: only what is so, once for each stretch, and all that is.
final class Punctuality {
    private(set) var count = 0
    /// By job, the end of its last success, by the clock as it was.
    private var successes: [String: Instant] = [:]

    /// Of a commit, before the store has it.
    ///
    /// - Parameter isFiring: whether schedules were in force at some time in its turn.
    /// - Returns: what is wrong.
    func observe(
        _ changes: [StoreChange], _ store: LossyStore, _ checker: Checker, isFiring: Bool, now: Instant
    ) -> (text: String, job: String)? {
        successes = successes.mapValues { min($0, now) }
        var states: [String: JobState] = [:]
        var runs: [String: Run] = [:]
        var told: [String: Message] = [:]
        var carriers: Set<String> = []
        for change in changes {
            switch change {
            case .jobState(let state): states[state.job] = state
            case .run(let run): runs[run.id] = run
            case .message(let message):
                if let carrier = message.gatheredIn { carriers.insert(carrier) }
                if message.occasion == .late, store.post.messages[message.id] == nil { told[message.id] = message }
            default: break
            }
        }
        var targets: Set<[String]> = []
        for message in told.values where !carriers.contains(message.id) {
            count += 1
            let what = String(message.text.prefix(5))
            if !targets.insert([message.job, message.run, message.target, what]).inserted {
                return ("\(message.target) is told twice that \(message.job) is late", message.job)
            }
            // Another definition expects something else.
            let isRenewed = checker.incoming[message.job] != nil
            if let fault = self.fault(message, states[message.job], runs[message.run], store, isRenewed, isFiring, now)
            {
                return ("\(message.job) is told as late (\(message.text)): \(fault)", message.job)
            }
        }
        for run in runs.values where run.status == .success { successes[run.job] = min(run.endedAt ?? now, now) }
        return nil
    }

    private func fault(
        _ message: Message, _ state: JobState?, _ run: Run?, _ store: LossyStore, _ isRenewed: Bool,
        _ isFiring: Bool, _ now: Instant
    ) -> String? {
        if message.text.hasPrefix("it is still") {
            guard let run, run.isLate, let at = run.lateAt else { return "its run is not" }
            if at > now { return "its time is not over" }
            return store.runs[run.id]?.isLate ?? false ? "it was told before" : nil
        }
        // A run that took unusually long.
        guard message.text.hasPrefix("no success") else { return nil }
        guard let state, let since = state.expectation.since else { return "nothing is on record" }
        let before = store.states[message.job]?.expectation ?? JobExpectation()
        let isSame = before.since == since && !isRenewed
        let isOverdue = state.expectation.overdueAt != nil && !(isSame && before.overdueAt != nil)
        let isMissed = state.expectation.toldBy.map { told in !isSame || before.toldBy.map { $0 < told } ?? true }
        if !isOverdue, !(isMissed ?? false) { return "it was told before" }
        if !isFiring { return "nothing is in force" }
        if let success = successes[message.job], success > since { return "it has succeeded since" }
        return nil
    }

    /// What should have been told of a job by now, where schedules are in force.
    static func untold(_ view: Scheduler.JobView, now: Instant) -> String? {
        let known = view.state.expectation
        guard view.isEnabled, !view.isFinished, view.nextRun != nil, let since = known.since else { return nil }
        if let every = view.job.expectEvery, known.overdueAt == nil, since + every <= now {
            return "\(view.job.name) has not succeeded since \(since.rfc3339(in: .utc)), and is not late"
        }
        guard let days = view.job.expectBy?.timetable, let last = days.previous(atOrBefore: now),
            let first = days.next(after: since), first < last, known.toldBy.map({ $0 < last }) ?? true
        else { return nil }
        return "\(view.job.name) has not succeeded by \(last.rfc3339(in: .utc)), and is not late"
    }
}
