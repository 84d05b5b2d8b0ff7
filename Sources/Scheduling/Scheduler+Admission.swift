import Schedules

/// Whether a run may have its turn: overlap, catch-up, budget, and the limits of the scheduler.
extension Scheduler {
    // MARK: - Offers from the schedule

    /// A fire time is to be run, as the overlap policy permits.
    ///
    /// - Parameters:
    ///   - covered: misfires that the run stands for beside its own fire time.
    ///   - takesTurn: it waits where the overlap policy would refuse it.
    func offer(
        _ entry: JobEntry, fire: Instant, trigger: Run.Trigger, covering covered: Stretch?, takesTurn: Bool = false,
        now: Instant
    ) {
        if isBudgetUsedUp(entry, now: now) {
            if let covered { recordCovered(entry, covered, .budget, now: now) }
            return record(entry, fire, .skipped, .budget, now: now)
        }
        var run = makeRun(entry.job, at: fire, trigger: trigger, scheduledFor: fire, now: now)
        if let covered, let first = covered.first {
            run.coveredCount += covered.count
            run.coveredSince = first
        }
        guard runs.count < Limits.activeRuns, entry.waiting.count < Limits.waitingRunsPerJob else {
            return refuse(run, entry, .limit, covering: covered, now: now)
        }
        let active = makeActive(run, job: entry.job, entry: entry)
        let isQueueing = entry.job.overlap == .queue || entry.job.overlap == .queueOne
        if let heldUntil = entry.heldUntil, heldUntil > now {
            wait(active)
            hold(active, until: heldUntil)
            promote(entry, now: now)
        } else if trigger == .catchUp {
            if entry.waiting.isEmpty, entry.occupying.isEmpty { makeReady(active) } else { wait(active) }
        } else if entry.hasRoom, !(isQueueing && entry.hasQueue) {
            makeReady(active)
        } else if takesTurn {
            wait(active)
        } else {
            switch entry.job.overlap {
            case .queue: wait(active)
            case .queueOne where entry.waiting.isEmpty: wait(active)
            case .replace:
                makeRoom(in: entry, for: active, now: now)
                wait(active)
                promote(entry, now: now)
            case .skip, .allow, .queueOne:
                forget(active)
                return refuse(run, entry, .overlap, covering: covered, now: now)
            }
        }
        entry.state.executions += 1
        touch(entry)
        touch(active)
    }

    /// Each misfire is to be run, in turn; the fire time that is on time comes last.
    func offerCatchUps(_ entry: JobEntry, _ fires: [Instant], onTime: Instant?, now: Instant) {
        let step = spreadStep(entry, runs: fires.count, now: now)
        for (index, fire) in fires.enumerated() {
            guard !entry.isFinished else { return }
            let before = entry.waiting.count
            offer(entry, fire: fire, trigger: .catchUp, covering: nil, now: now)
            if let step, index > 0, entry.waiting.count > before, let active = entry.waiting.last {
                hold(active, until: now + step * index)
            }
        }
        guard let onTime, !entry.isFinished else { return }
        // Due together with the runs that it would overlap, it takes its turn among them.
        let isAmongCatchUps = !fires.isEmpty && !entry.hasRoom && entry.waiting.count < Limits.waitingRunsPerJob
        offer(entry, fire: onTime, trigger: .schedule, covering: nil, takesTurn: isAmongCatchUps, now: now)
    }

    /// The distance of catch-up runs under `spread`: evenly up to the next fire time, an hour at most.
    private func spreadStep(_ entry: JobEntry, runs: Int, now: Instant) -> Duration? {
        guard entry.job.catchUp.kind == .spread, runs > 1 else { return nil }
        let room = entry.fireTime(after: now).map { $0 - now } ?? .seconds(3600)
        return min(room, .seconds(3600)) / (runs + 1)
    }

    /// Catch-up runs that were spread over time before a restart are spread anew.
    func spreadRestored(_ entry: JobEntry, now: Instant) {
        let waiting = entry.waiting.filter { $0.run.trigger == .catchUp }
        guard let step = spreadStep(entry, runs: waiting.count, now: now) else { return }
        for (index, active) in waiting.enumerated().dropFirst() { hold(active, until: now + step * index) }
    }

    private func refuse(_ run: Run, _ entry: JobEntry, _ reason: Run.Reason, covering covered: Stretch?, now: Instant) {
        guard let fire = run.scheduledFor else { preconditionFailure("only a fire time is refused: \(run.id)") }
        if let covered { recordCovered(entry, covered, reason, now: now) }
        // The record has the id that the run was to have.
        uncommittedIDs.remove(run.id)
        record(entry, fire, .skipped, reason, now: now)
    }

