import Schedules

/// The set of jobs: a new configuration taken up by difference, and definitions that come over the bus.
extension Scheduler {
    func add(_ job: consuming Job, state: consuming JobState?, now: Instant) {
        sharing.share(&job)
        let name = job.name
        var kept: JobState
        let isKnown: Bool
        if let state, !state.isOrphan {
            kept = state
            isKnown = true
        } else {
            if let state { orphanedClaims[name] = state.claimed }
            kept = JobState(
                job: job.name, scheduleKey: job.scheduleKey, registeredAt: job.registeredAt,
                decidedThrough: job.registeredAt)
            isKnown = false
        }
        let isNewGrid = !isKnown || kept.scheduleKey != job.scheduleKey
        if isNewGrid {
            kept.registeredAt = job.registeredAt
            kept.decidedThrough = max(job.registeredAt, isKnown ? kept.decidedThrough : .epoch)
            kept.skippedFireTime = nil
            if !isKnown {
                kept.firedBootID = bootID.isEmpty ? nil : bootID
                kept.claimed = orphanedClaims.removeValue(forKey: name) ?? []
            }
        }
        // One string for both, where they are equal.
        kept.scheduleKey = job.scheduleKey
        let timer = timers.add()
        let place = calendar.add()
        let entry = JobEntry(job: job, state: kept, timer: timer, place: place)
        if Int(timer) == owners.count { owners.append(.job(entry)) } else { owners[Int(timer)] = .job(entry) }
        if Int(place) == places.count { places.append(entry) } else { places[Int(place)] = entry }
        let hasFireTimes = entry.isEnabled && !entry.isFinished
        if hasFireTimes, !entry.state.wasEnabled {
            entry.state.decidedThrough = max(entry.state.decidedThrough, now)
            expectAnew(of: entry, now: now)
        }
        // On record at once: the next start must know from when on.
        if hasFireTimes != entry.state.wasEnabled { touch(entry) }
        if isNewGrid {
            admitPast(entry, beside: [], now: now)
            touch(entry)
        }
        let other = jobs.updateValue(entry, forKey: name)
        precondition(other == nil, "two jobs named \(name): the reader of the configuration refuses the second")
        // What another daemon left is put right at `.started`.
        if isKnown, !bootID.isEmpty { putRight(entry, now: now) }
        follow(entry)
        takeUpExpectation(of: entry, now: now)
        guard !departed.isEmpty, let old = departed.removeValue(forKey: name) else { return }
        // What a job of this name still runs occupies the new one.
        for active in old.occupying { active.entry = entry }
        entry.occupying = old.occupying
        old.occupying = []
    }

    /// A single instant that lies before its registration was permitted by `allow_past`: it is due at once. One that
    /// the definition before had already is decided.
    private func admitPast(_ entry: JobEntry, beside known: [JobSchedule], now: Instant) {
        for schedule in entry.job.schedules where schedule.timetable.schedule.kind == .once {
            guard let instant = schedule.timetable.previous(atOrBefore: entry.state.registeredAt),
                !known.contains(where: { $0.timetable.schedule.kind == .once && $0.timetable.contains(instant) })
            else { continue }
            entry.state.decidedThrough = min(entry.state.decidedThrough, instant - .microseconds(1))
        }
        // Under a clock that was set back, what lies ahead may have records of an earlier job of this name.
        if latest > now { entry.state.reopenedThrough = latest }
    }

    func reconfigure(
        _ definitions: [Job], retained: Set<String>, settings: SchedulerSettings, isEnabled: Bool, now: Instant
    ) {
        let isCleanupChanged =
            settings.isCleanupEnabled != self.settings.isCleanupEnabled
            || settings.cleanupInterval != self.settings.cleanupInterval
        let isBudgetChanged = settings.budget != self.settings.budget
        self.settings = settings
        if isBudgetChanged { for entry in entries where entry.wakeUp != nil { armWakeUp(for: entry) } }
        if isCleanupChanged { awaitCleanup(now: now) }
        if schedulerOverride == nil, isEnabled != self.isEnabled {
            record(isEnabled ? .resumed : .paused, of: "", by: .configuration, now: now)
            setEnabled(isEnabled, now: now)
        }
        var added: [String] = []
        var changed: [String] = []
        var seen: Set<String> = []
        for job in definitions {
            seen.insert(job.name)
            guard let entry = jobs[job.name] else {
                add(job, state: retainedStates.removeValue(forKey: job.name), now: now)
                if let entry = jobs[job.name] { schedule(entry) }
                added.append(job.name)
                record(.created, of: job.name, by: .configuration, now: now)
                continue
            }
            guard entry.job != job else { continue }
            replace(entry, with: job, now: now)
            changed.append(job.name)
            record(.replaced, of: job.name, by: .configuration, now: now)
        }
        var removed: [String] = []
        for name in jobs.keys.filter({ !seen.contains($0) }).sorted() {
            guard let entry = jobs[name], entry.job.origin == .config else { continue }
            removed.append(name)
            let isRefused = retained.contains(name)
            remove(entry, isRetained: isRefused, now: now)
            record(
                .removed, of: name, by: .configuration, reason: isRefused ? "its new definition is refused" : nil,
                now: now)
        }
        reviewPost()
        if !(added.isEmpty && changed.isEmpty && removed.isEmpty) {
            announce(.jobsChanged(added: added, changed: changed, removed: removed))
        }
    }

