public import Schedules

/// Why a job ran, did not run, is not running, and when it will.
extension Scheduler {
    /// What holds a job up or will start it; with an instant, what became or becomes of it.
    ///
    /// Changes nothing. The most telling reason comes first.
    ///
    /// - Parameter records: what the store has of the job around the instant: the record of this very fire time, or of
    ///   a stretch that it lies in. Without an instant, of its last runs.
    public func explain(_ name: String, at instant: Instant?, records: [Run] = [], now: Instant) -> [Explanation] {
        guard let entry = jobs[name] else { return [.unknownJob(name)] }
        guard let instant else { return explainNow(entry, records, now: now) }
        let fire = Instant(seconds: instant.seconds)
        if let known = fate(of: fire, entry, records) { return [known] }
        guard entry.fireTime(atOrBefore: fire) == fire else {
            if fire < entry.state.registeredAt {
                return [.beforeRegistration(fire, registeredAt: entry.state.registeredAt)]
            }
            return [.noFireTime(fire, previous: entry.fireTime(atOrBefore: fire), next: entry.fireTime(after: fire))]
        }
        if entry.state.claimed.contains(fire) { return [.taken(fire)] }
        if isDecidedBefore(entry, fire) { return [clockSetBack(entry, now: now) ?? .forgotten(fire)] }
        if fire <= entry.state.decidedThrough {
            if fire > now, let known = clockSetBack(entry, now: now) { return [known] }
            return [entry.isExcluded(fire) ? .willBeExcluded(fire) : .forgotten(fire)]
        }
        var reasons = hindrances(entry)
        if entry.state.skippedFireTime == fire { return [.willBeSkipped(fire)] + reasons }
        if entry.isExcluded(fire) { return [.willBeExcluded(fire)] + reasons }
        let due = entry.dueInstant(of: fire)
        if due > fire { reasons.append(.dueAfterJitter(fire, due: due)) }
        if !reasons.isEmpty, !isFiring || !entry.isEnabled || entry.isFinished {
            return fire <= now && entry.isEnabled ? reasons + [.undecided(fire)] : reasons
        }
        if let until = entry.waitsUntil, until > now, fire <= now {
            return [.waitingAfterWake(fire, until: until)] + reasons
        }
        if let scope = usedUpBudget(entry, now: max(due, now)) { return [.budgetUsedUp(scope)] + reasons }
        if let hold = groupHold(on: entry.job), hold.until.map({ $0 > due }) ?? true {
            return [.groupHold(run: nil, hold)] + reasons
        }
        return [.willRun(max(due, now))] + reasons
    }

    private func fate(of fire: Instant, _ entry: JobEntry, _ records: [Run]) -> Explanation? {
        let active = (entry.occupying + entry.waiting).map(\.run)
        let all = (active + records).filter { $0.job == entry.job.name && $0.trigger != .chain }
        // What was missed under a clock that was ahead comes after all.
        if let exact = all.first(where: { $0.scheduledFor == fire }),
            exact.status != .missed || fire <= entry.state.decidedThrough
        {
            return exact.status.isExecuted ? .ran(exact) : .notRun(exact)
        }
        let covering = all.first { run in
            guard let since = run.coveredSince, let last = run.scheduledFor else { return false }
            return since <= fire && fire < last
        }
        guard entry.fireTime(atOrBefore: fire) == fire else { return nil }
        return covering.map { .covered(by: $0) }
    }

    /// What keeps the schedule of a job from starting anything.
    private func hindrances(_ entry: JobEntry) -> [Explanation] {
        var reasons: [Explanation] = []
        if isStopping { reasons.append(.stopping) }
        if !isEnabled { reasons.append(.allPaused) }
        if isAsleep { reasons.append(.asleep) }
        if !entry.isEnabled {
            let failures = entry.state.failuresInARow
            let isByFailures = entry.job.pauseOnFailures.map { failures >= $0 } ?? false
            let state = entry.state
            reasons.append(
                isByFailures
                    ? .pausedAfterFailures(failures)
                    : .disabled(until: state.pausedUntil, reason: state.disabledReason))
        }
        if entry.isFinished { reasons.append(.finished(executions: entry.state.executions)) }
        return reasons
    }

