import Schedules

/// Which fire times are due, and what becomes of each.
extension Scheduler {
    /// Decides every fire time of a job that is due at `now` and has no outcome yet.
    ///
    /// Of several, the newest is run if it is no later than the grace time; the others are misfires, and the catch-up
    /// policy has its say. The watermark moves past all of them.
    func decideDue(_ entry: JobEntry, now: Instant) {
        guard isFiring, entry.isEnabled, !entry.isFinished else { return schedule(entry) }
        guard let newest = newestDue(entry, now: now), newest > entry.state.decidedThrough else { return awaitFire(of: entry) }
        touch(entry)

        var due = collect(entry, through: newest)
        entry.state.decidedThrough = newest
        decideSpecial(entry, &due, now: now)
        limitToRemainingExecutions(entry, &due)

        let policy = entry.job.catchUp
        var onTime: Instant?
        if let last = due.fires.last, entry.lateness(of: last, now: now) <= policy.graceTime {
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
        entry.claimed = entry.claimed.filter { $0 > newest }
        schedule(entry)
    }

    /// An `@reboot` schedule fires once per boot, when the daemon first starts under it.
    func fireAtBoot(_ entry: JobEntry, now: Instant) {
        guard isFiring, entry.job.schedules.contains(where: { $0.timetable.schedule.kind == .reboot }),
            entry.state.firedBootID != bootID
        else { return }
        touch(entry)
        entry.state.firedBootID = bootID
        guard entry.isEnabled, !entry.isFinished else { return }
        let run = makeRun(entry.job, at: now, trigger: .schedule, scheduledFor: nil, now: now)
        enqueueRequested(run, entry, previous: nil, now: now)
        entry.state.executions += 1
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
        if !entry.job.exclusions.isEmpty { bound = max(bound, Limits.individualFireTimes) }
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

    /// Takes out what is not a question of time: exclusions, a user's skip, what a client ran by hand.
    private func decideSpecial(_ entry: JobEntry, _ due: inout Stretch, now: Instant) {
        guard !entry.job.exclusions.isEmpty || entry.state.skippedFireTime != nil || !entry.claimed.isEmpty else { return }
        var excluded: [Instant] = []
        due.fires.removeAll { fire in
            if entry.claimed.contains(fire) { return true }
            if entry.state.skippedFireTime == fire {
                record(entry, fire, .skipped, .user, now: now)
                return true
            }
            guard entry.isExcluded(fire) else { return false }
            excluded.append(fire)
            return true
        }
        if let skipped = entry.state.skippedFireTime, skipped <= entry.state.decidedThrough {
            entry.state.skippedFireTime = nil
        }
        record(entry, Stretch(after: due.after, older: nil, fires: excluded), .skipped, now: now) { _ in .excluded }
    }

    /// With `max_executions` the fire times after the last permitted one do not exist.
    private func limitToRemainingExecutions(_ entry: JobEntry, _ due: inout Stretch) {
        guard let most = entry.job.maxExecutions else { return }
        guard entry.job.catchUp.kind == .all || entry.job.catchUp.kind == .spread else { return }
        let remaining = max(0, most - entry.state.executions)
        if due.older == nil, due.fires.count > remaining { due.fires.removeLast(due.fires.count - remaining) }
    }

    /// Parts misfires that are older than the catch-up window from those that may still be run.
    private func splitByWindow(_ entry: JobEntry, _ misfires: Stretch, now: Instant) -> (expired: Stretch, current: Stretch) {
        var edge = now - entry.job.catchUp.window
        if edge <= entry.state.registeredAt { edge = Instant(seconds: 0) }
        var expired = Stretch(after: misfires.after, older: nil, fires: [])
        var current = misfires
        let boundary = current.fires.firstIndex { $0 >= edge } ?? current.fires.count
        expired.fires = Array(current.fires[..<boundary])
        current.fires.removeFirst(boundary)
        guard let older = misfires.older else { return (expired, current) }
        if older.last < edge {
            expired.older = older
            current.older = nil
        } else if older.first < edge {
            // The edge lies within: count each side.
            let last = entry.fireTime(atOrBefore: edge - .microseconds(1)) ?? older.first
            let count = entry.countFireTimes(after: misfires.after, through: last)
            expired.older = Stretch.Older(first: older.first, last: last, count: count)
            current.older = entry.fireTime(after: last).map {
                Stretch.Older(first: $0, last: older.last, count: older.count - count)
            }
        }
        return (expired, current)
    }

    /// Why nothing could run at a fire time that has passed.
    func misfireReason(of fire: Instant) -> Run.Reason {
        if fire <= startedAt { return .down }
        if let pause, fire > pause.since, pause.until.map({ fire <= $0 }) ?? true { return .paused }
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

    /// A record for each of the newest `historyLimit` fire times, and one for all older ones with the same outcome.
    private func record(
        _ entry: JobEntry, _ stretch: Stretch, _ status: Run.Status, now: Instant, because reason: (Instant) -> Run.Reason
    ) {
        var stretch = stretch
        let excess = stretch.removeAll(beyondNewest: entry.job.historyLimit)
        for part in parts(of: excess, entry, reason) {
            record(entry, part.last, status, reason(part.last), covering: part, now: now)
        }
        for fire in stretch.fires { record(entry, fire, status, reason(fire), now: now) }
    }

    /// A stretch cut where the reason changes, each part with its count.
    private func parts(of stretch: Stretch, _ entry: JobEntry, _ reason: (Instant) -> Run.Reason) -> [Stretch.Older] {
        var parts: [Stretch.Older] = []
        func append(_ first: Instant, _ last: Instant, _ count: Int) {
            guard count > 0 else { return }
            if let end = parts.indices.last, reason(parts[end].last) == reason(first) {
                parts[end].last = last
                parts[end].count += count
            } else {
                parts.append(Stretch.Older(first: first, last: last, count: count))
            }
        }
        if let older = stretch.older {
            // The reason can change only where the daemon started and where the user paused or resumed.
            let edges = [startedAt, pause?.since, pause?.until].compactMap { $0 }.filter { older.first <= $0 && $0 < older.last }
            var first = older.first
            for edge in edges.sorted() {
                guard first <= edge, let last = entry.fireTime(atOrBefore: edge), last >= first else { continue }
                append(first, last, entry.countFireTimes(after: first - .microseconds(1), through: last))
                first = entry.fireTime(after: last) ?? older.last
            }
            append(first, older.last, entry.countFireTimes(after: first - .microseconds(1), through: older.last))
        }
        for fire in stretch.fires { append(fire, fire, 1) }
        return parts
    }

    /// Puts on record that a fire time (or a stretch of them that ends with it) was not run.
    func record(
        _ entry: JobEntry, _ fire: Instant, _ status: Run.Status, _ reason: Run.Reason, covering part: Stretch.Older? = nil,
        now: Instant
    ) {
        var run = Run(
            id: makeID(entry.job, at: fire), job: entry.job.name, skill: entry.job.skill, trigger: .schedule,
            scheduledFor: fire, createdAt: now, status: status)
        run.reason = reason
        run.endedAt = now
        if let part, part.count > 1 {
            run.coveredCount = part.count
            run.coveredSince = part.first
        }
        turn.changes.append(.run(run))
        entry.hasNewRecords = true
        touch(entry)
        announce(.jobMissed(run))
    }
}

/// Undecided fire times of a job, ascending: the newest one by one, the older ones by their ends and their number.
struct Stretch {
    struct Older {
        var first: Instant
        var last: Instant
        var count: Int
    }

    /// Nothing at or before this instant belongs to it.
    var after: Instant
    var older: Older?
    var fires: [Instant]

    var isEmpty: Bool { older == nil && fires.isEmpty }
    var count: Int { (older?.count ?? 0) + fires.count }
    var first: Instant? { older?.first ?? fires.first }

    /// Takes the newest out; nil where there is none.
    mutating func popNewest(of entry: JobEntry) -> Instant? {
        if let last = fires.popLast() { return last }
        guard let part = older else { return nil }
        older = entry.fireTime(atOrBefore: part.last - .microseconds(1)).flatMap {
            part.count > 1 ? Older(first: part.first, last: $0, count: part.count - 1) : nil
        }
        return part.last
    }

    /// Keeps the newest `limit` one by one, and returns the rest.
    mutating func removeAll(beyondNewest limit: Int) -> Stretch {
        let kept = min(limit, fires.count)
        let rest = Stretch(after: after, older: older, fires: Array(fires.dropLast(kept)))
        fires.removeFirst(fires.count - kept)
        older = nil
        return rest
    }
}
