import Schedules

/// Runs that follow the end of another.
extension Scheduler {
    func startChained(after active: ActiveRun, _ entry: JobEntry, now: Instant) {
        guard active.run.status != .cancelled else { return }
        let isSuccess = active.run.status == .success
        var names = isSuccess ? active.job.onSuccess : active.job.onFailure
        names += followers[entry.job.name, default: []].filter { name in
            switch jobs[name]?.job.after?.on {
            case .any: true
            case .success: isSuccess
            case .failure: !isSuccess
            case nil: false
            }
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
}
