import Schedules

/// Whose turn it is among the runs of one job.
extension Scheduler {
    /// The run has its turn; its conditions and the limits of the scheduler decide when it starts.
    func makeReady(_ active: ActiveRun) {
        active.entry?.occupying.append(active)
        if let entry = active.entry, entry.countsFromEnd { reschedule(entry) }
        prepareToStart(active)
    }

    func prepareToStart(_ active: ActiveRun) {
        if groupHold(on: active) != nil { return awaitGroup(active) }
        if hasConditions(active) { return awaitConditions(active) }
        active.phase = .ready
        ready.insert(active)
    }

    func wait(_ active: ActiveRun) {
        active.phase = .waiting
        active.entry?.waiting.append(active)
        if let entry = active.entry, entry.countsFromEnd { reschedule(entry) }
    }

    /// A run that waits does not get its turn before.
    func hold(_ active: ActiveRun, until instant: Instant) {
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
            forgetGroup(active)
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
}
