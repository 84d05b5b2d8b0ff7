import Schedules

/// What clients ask for.
extension Scheduler {
    // MARK: - Runs by hand

    /// A run now, whatever the schedule says; limits hold, unless it is forced. It never moves the schedule.
    func requestRun(_ request: RunRequest, ticket: Ticket, now: Instant) {
        if let earlier = replyOfEarlier(request) { return reply(ticket, earlier) }
        guard let entry = jobs[request.job] else { return reply(ticket, .refused(.jobNotFound(request.job))) }
        if !request.isForced, let scope = usedUpBudget(entry, now: now) {
            return reply(ticket, .refused(budgetRefusal(of: request.job, scope)))
        }
        guard runs.count < Limits.activeRuns, entry.waiting.count < Limits.waitingRunsPerJob else {
            return reply(ticket, .refused(.limitExceeded("\(entry.waiting.count) runs of \(request.job) wait already")))
        }
        if let fire = request.scheduledFor, fire > entry.state.decidedThrough {
            // What has passed and is no fire time will be none: a schedule to come asks the register for it.
            entry.state.claimed = entry.state.claimed.filter { $0 > now || entry.fireTime(atOrBefore: $0) == $0 }
            guard entry.state.claimed.count < Limits.claimedFireTimes else {
                let why = "\(entry.state.claimed.count) fire times of \(request.job) are taken before they came"
                return reply(ticket, .refused(.limitExceeded(why)))
            }
            claim(fire, entry)
        }
        var run = makeRun(
            entry.job, at: request.scheduledFor ?? now, trigger: .manual, scheduledFor: request.scheduledFor, now: now)
        run.coveredCount = 0
        run.inputs = request.inputs
        run.idempotencyKey = request.idempotencyKey
        run.isForced = request.isForced
        turn.awaited.append((ticket, enqueueRequested(run, entry, previous: nil, now: now)))
    }

    /// The schedule does not run this fire time any more: a client does. An instant that is none may become one by a
    /// change of the schedule.
    func claim(_ fire: Instant, _ entry: JobEntry) {
        let place = entry.state.claimed.firstIndex { $0 >= fire } ?? entry.state.claimed.count
        entry.state.claimed.insert(fire, at: place)
        touch(entry)
        reschedule(entry)
    }

    /// One run of a definition that is not scheduled.
    func runOnce(_ job: Job, _ request: RunRequest, ticket: Ticket, now: Instant) {
        if let earlier = replyOfEarlier(request) { return reply(ticket, earlier) }
        guard runs.count < Limits.activeRuns else {
            return reply(ticket, .refused(.limitExceeded("\(runs.count) runs are active already")))
        }
        var run = makeRun(job, at: now, trigger: .manual, scheduledFor: nil, now: now)
        run.coveredCount = 0
        run.inputs = request.inputs
        run.idempotencyKey = request.idempotencyKey
        run.isForced = request.isForced
        run.definition = job.definition
        let active = makeActive(run, job: job, entry: nil)
        touch(active)
        makeReady(active)
        turn.awaited.append((ticket, active))
    }

    /// The reply to a request that an earlier one, with the same key or for the same fire time, has made its run of
    /// already. Of a run that has not ended the state here counts, not the one that was last committed.
    private func replyOfEarlier(_ request: RunRequest) -> Reply? {
        if let key = request.idempotencyKey {
            let known = uncommittedRun { $0.idempotencyKey == key }.map(EarlierRun.kept)
            switch known ?? register.earlierRun(idempotencyKey: key) {
            case .kept(let run): return run.job == request.job ? current(run) : taken(run.id, run.job)
            case .removed(let run): return run.job == request.job ? .removedRun(run) : taken(run.id, run.job)
            case nil: break
            }
        }
        guard let fire = request.scheduledFor else { return nil }
        switch earlierRun(of: request.job, at: fire) {
        case .kept(let run): return current(run)
        case .removed(let run): return .removedRun(run)
        case nil: return nil
        }
    }

    /// The run, or the record of why there was none, that a fire time has already.
    func earlierRun(of job: String, at fire: Instant) -> EarlierRun? {
        let known = uncommittedRun { $0.scheduledFor == fire && $0.job == job && $0.trigger != .chain }
        return known.map(EarlierRun.kept) ?? register.earlierRun(job: job, scheduledFor: fire)
    }

