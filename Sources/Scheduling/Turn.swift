import Schedules

/// What one event has decided so far.
struct Turn {
    /// Records that belong to no active run: fire times that were not run, definitions, toggles.
    var changes: [StoreChange] = []
    var touchedJobs: [JobEntry] = []
    var touchedRuns: [ActiveRun] = []
    var attempts: [Attempt] = []
    var stops: [Effect] = []
    var starts: [Effect] = []
    var answers: [Effect] = []
    var checks: [Effect] = []
    var polls: [Effect] = []
    var announcements: [Effect] = []
    /// Messages that are decided, or have changed.
    var messages: [ActiveMessage] = []
    var sendings: [Effect] = []
    /// Whether the budget over all was spent.
    var isBudgetTouched = false
    var stretches: [Scheduler.UnrunStretch] = []
    var replies: [(Ticket, Reply)] = []
    /// Runs that a client asked for, whose reply says how they stand when the event is decided.
    var awaited: [(Ticket, ActiveRun)] = []
    /// Queues that hold something else than before.
    var queues: Set<String> = []
}

extension Scheduler {
    func touch(_ entry: JobEntry) {
        guard !entry.isTouched else { return }
        entry.isTouched = true
        turn.touchedJobs.append(entry)
    }

    func touch(_ active: ActiveRun) {
        guard !active.isTouched else { return }
        active.isTouched = true
        turn.touchedRuns.append(active)
    }

    func announce(_ announcement: Announcement) { turn.announcements.append(.announce(announcement)) }

    func reply(_ ticket: Ticket, _ reply: Reply) { turn.replies.append((ticket, reply)) }

    /// Puts what was decided in the order of `Effect`.
    func finishTurn(now: Instant) -> [Effect] {
        var changes = turn.changes
        turn.changes = []
        changes.reserveCapacity(
            changes.count + turn.touchedRuns.count + turn.attempts.count + 2 * turn.touchedJobs.count)
        for active in turn.touchedRuns {
            active.isTouched = false
            changes.append(.run(active.run))
        }
        for attempt in turn.attempts { changes.append(.attempt(attempt)) }
        for active in turn.messages {
            active.isTouched = false
            changes.append(.message(active.message))
        }
        if turn.isBudgetTouched { changes.append(.budgetUse(budgetUse)) }
        for entry in turn.touchedJobs {
            entry.isTouched = false
            if entry.hasNewRecords {
                entry.hasNewRecords = false
                changes.append(.prune(job: entry.job.name, keep: entry.job.historyLimit))
            }
            // A job that was removed leaves no state behind.
            guard !entry.isRemoved else { continue }
            entry.state.wasEnabled = entry.isEnabled && !entry.isFinished
            changes.append(.jobState(entry.state))
        }

        var effects: [Effect] = []
        effects.reserveCapacity(
            turn.stops.count + turn.starts.count + turn.answers.count + turn.checks.count + turn.polls.count
                + turn.announcements.count
                + turn.replies.count + turn.awaited.count + turn.sendings.count + 6)
        if !changes.isEmpty { effects.append(.commit(changes)) }
        effects += turn.stops
        effects += turn.starts
        effects += turn.answers
        effects += turn.checks
        effects += turn.polls
        if let watch = watchEffect(now: now) { effects.append(watch) }
        effects += machineEffects(now: now)
        let next = timers.next
        if isArmedStale || next != armed {
            effects.append(.arm(next))
            armed = next
            isArmedStale = false
        }
        effects += turn.announcements
        for queue in turn.queues.sorted() {
            let items = queueLedger?.totals[queue]?.items ?? 0
            effects.append(.announce(.queueChanged(queue, items: items)))
        }
        effects += turn.sendings
        for (ticket, reply) in turn.replies { effects.append(.reply(ticket, reply)) }
        for (ticket, active) in turn.awaited { effects.append(.reply(ticket, .run(active.run))) }
        turn = Turn()
        return effects
    }
}
