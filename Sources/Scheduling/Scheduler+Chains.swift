import Schedules

/// Runs that follow the end of another.
extension Scheduler {
    func startChained(after active: ActiveRun, _ entry: JobEntry, now: Instant) {
        guard active.run.status != .cancelled else { return }
        let isSuccess = active.run.status == .success
        var names = isSuccess ? active.job.onSuccess : active.job.onFailure
        names += followers[entry.job.name, default: []].filter { name in
            guard let next = jobs[name], let after = next.job.details.value.after else { return false }
            switch after.on {
            case .any: break
            case .success: guard isSuccess else { return false }
            case .failure: guard !isSuccess else { return false }
            }
            return isLast(entry.job.name, of: after, before: next)
        }
        for name in names {
            guard let next = jobs[name], next.isEnabled else { continue }
            var run = makeRun(next.job, at: now, trigger: .chain, scheduledFor: nil, now: now)
            run.previous = active.run.id
            if let reason = refusal(of: next, chainedTo: active, now: now) {
                run.status = .skipped
                run.reason = reason
                run.endedAt = now
                turn.changes.append(.run(run))
                next.hasNewRecords = true
                touch(next)
                announce(.jobMissed(run))
                noteUnrun(next, run)
            } else {
                enqueueRequested(run, next, previous: active, now: now)
            }
        }
    }

    private func refusal(of next: JobEntry, chainedTo active: ActiveRun, now: Instant) -> Run.Reason? {
        if isBudgetUsedUp(next, now: now) { return .budget }
        let isFull = runs.count >= Limits.activeRuns || next.waiting.count >= Limits.waitingRunsPerJob
        return isFull || active.chainDepth >= Limits.chainLength ? .limit : nil
    }

    // MARK: - Several jobs before one

    /// A job has ended as one that follows several wants it; a job that is disabled hears nothing.
    ///
    /// - Returns: whether it was the last of them.
    private func isLast(_ name: String, of after: Job.Chain, before next: JobEntry) -> Bool {
        guard after.jobs.count > 1 else { return true }
        guard next.isEnabled else { return false }
        let ended = Set(next.state.progress.endedBefore).union([name])
        let isComplete = after.jobs.allSatisfy(ended.contains)
        next.state.progress.endedBefore = isComplete ? [] : ended.sorted()
        touch(next)
        return isComplete
    }

    /// A run of the job starts, whoever wanted it: what ended before counts no more.
    func forgetEndsBefore(_ entry: JobEntry) {
        guard !entry.state.progress.endedBefore.isEmpty else { return }
        entry.state.progress.endedBefore = []
        touch(entry)
    }

    /// Under another definition those count that it names.
    func forgetOthersBefore(_ entry: JobEntry) {
        let (known, after) = (entry.state.progress.endedBefore, entry.job.details.value.after)
        let left = after.map { after in after.jobs.count > 1 ? known.filter(after.jobs.contains) : [] } ?? []
        if left != known { entry.state.progress.endedBefore = left }
    }

    // MARK: - Circles

    /// The jobs that would follow one another for ever if this definition were in force; nil where none would.
    func circle(with job: Job) -> [String]? {
        // Most jobs are in no chain, and a walk over all takes a while.
        guard !job.onSuccess.isEmpty || !job.onFailure.isEmpty || job.after != nil else { return nil }
        return ChainGraph.circle(through: job.name) { name in
            let known = name == job.name ? job : self.jobs[name]?.job
            var next = (known?.onSuccess ?? []) + (known?.onFailure ?? [])
            next += self.followers[name, default: []].filter { $0 != job.name }
            if job.after?.jobs.contains(name) ?? false { next.append(job.name) }
            return next
        }
    }
}