    private func current(_ run: Run) -> Reply { .run(runs[run.id]?.run ?? run) }
    private func taken(_ run: String, _ job: String) -> Reply { .refused(.keyTaken(run: run, job: job)) }

    /// A run that the register does not know yet, or not as it ended.
    private func uncommittedRun(_ isSame: (Run) -> Bool) -> Run? {
        if let ended = uncommittedRecords.first(where: isSame) { return ended }
        for id in uncommittedIDs { if let run = runs[id]?.run, isSame(run) { return run } }
        return nil
    }

    /// Puts a run that somebody asked for in its place: at once, in turn, or in place of the active one.
    @discardableResult
    func enqueueRequested(_ run: Run, _ entry: JobEntry, previous: ActiveRun?, now: Instant) -> ActiveRun {
        let active = makeActive(run, job: entry.job, entry: entry)
        active.previous = previous?.run
        active.chainDepth = previous.map { $0.chainDepth + 1 } ?? 0
        touch(active)
        if run.isForced || (!entry.hasQueue && entry.hasRoom) {
            makeReady(active)
        } else {
            if entry.job.overlap == .replace { makeRoom(in: entry, for: active, now: now) }
            wait(active)
            promote(entry, now: now)
        }
        return active
    }

    func cancel(_ id: String, ticket: Ticket, now: Instant) {
        guard let active = runs[id] else { return reply(ticket, .refused(.runNotFound(id))) }
        end(active, "cancelled by request", now: now)
        reply(ticket, .done)
    }

    /// The next fire time of a job is recorded as skipped instead of run.
    func skipNext(_ name: String, reason: String?, by author: ChangeAuthor, ticket: Ticket, now: Instant) {
        guard let entry = jobs[name] else { return reply(ticket, .refused(.jobNotFound(name))) }
        let fire = entry.state.skippedFireTime ?? entry.nextRun
        if let fire, fire != entry.state.skippedFireTime {
            entry.state.skippedFireTime = fire
            record(.skipped, of: name, by: author, until: fire, reason: reason, now: now)
            touch(entry)
            reschedule(entry)
        }
        reply(ticket, .skipped(fireTime: fire, next: entry.nextRun))
    }

    // MARK: - Toggles

    /// Pauses or resumes all schedules. What passes meanwhile is a misfire, dealt with at the resumption.
    func toggle(_ isEnabled: Bool, by author: ChangeAuthor, now: Instant) {
        if isEnabled != self.isEnabled { record(isEnabled ? .resumed : .paused, of: "", by: author, now: now) }
        schedulerOverride = isEnabled
        turn.changes.append(.schedulerOverride(isEnabled))
        setEnabled(isEnabled, now: now)
    }

    func setEnabled(_ isEnabled: Bool, now: Instant) {
        guard isEnabled != self.isEnabled else { return }
        if !isEnabled { fireDue(now: now) }
        self.isEnabled = isEnabled
        if isEnabled {
            pause?.until = now
            for name in attended.sorted() { if let entry = jobs[name] { expectAnew(of: entry, now: now) } }
            // The boot came while nothing was to run.
            let due = entries.filter { firesAtBoot($0) }.sorted { $0.job.name < $1.job.name }
            for entry in due { fireAtBoot(entry, now: now) }
        } else {
            pause = (now, nil)
        }
        awaitAll()
        announce(.schedulerToggled(isEnabled))
        announce(.statusChanged(status))
    }

    func toggle(
        _ name: String, _ isEnabled: Bool, until: Instant?, reason: String?, by author: ChangeAuthor, ticket: Ticket?,
        now: Instant
    ) {
        guard let entry = jobs[name] else {
            if let ticket { reply(ticket, .refused(.jobNotFound(name))) }
            return
        }
        setEnabled(entry, isEnabled, until: until, reason: reason, by: author, since: now, now: now)
        if let ticket { reply(ticket, .done) }
    }

