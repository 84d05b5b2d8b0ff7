import Schedules

/// Which fire times are due, and what becomes of each.
extension Scheduler {
    /// No timer is exact: whatever the grace time, a run that starts so late is on time.
    static var punctuality: Duration { .milliseconds(500) }

    /// Decides every fire time of a job that is due at `now` and has no outcome yet.
    ///
    /// Of several, the newest is run if it is no later than the grace time; the others are misfires, and the catch-up
    /// policy has its say. The watermark moves past all of them.
    func decideDue(_ entry: JobEntry, now: Instant) {
        guard isFiring, entry.isEnabled, !entry.isFinished else { return schedule(entry) }
        guard let newest = newestDue(entry, now: now), newest > entry.state.decidedThrough else {
            return awaitFire(of: entry)
        }
        touch(entry)

        var due = collect(entry, through: newest)
        entry.state.decidedThrough = newest
        let excluded = decideSpecial(entry, &due, now: now)

        let policy = entry.job.catchUp
        var onTime: Instant?
        if let last = due.fires.last, entry.lateness(of: last, now: now) <= max(policy.graceTime, Self.punctuality) {
            onTime = last
            due.fires.removeLast()
        }
        let misfires = splitByWindow(entry, due, now: now)
        recordMissed(entry, misfires.expired, now: now) { _ in .expired }

        switch policy.kind {
        case .none:
            recordMissed(entry, misfires.current, now: now) { self.misfireReason(of: $0) }
            if let onTime { offer(entry, fire: onTime, trigger: .schedule, covering: nil, now: now) }
        case .latest:
            // One run stands for all: the one that is on time where there is one, so that a job never runs twice
            // in a row for what one run can do.
            if let onTime {
                offer(entry, fire: onTime, trigger: .schedule, covering: misfires.current, now: now)
            } else {
                var covered = misfires.current
                if let fire = covered.popNewest(of: entry) {
                    offer(entry, fire: fire, trigger: .catchUp, covering: covered, now: now)
                }
            }
        case .all, .spread:
            var current = misfires.current
            let excess = current.removeAll(beyondNewest: policy.limit)
            recordMissed(entry, excess, now: now) { _ in .limit }
            offerCatchUps(entry, current.fires, onTime: onTime, now: now)
        }
        recordExcluded(entry, excluded, now: now)
        if entry.countsFromEnd { countAnew(entry, from: now, now: now) } else { schedule(entry) }
    }

    /// Before the fire times of a job change or end, what was due has its outcome: decided as ever, or on record as
    /// missed where nothing is decided at present.
    func settle(_ entry: JobEntry, now: Instant) {
        guard entry.isEnabled, !entry.isFinished, !isFiring else { return decideDue(entry, now: now) }
        guard let newest = newestDue(entry, now: now), newest > entry.state.decidedThrough else { return }
        touch(entry)
        var due = collect(entry, through: newest)
        entry.state.decidedThrough = newest
        let excluded = decideSpecial(entry, &due, now: now)
        recordMissed(entry, due, now: now) { self.misfireReason(of: $0) }
        recordExcluded(entry, excluded, now: now)
        if entry.countsFromEnd { countAnew(entry, from: now, now: now) } else { schedule(entry) }
    }

    /// An `@reboot` schedule fires once per boot, when the daemon first starts under it.
    func fireAtBoot(_ entry: JobEntry, now: Instant) {
        guard firesAtBoot(entry) else { return }
        touch(entry)
        entry.state.firedBootID = bootID
        guard entry.isEnabled, !entry.isFinished else { return }
        let run = makeRun(entry.job, at: now, trigger: .schedule, scheduledFor: nil, now: now)
        enqueueRequested(run, entry, previous: nil, now: now)
        entry.state.executions += 1
    }

    func firesAtBoot(_ entry: JobEntry) -> Bool {
        isFiring && !bootID.isEmpty && entry.job.schedules.contains { $0.timetable.schedule.kind == .reboot }
            && entry.state.firedBootID != bootID
    }

    // MARK: - What is due