    // MARK: - Turns within a job

    /// The run has its turn; its conditions and the limits of the scheduler decide when it starts.
    func makeReady(_ active: ActiveRun) {
        active.entry?.occupying.append(active)
        if hasConditions(active) { return awaitConditions(active) }
        active.phase = .ready
        ready.insert(active)
    }

    func wait(_ active: ActiveRun) {
        active.phase = .waiting
        active.entry?.waiting.append(active)
    }

    /// A run that waits does not get its turn before.
    private func hold(_ active: ActiveRun, until instant: Instant) {
        active.notBefore = active.notBefore.map { max($0, instant) } ?? instant
    }

    /// Gives turns to runs that wait, oldest first, as long as the job has room. Those that wait for an instant of
    /// their own hold up nobody; the earliest is waited for only where it could start then.
    func promote(_ entry: JobEntry, now: Instant) {
        var index = 0
        var earliest: ActiveRun?
        while index < entry.waiting.count {
            let active = entry.waiting[index]
            if let notBefore = active.notBefore, notBefore > now {
                if earliest?.notBefore.map({ notBefore < $0 }) ?? true { earliest = active }
                index += 1
                continue
            }
            // Catch-up runs take turns, whatever may run beside each other otherwise.
            guard active.run.trigger == .catchUp ? entry.occupying.isEmpty : entry.hasRoom else { return }
            entry.waiting.remove(at: index)
            disarm(active)
            active.notBefore = nil
            makeReady(active)
        }
        if let earliest, let notBefore = earliest.notBefore, entry.occupying.isEmpty { arm(earliest, at: notBefore) }
    }

    /// Under a definition that permits fewer runs at a time the newest that have not started wait again.
    func retractTurns(_ entry: JobEntry) {
        var surplus = entry.occupying.count - entry.instanceLimit
        for active in entry.occupying.reversed() where surplus > 0 && active.run.attempt == 0 && !active.run.isForced {
            if active.phase == .ready { ready.remove(active) }
            entry.occupying.removeAll { $0 === active }
            forgetConditions(active)
            disarm(active)
            active.wait = ConditionWait()
            active.phase = .waiting
            entry.waiting.insert(active, at: 0)
            surplus -= 1
        }
    }

    /// Under `replace` the oldest active runs end for a newer one, as many as are in its way; what waits is given up.
    func makeRoom(in entry: JobEntry, for newer: ActiveRun, now: Instant) {
        let why = "replaced by \(newer.run.id)"
        for active in entry.waiting { end(active, why, now: now) }
        var surplus = entry.occupying.count { $0.run.ending == nil } - entry.instanceLimit + 1
        for active in entry.occupying where surplus > 0 && active.run.ending == nil {
            end(active, why, now: now)
            surplus -= 1
        }
    }

    // MARK: - Limits of the scheduler

    /// Starts what has its turn, as far as the limits permit; forced runs know no limits.
    func launchReady(now: Instant) {
        guard !isAsleep, !isStopping else { return }
        while let active = ready.first() {
            guard active.run.isForced || (runningCount < settings.maxConcurrentRuns && isWithinLaunchRate(now: now))
            else {
                return
            }
            ready.removeFirst()
            if conditionsHold(active, now: now) {
                launch(active, now: now)
            } else {
                // What held when it came to wait for the limit does not hold any more.
                awaitConditions(active)
                examineConditions(now: now)
            }
        }
    }

    /// Whether one more start keeps to the launch rate; where it does not, waits for the instant at which it will.
    private func isWithinLaunchRate(now: Instant) -> Bool {
        guard let rate = settings.launchesPerMinute else { return true }
        let minute = Duration.seconds(60)
        recentLaunches.removeAll { $0 <= now - minute }
        guard recentLaunches.count >= max(1, rate) else { return true }
        let timer = launchRateTimer ?? own(.launchRate)
        launchRateTimer = timer
        timers.arm(timer, at: recentLaunches[recentLaunches.count - max(1, rate)] + minute)
        return false
    }

    /// Claims the next attempt of a run: recorded as running, then started.
    func launch(_ active: ActiveRun, now: Instant) {
        active.phase = .running
        forgetConditions(active)
        disarm(active)
        keepAwake(active)
        active.run.status = .running
        active.run.attempt += 1
        active.run.retryAt = nil
        active.run.retryDelay = nil
        active.run.progress = nil
        active.run.result = nil
        runningCount += 1
        if settings.launchesPerMinute != nil { recentLaunches.append(now) }
        let isFirst = active.run.startedAt == nil
        if isFirst { active.run.startedAt = now }
        let attempt = Attempt(run: active.run.id, number: active.run.attempt, startedAt: now)
        active.attempt = attempt
        turn.attempts.append(attempt)
        turn.starts.append(.start(Launch(run: active.run, job: active.job, previous: active.previous)))
        touch(active)
        if let entry = active.entry, isFirst {
            spendBudget(entry, runs: 1, wallTime: .zero, cost: 0, now: now)
            touch(entry)
        }
        if isFirst { announce(.jobStarted(active.run)) }
    }

