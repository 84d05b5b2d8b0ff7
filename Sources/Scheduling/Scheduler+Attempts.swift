import Schedules

/// How attempts end, and what follows: success, a retry, or failure.
extension Scheduler {
    /// Exit status by which a job asks for its own retry (EX_TEMPFAIL of sysexits.h).
    static var retryExitCode: Int32 { 75 }

    /// An attempt is over. Reports on attempts that are not under way are ignored: they are repetitions.
    func endAttempt(of id: String, _ number: Int, _ outcome: AttemptOutcome, now: Instant) {
        guard let active = runs[id], active.phase == .running, active.run.attempt == number else { return }
        runningCount -= 1
        forgetQuestion(active)
        disarm(active)
        letSleep(active)
        releaseConditions(active)
        // A clock that was set back in between must not give a budget back.
        let wallTime = max(.zero, outcome.endedAt - outcome.startedAt)
        spendBudget(active.entry, runs: 0, wallTime: wallTime, cost: outcome.countedCost, now: now)
        let verdict = judge(outcome, of: active)
        note(outcome, verdict, in: active)

        if canRetry(active, verdict), let delay = retryDelay(of: active, verdict, outcome) {
            let due = now + delay
            active.phase = .retrying
            active.run.ending = nil
            active.run.status = .retrying
            active.run.retryAt = due
            active.run.retryDelay = delay
            arm(active, at: due)
            announce(.jobRetrying(active.run, nextAttempt: active.run.attempt + 1, delay: delay))
            tellRetry(of: active, after: delay, now: now)
        } else {
            let start = active.run.startedAt ?? outcome.endedAt
            finish(active, verdict.status, error: verdict.error, endedAt: max(start, outcome.endedAt), now: now)
        }
    }

    /// Puts on record what a run has to do without: not again what the last attempt had to.
    func note(_ caveat: String, ofRun id: String) {
        guard let active = runs[id] else { return }
        if let known = active.run.caveat {
            let isKnown = known == caveat || known.hasPrefix(caveat + "; ") || known.hasSuffix("; " + caveat)
            guard !isKnown, known.utf8.count + caveat.utf8.count <= Run.caveatBytesMax else { return }
            active.run.caveat = "\(known); \(caveat)"
        } else {
            active.run.caveat = caveat
        }
        touch(active)
    }

    /// The run has its final status: recorded, announced, followed by what waits or is chained.
    func finish(_ active: ActiveRun, _ status: Run.Status, error: String?, endedAt: Instant, now: Instant) {
        precondition(!status.isActive, "a run ends with a final status, not \(status)")
        let wasStarted = active.run.startedAt != nil
        let wasReady = active.phase == .ready
        active.phase = .ended
        if wasReady { ready.abandonOne() }
        active.run.status = status
        active.run.error = error
        active.run.endedAt = endedAt
        active.run.retryAt = nil
        active.run.retryDelay = nil
        active.run.ending = nil
        compare(active)
        settleItems(of: active, now: now)
        pushOutcome(of: active, now: now)
        touch(active)
        forget(active)
        if active.run.idempotencyKey != nil || active.run.scheduledFor != nil { uncommittedRecords.append(active.run) }
        cleanup.newRecords += 1
        // Whoever waits for this run's end was promised a start before it.
        if !wasStarted { announce(.jobStarted(active.run)) }
        announce(status == .success ? .jobCompleted(active.run) : .jobFailed(active.run))

        guard let entry = active.entry else {
            return tellEnd(of: active, after: JobCourse(), isPausing: false, now: now)
        }
        entry.occupying.removeAll { $0 === active }
        entry.waiting.removeAll { $0 === active }
        let course = followCourse(of: active, in: entry)
        let isPausing = count(active, in: entry, now: now)
        tellEnd(of: active, after: course, isPausing: isPausing, now: now)
        startChained(after: active, entry, now: now)
        promote(entry, now: now)
        countAnew(entry, from: endedAt, now: now)
        awaitUpkeep(of: entry)
        if entry.isRemoved, entry.occupying.isEmpty, departed[entry.job.name] === entry {
            departed[entry.job.name] = nil
        }
    }

    /// Ends a run before its time: at once where it has no process, else as soon as the process is gone.
    func end(_ active: ActiveRun, _ why: String, now: Instant) {
        switch active.phase {
        case .running:
            guard active.run.ending != .cancelled else { return }
            // Whoever wanted its end before has told its process already.
            if active.run.ending == nil { stop(active, .cancelled) }
            active.run.ending = .cancelled
            active.run.error = why
            touch(active)
        case .waiting, .awaitingGroup, .conditional, .ready, .retrying:
            finish(active, .cancelled, error: why, endedAt: now, now: now)
        case .ended:
            break
        }
    }