    /// The newest fire time whose jitter has passed, too.
    private func newestDue(_ entry: JobEntry, now: Instant) -> Instant? {
        guard let newest = entry.fireTime(atOrBefore: now) else { return nil }
        // A jitter ends before the next fire time, so only the newest can still be under way.
        return entry.dueInstant(of: newest) <= now ? newest : entry.fireTime(atOrBefore: newest - .microseconds(1))
    }

    /// The undecided fire times up to `newest`, the newest of them one by one.
    private func collect(_ entry: JobEntry, through newest: Instant) -> Stretch {
        let decided = entry.state.decidedThrough
        var bound = max(entry.job.historyLimit, entry.job.catchUp.limit, 1) + 1
        if !isPlain(entry) { bound = max(bound, Limits.individualFireTimes) }
        var fires: [Instant] = []
        var next: Instant? = newest
        while let fire = next, fire > decided, fires.count < bound {
            fires.append(fire)
            next = entry.fireTime(atOrBefore: fire - .microseconds(1))
        }
        fires.reverse()
        var stretch = Stretch(after: decided, older: nil, fires: fires)
        if let last = next, last > decided, let first = entry.fireTime(after: decided) {
            let count = entry.countFireTimes(after: decided, through: last)
            stretch.older = Stretch.Older(first: first, last: last, count: count)
        }
        return stretch
    }

    /// Takes out what is not a question of time: exclusions, a user's skip, what a client ran by hand, what has a
    /// record from a time when the clock was ahead.
    ///
    /// - Returns: the excluded fire times.
    private func decideSpecial(_ entry: JobEntry, _ due: inout Stretch, now: Instant) -> Stretch {
        let decided = entry.state.decidedThrough
        let recordsUpTo = max(entry.state.reopenedThrough ?? .epoch, entry.state.registeredAt)
        entry.recordsThrough = recordsUpTo
        let mayHaveRecords = due.first.map { $0 <= recordsUpTo } ?? false
        defer {
            if let reopened = entry.state.reopenedThrough, reopened <= decided { entry.state.reopenedThrough = nil }
        }
        var excluded = Stretch(after: due.after, older: nil, fires: [])
        guard mayHaveRecords || !isPlain(entry) else { return excluded }
        due.fires.removeAll { fire in
            if entry.state.claimed.contains(fire) { return true }
            if isDecidedBefore(entry, fire) || fire <= entry.state.registeredAt && isRecorded(entry, fire) {
                return true
            }
            if entry.state.skippedFireTime == fire {
                record(entry, fire, .skipped, .user, now: now)
                return true
            }
            guard entry.isExcluded(fire) else { return false }
            excluded.fires.append(fire)
            return true
        }
        entry.state.claimed.removeAll { $0 <= decided }
        if let skipped = entry.state.skippedFireTime, skipped <= decided { entry.state.skippedFireTime = nil }
        return excluded
    }

    /// After the run that `max_executions` permits last there are no fire times, so none to be excluded.
    private func recordExcluded(_ entry: JobEntry, _ excluded: Stretch, now: Instant) {
        var excluded = excluded
        if entry.isFinished, let last = (entry.occupying + entry.waiting).compactMap(\.run.scheduledFor).max() {
            excluded.fires.removeAll { $0 > last }
        }
        record(entry, excluded, .skipped, now: now) { _ in .excluded }
    }

    /// Whether no fire time of a job has a fate of its own.
    private func isPlain(_ entry: JobEntry) -> Bool {
        entry.job.exclusions.isEmpty && entry.state.skippedFireTime == nil && entry.state.claimed.isEmpty
            && entry.state.reopenedThrough == nil
    }

    /// Parts misfires that are older than the catch-up window from those that may still be run.
    private func splitByWindow(_ entry: JobEntry, _ misfires: Stretch, now: Instant) -> (
        expired: Stretch, current: Stretch
    ) {
        var current = misfires
        guard let edge = windowEdge(entry, now: now) else {
            return (Stretch(after: misfires.after, older: nil, fires: []), current)
        }
        let expired = current.removeAll(through: edge - .microseconds(1), of: entry)
        return (expired, current)
    }

    /// Before this instant misfires are not caught up any more; nil where that is before all fire times of the job:
    /// what `allow_past` permits is as old as its registration.
    private func windowEdge(_ entry: JobEntry, now: Instant) -> Instant? {
        let edge = now - entry.job.catchUp.window
        return edge > entry.state.registeredAt ? edge : nil
    }