    // MARK: - Budget

    /// Whether a job has used up what it may run in this day of its zone.
    func isBudgetUsedUp(_ entry: JobEntry, now: Instant) -> Bool {
        let budget = entry.job.budget
        guard !budget.isUnlimited else { return false }
        let isToday = entry.state.budgetUse.day == startOfDay(entry, now: now)
        let use = isToday ? entry.state.budgetUse : BudgetUse()
        return budget.runsPerDay.map { use.runs + pendingRuns(of: entry) >= $0 } ?? false
            || budget.wallTimePerDay.map { use.wallTime >= $0 } ?? false
            || budget.costPerDay.map { use.cost >= $0 } ?? false
    }

    func spendBudget(_ entry: JobEntry, runs: Int, wallTime: Duration, cost: Double, now: Instant) {
        guard !entry.job.budget.isUnlimited else { return }
        let today = startOfDay(entry, now: now)
        if entry.state.budgetUse.day != today {
            entry.state.budgetUse = BudgetUse()
            entry.state.budgetUse.day = today
        }
        entry.state.budgetUse.runs += runs
        entry.state.budgetUse.wallTime += wallTime
        entry.state.budgetUse.cost += cost
        touch(entry)
    }

    /// Runs that will spend one each when they start.
    private func pendingRuns(of entry: JobEntry) -> Int {
        entry.waiting.count + entry.occupying.count { $0.run.startedAt == nil }
    }

    private func startOfDay(_ entry: JobEntry, now: Instant) -> Instant {
        var local = entry.job.zone.localDateTime(at: now)
        (local.hour, local.minute, local.second) = (0, 0, 0)
        return entry.job.zone.instant(of: local)
    }

    // MARK: - Making and forgetting runs

    func makeRun(_ job: Job, at instant: Instant, trigger: Run.Trigger, scheduledFor: Instant?, now: Instant) -> Run {
        var run = Run(
            id: makeID(job, at: instant), job: job.name, skill: job.skill, trigger: trigger, scheduledFor: scheduledFor,
            createdAt: now, status: .queued)
        if job.isTraced { run.traceID = random.nextTraceID() }
        return run
    }

    func makeActive(_ run: Run, job: Job, entry: JobEntry?) -> ActiveRun {
        sequence += 1
        let active = ActiveRun(run: run, job: job, entry: entry, sequence: sequence)
        runs[run.id] = active
        return active
    }

    func forget(_ active: ActiveRun) {
        disarm(active)
        forgetConditions(active)
        runs[active.run.id] = nil
    }

    /// An id that no run has had, and none will have from now on.
    func makeID(_ job: Job, at instant: Instant) -> String {
        let id = freeID(job, at: instant)
        uncommittedIDs.insert(id)
        return id
    }

    /// `cron-<skill or job>-<YYYYMMDD>-<HHMMSS>` in the job's zone; where that is taken, with `-2`, `-3`, ….
    ///
    /// - Parameter others: ids that are taken beside those of all runs.
    func freeID(_ job: Job, at instant: Instant, besides others: Set<String> = []) -> String {
        let base = executionIDBase(job, at: instant)
        var id = base
        var number = 2
        while runs[id] != nil || uncommittedIDs.contains(id) || others.contains(id) || register.isTaken(executionID: id)
        {
            id = "\(base)-\(number)"
            number += 1
        }
        return id
    }

    private func executionIDBase(_ job: Job, at instant: Instant) -> String {
        let local = job.zone.localDateTime(at: instant)
        var text: [UInt8] = Array("cron-".utf8)
        for byte in (job.skill.isEmpty ? job.name : job.skill).utf8 {
            text.append(byte == UInt8(ascii: "/") ? UInt8(ascii: "-") : byte)
        }
        func append(_ number: Int, digits: Int) {
            var divisor = 1
            for _ in 1..<digits { divisor *= 10 }
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
                divisor /= 10
            }
        }
        text.append(UInt8(ascii: "-"))
        append(local.year, digits: 4)
        append(local.month, digits: 2)
        append(local.day, digits: 2)
        text.append(UInt8(ascii: "-"))
        append(local.hour, digits: 2)
        append(local.minute, digits: 2)
        append(local.second, digits: 2)
        return String(decoding: text, as: UTF8.self)
    }
}