    /// A disabled job has no fire times: what was due before is decided, what passes meanwhile never was.
    ///
    /// - Parameter since: from when on a job that was disabled has fire times again.
    func setEnabled(
        _ entry: JobEntry, _ isEnabled: Bool, until: Instant?, reason: String?, by author: ChangeAuthor, since: Instant,
        now: Instant
    ) {
        let wasEnabled = entry.isEnabled
        if wasEnabled, !isEnabled { settle(entry, now: now) }
        let (newUntil, newReason) = isEnabled ? (nil, nil) : (until, reason)
        // What holds already is no change: asked for again and again it would drive the others off the record.
        if wasEnabled != isEnabled || entry.state.pausedUntil != newUntil || entry.state.disabledReason != newReason {
            record(
                isEnabled ? .enabled : .disabled, of: entry.job.name, by: author, until: newUntil, reason: reason,
                now: now)
        }
        entry.state.isEnabledOverride = isEnabled
        entry.state.pausedUntil = newUntil
        entry.state.disabledReason = newReason
        if !wasEnabled, isEnabled {
            entry.state.decidedThrough = max(entry.state.decidedThrough, since)
            entry.state.failuresInARow = 0
            expectAnew(of: entry, now: now)
        }
        if let queue = entry.job.details.value.triggerQueue { queueWatch.emptyUntil[queue] = nil }
        touch(entry)
        schedule(entry)
        if wasEnabled != isEnabled { announce(.jobsChanged(added: [], changed: [entry.job.name], removed: [])) }
    }

    /// Arms or disarms every job, after a change of what holds for all: in one go, because one by one is five times as
    /// much, and of a hundred thousand more than a turn of the loop may take.
    func awaitAll() {
        var instants: [(owner: TimerQueue.Owner, at: Instant?)] = []
        instants.reserveCapacity(jobs.count)
        for entry in entries where !entry.isRemoved { instants.append((entry.timer, nextDecision(of: entry))) }
        timers.arm(instants)
        for name in attended.sorted() { if let entry = jobs[name] { awaitUpkeep(of: entry) } }
    }

    // MARK: - Sleep, wake, the end

    /// Nothing starts until the machine is awake again.
    func fallAsleep(now: Instant) {
        guard !isAsleep else { return }
        isAsleep = true
        conditionsFellAsleep(now: now)
        stopForSleep()
        awaitAll()
        announce(.statusChanged(status))
    }

    /// What was due meanwhile is held for `wakeSettle`, then caught up by priority, spread over `wakeSpread`.
    func wakeUp(now: Instant) {
        guard isAsleep else { return }
        isAsleep = false
        // A process does not get on while the machine sleeps.
        moveLateness(by: conditions.sleptAt.map { max(.zero, now - $0) } ?? .zero)
        conditionsWokeUp(now: now)
        noteWakeUp(now: now)
        let late = entries.filter { entry in
            // Where nothing is caught up, there is nothing to hold back.
            entry.job.catchUp.kind != .none && entry.nextFire.map { entry.dueInstant(of: $0) < now } ?? false
        }
        .sorted { ($0.job.priority, $0.job.name) < ($1.job.priority, $1.job.name) }
        for (index, entry) in late.enumerated() {
            entry.waitsUntil = now + settings.wakeSettle + settings.wakeSpread * index / late.count
        }
        awaitAll()
        announce(.statusChanged(status))
    }

    /// The daemon ends; what waits stays in the store for the next one. Of the processes those are asked to end whose
    /// job says `kill`, and when this is said once more, because the time for it is over, those whose job says
    /// `finish`. The others go on, and the next daemon takes them over.
    func stop(now: Instant) {
        let isRepeated = isStopping
        isStopping = true
        stopForStop(isTimeOver: isRepeated)
        guard !isRepeated else { return }
        awaitAll()
        awaitCleanup(now: now)
        announce(.statusChanged(status))
    }

    func stopForStop(isTimeOver: Bool) {
        for active in runs.values.sorted(by: { $0.sequence < $1.sequence }) where active.phase == .running {
            let isMeant = active.job.onStop == .kill || (isTimeOver && active.job.onStop == .finish)
            guard active.run.ending == nil, isMeant else { continue }
            stop(active, .stopping)
        }
    }
}