    func isExpired(_ fire: Instant, _ entry: JobEntry, now: Instant) -> Bool {
        windowEdge(entry, now: now).map { fire < $0 } ?? false
    }

    /// Why nothing could run at a fire time that has passed.
    func misfireReason(of fire: Instant) -> Run.Reason {
        if fire <= startedAt || isStopping { return .down }
        if let pause, fire > pause.since, pause.until.map({ fire <= $0 }) ?? true { return .paused }
        if let rebuiltAt, fire <= rebuiltAt { return .store }
        return .asleep
    }

    // MARK: - Records of what was not run

    private func recordMissed(
        _ entry: JobEntry, _ stretch: Stretch, now: Instant, because reason: (Instant) -> Run.Reason
    ) {
        record(entry, stretch, .missed, now: now, because: reason)
    }

    /// Records misfires that a run was to stand for, and then did not.
    func recordCovered(_ entry: JobEntry, _ stretch: Stretch, _ reason: Run.Reason, now: Instant) {
        record(entry, stretch, .skipped, now: now) { _ in reason }
    }

    /// Of each stretch with one reason a record for each of the newest `historyLimit` fire times, and one for all older
    /// ones.
    private func record(
        _ entry: JobEntry, _ stretch: Stretch, _ status: Run.Status, now: Instant,
        because reason: (Instant) -> Run.Reason
    ) {
        guard !stretch.isEmpty else { return }
        for var part in parts(of: stretch, entry, reason) {
            let isCounted = part.older != nil
            var newest = part.takeNewest(min(entry.job.historyLimit, Limits.individualFireTimes), of: entry)
            if isCounted {
                // What was counted was not looked at one by one: a client may have run some of it by hand.
                newest.removeAll { isRecorded(entry, $0) }
                while let last = part.older?.last, isRecorded(entry, last) { _ = part.popNewest(of: entry) }
            }
            if let older = part.older {
                record(entry, older.last, status, reason(older.last), covering: older, now: now)
            }
            for fire in newest { record(entry, fire, status, reason(fire), now: now) }
        }
    }

    /// A stretch cut where the reason changes: where the daemon started, where the user paused or resumed.
    private func parts(of stretch: Stretch, _ entry: JobEntry, _ reason: (Instant) -> Run.Reason) -> [Stretch] {
        guard let first = stretch.first, let last = stretch.last else { return [] }
        var parts: [Stretch] = []
        var rest = stretch
        let edges = [startedAt, rebuiltAt, pause?.since, pause?.until].compactMap { $0 }.filter {
            first <= $0 && $0 < last
        }
        for edge in edges.sorted() {
            let part = rest.removeAll(through: edge, of: entry)
            if !part.isEmpty { parts.append(part) }
        }
        parts.append(rest)
        // Not every edge changes the reason.
        var joined: [Stretch] = []
        for part in parts {
            if let end = joined.indices.last, let before = joined[end].last, let after = part.first,
                reason(before) == reason(after)
            {
                joined[end].append(part)
            } else {
                joined.append(part)
            }
        }
        return joined
    }

    /// Puts on record that a fire time (or a stretch of them that ends with it) was not run.
    func record(
        _ entry: JobEntry, _ fire: Instant, _ status: Run.Status, _ reason: Run.Reason,
        covering part: Stretch.Older? = nil,
        now: Instant
    ) {
        let replaced = recordToReplace(entry, fire)
        var run = Run(
            id: replaced?.id ?? makeID(entry.job, at: fire), job: entry.job.name, skill: entry.job.skill,
            trigger: .schedule, scheduledFor: fire,
            createdAt: replaced?.createdAt ?? now, status: status)
        run.reason = reason
        run.endedAt = now
        if let part, part.count > 1 {
            run.coveredCount = part.count
            run.coveredSince = part.first
        }
        turn.changes.append(.run(run))
        uncommittedRecords.append(run)
        cleanup.newRecords += 1
        entry.hasNewRecords = true
        touch(entry)
        announce(.jobMissed(run))
        noteUnrun(entry, run)
    }
}
