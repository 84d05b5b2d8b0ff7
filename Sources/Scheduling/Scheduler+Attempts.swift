import Schedules

/// How attempts end, and what follows: success, a retry, or failure.
extension Scheduler {
    /// Exit status by which a job asks for its own retry (EX_TEMPFAIL of sysexits.h).
    static var retryExitCode: Int32 { 75 }

    /// An attempt is over. Reports on attempts that are not under way are ignored: they are repetitions.
    func endAttempt(of id: String, _ number: Int, _ outcome: AttemptOutcome, now: Instant) {
        guard let active = runs[id], active.phase == .running, active.run.attempt == number else { return }
        runningCount -= 1
        if let entry = active.entry {
            spendBudget(entry, runs: 0, wallTime: outcome.endedAt - outcome.startedAt, now: now)
        }
        let verdict = judge(outcome, of: active)
        note(outcome, verdict, in: active)

        if verdict.status.isFailure, active.ending == nil, let entry = entryForRetry(active),
            let delay = retryDelay(of: active, verdict, outcome)
        {
            let due = now + delay
            active.phase = .retrying
            active.run.status = .retrying
            active.run.retryAt = due
            touch(active)
            touch(entry)
            arm(active, at: due)
            announce(.jobRetrying(active.run, nextAttempt: active.run.attempt + 1, delay: delay))
        } else {
            finish(active, verdict.status, error: verdict.error, now: max(now, outcome.endedAt))
        }
    }

    /// The run has its final status: recorded, announced, followed by what waits or is chained.
    func finish(_ active: ActiveRun, _ status: Run.Status, error: String?, now: Instant) {
        precondition(!status.isActive, "a run ends with a final status, not \(status)")
        let wasStarted = active.run.startedAt != nil
        active.run.status = status
        active.run.error = error
        active.run.endedAt = now
        active.run.retryAt = nil
        touch(active)
        forget(active)
        active.phase = .ended
        // Whoever waits for this run's end was promised a start before it.
        if !wasStarted { announce(.jobStarted(active.run)) }
        announce(status == .success ? .jobCompleted(active.run) : .jobFailed(active.run))

        guard let entry = active.entry else { return }
        entry.occupying.removeAll { $0 === active }
        entry.waiting.removeAll { $0 === active }
        count(active, in: entry)
        startChained(after: active, entry, now: now)
        promote(entry)
    }

    /// Ends a run before its time: at once where it has no process, else as soon as the process is gone.
    func end(_ active: ActiveRun, _ why: String, now: Instant) {
        switch active.phase {
        case .running:
            guard active.ending == nil else { return }
            active.ending = .cancelled(why)
            turn.stops.append(.stop(run: active.run.id, grace: active.job.killGrace))
        case .waiting, .ready, .retrying:
            finish(active, .cancelled, error: why, now: now)
        case .ended:
            break
        }
    }

    // MARK: - The verdict on an attempt

    private struct Verdict {
        var status: Run.Status
        var exit: Run.Exit?
        var error: String?
        var failureType: String?
    }

    private func judge(_ outcome: AttemptOutcome, of active: ActiveRun) -> Verdict {
        var verdict = Verdict(status: .failed, exit: nil, error: nil, failureType: outcome.failureType ?? "unknown")
        switch outcome.ending {
        case .exited(let code):
            verdict.exit = .code(code)
            if active.job.successExitCodes.contains(code), !outcome.isTimedOut, active.ending == nil {
                return Verdict(status: .success, exit: .code(code), error: nil, failureType: nil)
            }
            verdict.error = "exited with status \(code)"
        case .signaled(let signal):
            verdict.exit = .signal(signal)
            verdict.error = "ended by signal \(signal)"
        case .couldNotStart(let reason):
            verdict.error = reason
        case .lost:
            verdict.status = .interrupted
            verdict.error = "interrupted: the daemon ended while the run was under way"
            verdict.failureType = "interrupted"
        }
        if outcome.isTimedOut {
            verdict.status = .timeout
            verdict.error = "timed out after \(active.job.timeout.inSeconds.shortText) s"
            verdict.failureType = "timeout"
        } else if let line = outcome.lastLine, verdict.exit != nil {
            verdict.error = (verdict.error ?? "failed") + ": " + line
        }
        switch active.ending {
        case .cancelled(let why):
            verdict.status = .cancelled
            verdict.error = why
            verdict.failureType = nil
        case .stopping:
            verdict.status = .interrupted
            verdict.error = "interrupted: the daemon was stopped while the run was under way"
            verdict.failureType = "interrupted"
        case nil: break
        }
        return verdict
    }