    private func explainNow(_ entry: JobEntry, _ records: [Run], now: Instant) -> [Explanation] {
        var reasons: [Explanation] = []
        for active in entry.occupying {
            let run = active.run
            switch active.phase {
            case .running:
                reasons.append(.running(run: run.id, attempt: run.attempt, since: run.startedAt ?? run.createdAt))
            case .retrying: reasons.append(.retrying(run: run.id, nextAttempt: run.attempt + 1, at: run.retryAt ?? now))
            case .awaitingGroup:
                if let hold = groupHold(ofRun: run.id) { reasons.append(.groupHold(run: run.id, hold)) }
            case .conditional:
                reasons.append(.conditions(run: run.id, unmet: active.wait.unmet, until: active.wait.until))
            case .ready: reasons.append(.limited(run: run.id, running: runningCount, limit: settings.maxConcurrentRuns))
            case .waiting, .ended: break
            }
            if run.isLate, let within = active.job.expectWithin {
                reasons.append(.lateRun(run: run.id, within: within))
            }
            if let caveat = run.caveat { reasons.append(.caveat(run: run.id, caveat)) }
        }
        for active in entry.waiting {
            if let until = active.notBefore, until > now {
                reasons.append(.held(run: active.run.id, until: until))
            } else {
                reasons.append(.waiting(run: active.run.id, behind: entry.occupying.map(\.run.id)))
            }
        }
        let hindrances = hindrances(entry)
        reasons += hindrances
        if let scope = usedUpBudget(entry, now: now) { reasons.append(.budgetUsedUp(scope)) }
        if let hold = groupHold(on: entry.job), !entry.occupying.contains(where: { $0.phase == .awaitingGroup }) {
            reasons.append(.groupHold(run: nil, hold))
        }
        let expectation = entry.state.expectation
        if let since = expectation.since, expectation.lateSince != nil {
            let details = entry.job.details.value
            let every = expectation.overdueAt.flatMap { _ in details.expectEvery }
            let by = expectation.toldBy.flatMap { _ in details.expectBy?.text }
            reasons.append(.late(since: since, every: every, by: by))
        }
        if let known = clockSetBack(entry, now: now) { reasons.append(known) }
        let queue = entry.job.details.value.triggerQueue
        if let queue {
            let items = queues.first { $0.queue == queue }?.items ?? 0
            reasons.append(.servesQueue(queue, items: items))
        }
        if entry.job.details.value.poll != nil {
            switch entry.polling {
            case .asking:
                reasons.append(.polls(count: entry.state.polls, next: nil, fault: entry.pollFault))
            case .idle(let next?):
                reasons.append(.polls(count: entry.state.polls, next: next, fault: entry.pollFault))
            // While nothing is decided, another reason says why.
            case .idle(nil): break
            }
        }
        if entry.job.schedules.isEmpty {
            if let after = entry.job.details.value.after {
                reasons.append(
                    after.jobs.count == 1
                        ? .follows(after.jobs[0], on: after.on)
                        : .followsAll(after.jobs, on: after.on, ended: entry.state.progress.endedBefore))
            } else if queue == nil, entry.job.details.value.poll == nil {
                reasons.append(.noSchedule)
            }
        } else if let fire = entry.nextFire, fire <= now, let until = entry.waitsUntil, until > now {
            reasons.append(.waitingAfterWake(fire, until: until))
        } else if hindrances.isEmpty, !(entry.nextRun.map { isBudgetUsedUp(entry, now: $0) } ?? false) {
            reasons += explainNext(entry, now: now)
        }
        let ended = records.filter { $0.job == entry.job.name && $0.status.isExecuted && !$0.status.isActive }
        if let last = ended.max(by: { $0.createdAt < $1.createdAt }), last.status.isFailure {
            reasons.append(.lastFailed(last))
        }
        return reasons
    }

    private func explainNext(_ entry: JobEntry, now: Instant) -> [Explanation] {
        let isAtBoot = entry.job.schedules.contains { $0.timetable.schedule.kind == .reboot }
        if entry.countsFromEnd, !entry.isIdle {
            return [.afterEnd(interval: entry.job.schedules.first?.text ?? "")]
        }
        guard let fire = entry.nextRun else { return [isAtBoot ? .atBoot : .neverAgain] }
        let due = entry.dueInstant(of: fire)
        var reasons: [Explanation] = fire > now ? [.next(fire)] : []
        if due > max(fire, now) { reasons.append(.dueAfterJitter(fire, due: due)) }
        if isAtBoot { reasons.append(.atBoot) }
        return reasons.isEmpty ? [.next(fire)] : reasons
    }

    /// What a clock that was set back means for a job, as long as it means something.
    private func clockSetBack(_ entry: JobEntry, now: Instant) -> Explanation? {
        let effect: Explanation.ClockEffect
        if let step = clockSetBack, entry.state.registeredAt == step.at, now < step.at + step.by {
            effect = .registeredAnew
        } else if let last = entry.state.reopenedThrough, last > now {
            effect = entry.hasRhythm ? .goesOn(recordsThrough: last) : .notTwice(through: last)
        } else if entry.state.decidedThrough > now {
            effect = .notTwice(through: entry.state.decidedThrough)
        } else {
            return nil
        }
        // Another daemon may have heard of it.
        let least = max(entry.state.reopenedThrough ?? now, entry.state.decidedThrough) - now
        return .clockSetBack(by: clockSetBack?.by ?? least, at: clockSetBack?.at, effect)
    }
}