    /// Ends the process of a run, and has it on record why.
    func stop(_ active: ActiveRun, _ ending: Run.Ending) {
        active.run.ending = ending
        touch(active)
        turn.stops.append(.stop(run: active.run.id, grace: active.job.killGrace))
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
            let wasEnded = outcome.isTimedOut || outcome.isStalled || outcome.isCancelled || active.run.ending != nil
            if active.job.successExitCodes.contains(code), !wasEnded {
                return Verdict(status: .success, exit: .code(code), error: nil, failureType: nil)
            }
            verdict.error = "exited with status \(code)"
        case .signaled(let signal):
            verdict.exit = .signal(signal)
            verdict.error = "ended by \(ProcessSignalName.text(of: signal))"
        case .couldNotStart(let reason):
            verdict.error = reason
        case .lost(let why):
            verdict.status = .interrupted
            verdict.error = "interrupted: \(why ?? "its supervisor was killed while the run was under way")"
            verdict.failureType = "interrupted"
        }
        if outcome.isTimedOut {
            verdict.status = .timeout
            verdict.error = "timed out after \(active.job.timeout.inSeconds.shortText) s"
            verdict.failureType = "timeout"
        } else if outcome.isStalled {
            verdict.error = "stalled: it wrote nothing for \((active.job.stallTimeout ?? .zero).inSeconds.shortText) s"
            verdict.failureType = "stalled"
        } else if let line = outcome.lastLine, verdict.exit != nil {
            verdict.error = (verdict.error ?? "failed") + ": " + line
        }
        let ending = active.run.ending ?? (outcome.isCancelled ? .cancelled : nil)
        switch ending {
        case .cancelled:
            verdict.status = .cancelled
            verdict.error = active.run.ending == nil ? "cancelled" : active.run.error
            verdict.failureType = nil
        case .stopping, .sleeping:
            let what = ending == .sleeping ? "the machine went to sleep" : "the daemon was stopped"
            verdict.status = .interrupted
            verdict.error = "interrupted: \(what) while the run was under way"
            verdict.failureType = "interrupted"
        case .conditionLost:
            verdict.status = .interrupted
            verdict.error = "interrupted: \(active.run.error ?? "a condition of it has ended")"
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
            attempt.remedySucceeded = outcome.remedySucceeded
            turn.attempts.append(attempt)
        }
        active.attempt = nil
        active.isStalled = outcome.isStalled
        active.outputDigest = outcome.outputDigest
        active.run.exit = verdict.exit
        active.run.error = verdict.error
        active.run.failureType = verdict.failureType
        active.run.outputPreview = outcome.outputPreview
        active.run.cost += outcome.countedCost
        if let time = outcome.cpuTime { active.run.cpuTime = (active.run.cpuTime ?? .zero) + time }
        if let peak = outcome.memoryPeakBytes {
            active.run.memoryPeakBytes = max(active.run.memoryPeakBytes ?? 0, peak)
        }
        active.run.progress = outcome.progress.flatMap { $0.isFinite ? max(0, min($0, 100)) : nil }
        active.run.result = outcome.result.flatMap { $0.utf8.count <= Run.resultBytesMax ? $0 : nil }
        touch(active)
    }

    // MARK: - Retry

    /// Runs of a job that is gone are not tried again, nor is what a user or a newer run ended.
    private func canRetry(_ active: ActiveRun, _ verdict: Verdict) -> Bool {
        verdict.status.isFailure && verdict.status != .cancelled && !(active.entry?.isRemoved ?? false)
    }

    /// The wait before the next attempt; nil where there is to be none.
    private func retryDelay(of active: ActiveRun, _ verdict: Verdict, _ outcome: AttemptOutcome) -> Duration? {
        guard let policy = active.job.retry, active.run.attempt < policy.maxAttempts else { return nil }
        if outcome.isStalled, active.job.onStall == .kill { return nil }
        let wish = outcome.retryAfter.map { min(max(.zero, $0), RetryPolicy.longestWait) }
        let asksForIt = verdict.status == .failed && (wish != nil || verdict.exit == .code(Self.retryExitCode))
        guard asksForIt || isWorthRetrying(verdict, policy) else { return nil }
        if let wish { return wish }
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

    /// - Returns: whether it takes the job out of force.
    private func count(_ active: ActiveRun, in entry: JobEntry, now: Instant) -> Bool {
        let run = active.run
        touch(entry)
        entry.hasNewRecords = true
        entry.state.lastStatus = run.status
        entry.state.lastEndedAt = run.endedAt
        entry.state.lastRunAt = run.startedAt ?? run.createdAt
        // A clock that was set back in between shortens what it measured, to nothing at most.
        entry.state.lastDuration = run.endedAt.flatMap { end in run.startedAt.map { max(.zero, end - $0) } }
        entry.state.runCount += 1
        if run.status == .success {
            entry.state.failuresInARow = 0
            noteSuccess(of: entry, at: run.endedAt ?? now, now: now)
        } else {
            entry.state.failureCount += 1
            if run.status != .cancelled { entry.state.failuresInARow += 1 }
        }
        if entry.isRemoved {
            // Where the definition is only refused at present, its state is kept.
            guard retainedStates[run.job] != nil else { return false }
            retainedStates[run.job] = entry.state
            turn.changes.append(.jobState(entry.state))
        } else if let limit = entry.job.pauseOnFailures, entry.state.failuresInARow >= limit, entry.isEnabled {
            let reason = "\(entry.state.failuresInARow) failed runs in a row"
            setEnabled(entry, false, until: nil, reason: reason, by: .daemon, since: now, now: now)
            announce(.jobPaused(run, failures: entry.state.failuresInARow))
            return true
        }
        return false
    }
}

extension AttemptOutcome {
    /// What is counted of the cost that a process named for itself.
    fileprivate var countedCost: Double { cost.isFinite ? max(0, cost) : 0 }
}

extension Double {
    /// Without a fraction where there is none.
    var shortText: String { magnitude < 1e15 && self == Double(Int64(self)) ? String(Int64(self)) : String(self) }
}