    private func note(_ outcome: AttemptOutcome, _ verdict: Verdict, in active: ActiveRun) {
        if var attempt = active.attempt {
            attempt.startedAt = outcome.startedAt
            attempt.endedAt = outcome.endedAt
            attempt.exit = verdict.exit
            attempt.error = verdict.error
            attempt.failureType = verdict.failureType
            turn.attempts.append(attempt)
        }
        active.attempt = nil
        active.run.exit = verdict.exit
        active.run.error = verdict.error
        active.run.failureType = verdict.failureType
        active.run.outputPreview = outcome.outputPreview
        touch(active)
    }

    // MARK: - Retry

    /// A retry needs a definition to start; runs of a job that is gone end.
    private func entryForRetry(_ active: ActiveRun) -> JobEntry? {
        guard let entry = active.entry, jobs[entry.job.name] === entry else { return nil }
        return entry
    }

    /// The wait before the next attempt; nil where there is to be none.
    private func retryDelay(of active: ActiveRun, _ verdict: Verdict, _ outcome: AttemptOutcome) -> Duration? {
        guard let policy = active.job.retry, active.run.attempt < policy.maxAttempts else { return nil }
        let asksForIt = verdict.exit == .code(Self.retryExitCode) && verdict.status == .failed
        guard asksForIt || isWorthRetrying(verdict, policy) else { return nil }
        let random = policy.jitter > 0 ? random.nextSigned() : 0
        return policy.delay(beforeAttempt: active.run.attempt + 1, random: random)
    }

    private func isWorthRetrying(_ verdict: Verdict, _ policy: RetryPolicy) -> Bool {
        // What was cut off may have done half its work: only who says so wants it done again.
        guard !policy.on.isEmpty else { return verdict.status != .interrupted }
        return policy.on.contains { match in
            switch (match, verdict.exit) {
            case (.any, _): verdict.status != .interrupted
            case (.type(let type), _): type == verdict.failureType
            case (.exit(let low, let high), .code(let code)): low <= code && code <= high
            case (.signal(let wanted), .signal(let signal)): wanted == signal
            case (.exit, _), (.signal, _): false
            }
        }
    }

    // MARK: - What follows an end

    private func count(_ active: ActiveRun, in entry: JobEntry) {
        let run = active.run
        touch(entry)
        entry.hasNewRecords = true
        entry.state.lastStatus = run.status
        entry.state.lastEndedAt = run.endedAt
        entry.state.lastRunAt = run.startedAt ?? run.createdAt
        entry.state.lastDuration = run.endedAt.flatMap { end in run.startedAt.map { end - $0 } }
        entry.state.runCount += 1
        if run.status == .success {
            entry.state.failuresInARow = 0
        } else {
            entry.state.failureCount += 1
            if run.status != .cancelled { entry.state.failuresInARow += 1 }
        }
        if let limit = entry.job.pauseOnFailures, entry.state.failuresInARow >= limit, entry.isEnabled {
            entry.state.failuresInARow = 0
            setEnabled(entry, false, until: nil, now: run.endedAt ?? run.createdAt)
        }
    }

    private func startChained(after active: ActiveRun, _ entry: JobEntry, now: Instant) {
        guard !isStopping, active.run.status != .cancelled else { return }
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
            guard let next = jobs[name], next.isEnabled, active.chainDepth < Limits.chainLength else { continue }
            let run = makeRun(next.job, at: now, trigger: .chain, scheduledFor: nil, now: now)
            enqueueRequested(run, next, previous: active, now: now)
        }
    }
}

extension Double {
    /// Without a fraction where there is none.
    var shortText: String { self == rounded() && magnitude < 1e15 ? String(Int64(self)) : String(self) }
}
