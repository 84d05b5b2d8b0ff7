import Schedules

/// Who waits for which instant.
extension Scheduler {
    func own(_ owner: TimerOwner) -> TimerQueue.Owner {
        let number = timers.add()
        if Int(number) == owners.count { owners.append(owner) } else { owners[Int(number)] = owner }
        return number
    }

    func disown(_ number: TimerQueue.Owner) {
        timers.remove(number)
        owners[Int(number)] = nil
    }

    func arm(_ active: ActiveRun, at instant: Instant) {
        let number = active.timer ?? own(.run(active))
        active.timer = number
        timers.arm(number, at: instant)
    }

    func disarm(_ active: ActiveRun) {
        guard let number = active.timer else { return }
        active.timer = nil
        disown(number)
    }

    /// Computes a job's next fire time anew and waits for it; or for the end of its pause.
    func schedule(_ entry: JobEntry) {
        guard entry.isEnabled, !entry.isFinished else {
            entry.nextFire = nil
            if let until = entry.state.pausedUntil, !isStopping {
                timers.arm(entry.timer, at: until)
            } else {
                timers.disarm(entry.timer)
            }
            return
        }
        entry.nextFire = entry.fireTime(after: entry.state.decidedThrough)
        awaitFire(of: entry)
    }

    /// Waits for the fire time that is known.
    func awaitFire(of entry: JobEntry) {
        guard isFiring, let fire = entry.nextFire else { return timers.disarm(entry.timer) }
        let due = entry.dueInstant(of: fire)
        timers.arm(entry.timer, at: entry.heldUntil.map { max($0, due) } ?? due)
    }

    /// Deals with everything whose instant has come.
    func fireDue(now: Instant) {
        while let number = timers.popDue(now) {
            switch owners[Int(number)] {
            case .job(let entry):
                if !entry.isEnabled, let until = entry.state.pausedUntil, until <= now {
                    setEnabled(entry, true, until: nil, now: now)
                } else {
                    entry.heldUntil = nil
                    decideDue(entry, now: now)
                }
            case .run(let active): resume(active, now: now)
            case nil: preconditionFailure("a timer without an owner was armed: \(number)")
            }
        }
    }

    /// A run's own instant has come: its retry is due, or it may take its turn.
    private func resume(_ active: ActiveRun, now: Instant) {
        disarm(active)
        switch active.phase {
        case .retrying:
            active.phase = .ready
            ready.insert(active)
        case .waiting:
            active.notBefore = nil
            if let entry = active.entry { promote(entry) }
        case .ready, .running, .ended:
            break
        }
    }
}
