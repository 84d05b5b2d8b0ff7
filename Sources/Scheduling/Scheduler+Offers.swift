import Schedules

/// Fire times that are to be run, and what the overlap policy, the budget and the bounds make of each.
extension Scheduler {
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
        var run = makeRun(
            entry.job, at: fire, trigger: trigger, scheduledFor: fire, replacing: recordToReplace(entry, fire), now: now
        )
        if let covered, let first = covered.first {
            run.coveredCount += covered.count
            run.coveredSince = first
        }
        guard runs.count < Limits.activeRuns, entry.waiting.count < Limits.waitingRunsPerJob else {
            return refuse(run, entry, .limit, covering: covered, now: now)
        }
        let active = makeActive(run, job: entry.job, entry: entry)
        let isQueueing = entry.job.overlap == .queue || entry.job.overlap == .queueOne
        if let waitsUntil = entry.waitsUntil, waitsUntil > now {
            wait(active)
            hold(active, until: waitsUntil)
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
}