    func upsert(_ job: Job, by author: ChangeAuthor, ticket: Ticket, now: Instant) {
        if let entry = jobs[job.name] {
            guard entry.job.origin == .bus else { return reply(ticket, .refused(.jobExists(job.name))) }
            guard job.version >= entry.job.version else {
                return reply(
                    ticket, .refused(.olderVersion(job: job.name, found: job.version, inForce: entry.job.version)))
            }
            if let circle = circle(with: job) { return reply(ticket, .refused(.circle(circle))) }
            if entry.job != job {
                replace(entry, with: job, now: now)
                record(.replaced, of: job.name, by: author, now: now)
                announce(.jobsChanged(added: [], changed: [job.name], removed: []))
            }
        } else {
            if let circle = circle(with: job) { return reply(ticket, .refused(.circle(circle))) }
            add(job, state: nil, now: now)
            record(.created, of: job.name, by: author, now: now)
            announce(.jobsChanged(added: [job.name], changed: [], removed: []))
        }
        guard let entry = jobs[job.name] else { preconditionFailure("\(job.name) was just added") }
        schedule(entry)
        turn.changes.append(
            .definition(job: job.name, version: job.version, json: job.definition, createdAt: job.registeredAt))
        reply(ticket, .scheduled(job: job.name, next: entry.nextFire))
    }

    func removeJob(_ name: String, reason: String?, by author: ChangeAuthor, ticket: Ticket, now: Instant) {
        guard let entry = jobs[name] else { return reply(ticket, .refused(.jobNotFound(name))) }
        guard entry.job.origin == .bus else { return reply(ticket, .refused(.notPermitted(name))) }
        turn.changes.append(.removeDefinition(job: name))
        remove(entry, isRetained: false, now: now)
        record(.removed, of: name, by: author, reason: reason, now: now)
        announce(.jobsChanged(added: [], changed: [], removed: [name]))
        reply(ticket, .done)
    }

    /// A definition that came over the bus and no longer reads goes, with what is remembered of its job.
    func forgetDefinition(of name: String, by author: ChangeAuthor, ticket: Ticket, now: Instant) {
        turn.changes.append(.removeDefinition(job: name))
        record(.removed, of: name, by: author, now: now)
        if let state = retainedStates.removeValue(forKey: name) { dropState(state, now: now) }
        announce(.jobsChanged(added: [], changed: [], removed: [name]))
        reply(ticket, .done)
    }

    // MARK: - Replace and remove

    /// A changed definition keeps the state; a changed schedule begins a new grid from now.
    private func replace(_ entry: JobEntry, with job: Job, now: Instant) {
        settle(entry, now: now)
        unfollow(entry)
        let hadFireTimes = entry.isEnabled && !entry.isFinished
        let old = entry.job
        entry.job = job
        if old.scheduleKey != job.scheduleKey {
            entry.state.scheduleKey = job.scheduleKey
            entry.state.registeredAt = job.registeredAt
            entry.state.decidedThrough = max(entry.state.decidedThrough, job.registeredAt)
            entry.state.skippedFireTime = nil
        }
        if !hadFireTimes, entry.isEnabled {
            entry.state.decidedThrough = max(entry.state.decidedThrough, now)
            expectAnew(of: entry, now: now)
        }
        expect(entry, otherThan: old, now: now)
        forgetOthersBefore(entry)
        if old.scheduleKey != job.scheduleKey { admitPast(entry, beside: old.schedules, now: now) }
        follow(entry)
        touch(entry)
        retractTurns(entry)
        promote(entry, now: now)
        reschedule(entry)
    }

    /// A process that runs goes on; what has not started is given up.
    func remove(_ entry: JobEntry, isRetained: Bool, now: Instant) {
        settle(entry, now: now)
        for active in entry.waiting + entry.occupying where active.phase != .running {
            end(active, "the job was removed", now: now)
        }
        unfollow(entry)
        entry.isRemoved = true
        disown(entry.timer)
        calendar.remove(entry.place)
        disarmWakeUp(for: entry)
        if let number = entry.upkeep {
            entry.upkeep = nil
            disown(number)
        }
        places[Int(entry.place)] = nil
        let name = entry.job.name
        jobs[name] = nil
        if !entry.occupying.isEmpty { departed[name] = entry }
        if isRetained {
            entry.state.wasEnabled = entry.isEnabled && !entry.isFinished
            retainedStates[name] = entry.state
            turn.changes.append(.jobState(entry.state))
        } else {
            dropState(entry.state, now: now)
        }
    }

    /// Forgets what is remembered of a job that is gone, but for fire times ahead that have their record already.
    func dropState(_ state: JobState, now: Instant) {
        let claims = state.claimed.filter { $0 > now }
        guard !claims.isEmpty else { return turn.changes.append(.removeJobState(job: state.job)) }
        orphanedClaims[state.job] = claims
        turn.changes.append(.jobState(.orphan(of: state.job, claimed: claims)))
    }

    // MARK: - Who runs after whom

    private func follow(_ entry: JobEntry) {
        guard entry.job.details.isFollowing else { return }
        for name in entry.job.details.value.after?.jobs ?? [] { followers[name, default: []].append(entry.job.name) }
        followQueue(entry)
        if entry.job.details.value.poll != nil { pollWatch.jobs.insert(entry.job.name) }
        if entry.job.details.isAttended { attended.insert(entry.job.name) }
    }

    private func unfollow(_ entry: JobEntry) {
        unfollowQueue(entry)
        if entry.job.details.value.poll != nil { pollWatch.jobs.remove(entry.job.name) }
        entry.polling = .idle(next: nil)
        if entry.job.details.isAttended { attended.remove(entry.job.name) }
        for name in entry.job.details.value.after?.jobs ?? [] { followers[name]?.removeAll { $0 == entry.job.name } }
    }
}
