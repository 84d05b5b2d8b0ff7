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

    // MARK: - Jobs

    /// Computes a job's next fire time anew and waits for it; or for the end of its pause.
    func schedule(_ entry: JobEntry) {
        guard !entry.isRemoved else { return }
        let isDue = entry.isEnabled && !entry.isFinished
        entry.nextFire = isDue ? entry.fireTime(after: entry.state.decidedThrough) : nil
        // What was found for an earlier watermark stands as long as the watermark is before it: rows of excluded fire
        // times are looked through once.
        if let next = entry.nextFire {
            if entry.nextRun.map({ $0 < next }) ?? true {
                entry.nextRun = entry.firstToRun(from: next) { self.isDecidedBefore(entry, $0) }
            }
        } else {
            entry.nextRun = nil
        }
        if let next = entry.nextRun { calendar.arm(entry.place, at: next) } else { calendar.disarm(entry.place) }
        armWakeUp(for: entry)
        awaitFire(of: entry)
        awaitUpkeep(of: entry)
    }

    /// The same after a change of what is to be run.
    func reschedule(_ entry: JobEntry) {
        entry.nextRun = nil
        schedule(entry)
    }

    /// Waits for the fire time that is known.
    func awaitFire(of entry: JobEntry) {
        guard !entry.isRemoved else { return }
        if let instant = nextDecision(of: entry) {
            timers.arm(entry.timer, at: instant)
        } else {
            timers.disarm(entry.timer)
        }
    }

    func nextDecision(of entry: JobEntry) -> Instant? {
        guard entry.isEnabled else { return isStopping ? nil : entry.state.pausedUntil }
        guard isFiring, let fire = entry.nextFire else { return nil }
        let due = entry.dueInstant(of: fire)
        return entry.waitsUntil.map { max($0, due) } ?? due
    }

    // MARK: - What has come

    /// Deals with everything whose instant has come.
    func fireDue(now: Instant) {
        while let number = timers.popDue(now) {
            switch owners[Int(number)] {
            case .job(let entry):
                if !entry.isEnabled, let until = entry.state.pausedUntil, until <= now {
                    setEnabled(entry, true, until: nil, reason: nil, by: .daemon, since: until, now: now)
                } else {
                    entry.waitsUntil = nil
                    decideDue(entry, now: now)
                }
            case .run(let active): resume(active, now: now)
            case .launchRate, .nap, .queues, .polls: break
            case .groups: releaseDueGroups(now: now)
            case .cleanup: cleanUp(now: now)
            case .message(let active): makeReady(active)
            case .lateness(let active): noteLate(active, now: now)
            case .upkeep(let entry): lookAfter(entry, now: now)
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
            if let entry = active.entry { promote(entry, now: now) }
        case .conditional:
            conditions.due.append(active)
        case .running: answerByDefault(active, now: now)
        case .awaitingGroup, .ready, .ended:
            break
        }
    }
}
