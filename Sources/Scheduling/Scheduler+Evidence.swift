import Schedules

/// What became of the attempts that the store calls running when a scheduler begins.
///
/// The evidence is gathered by others; what it means is decided here, together with the boot in which the attempt was
/// claimed:
///
/// | boot | evidence | the attempt |
/// |---|---|---|
/// | any | an outcome | ended so |
/// | this | its supervisor is there | is followed |
/// | this | begun, and no outcome | is lost: it ran, and how it ended is not known |
/// | this | not begun | never began: its run starts as if it had not been claimed, or is a misfire |
/// | this | nothing | is lost |
/// | another | no outcome | is lost: the machine went down |
///
/// Of a run that an older daemon claimed neither the boot is known nor whether its attempt began: without an outcome or
/// a supervisor it is lost.
extension Scheduler {
    private enum Fate {
        case followed
        case ended(AttemptOutcome)
        /// How it ended is not known, and why.
        case lost(String)
        case neverBegan
    }

    func weigh(_ situation: Situation, now: Instant) {
        var resumed: [JobEntry] = []
        for active in runs.values.sorted(by: { $0.sequence < $1.sequence }) where active.phase == .running {
            let run = active.run
            switch fate(of: run, situation) {
            case .followed:
                // The last daemon may have been killed before its process heard of it.
                if let ending = run.ending { stop(active, ending) }
            case .ended(let outcome):
                endAttempt(of: run.id, run.attempt, outcome, now: now)
            case .lost(let why):
                let start = active.attempt?.startedAt ?? run.startedAt ?? now
                let outcome = AttemptOutcome(ending: .lost(why), startedAt: start, endedAt: now)
                endAttempt(of: run.id, run.attempt, outcome, now: now)
            case .neverBegan where run.ending != nil:
                let outcome = AttemptOutcome(ending: .lost(nil), startedAt: now, endedAt: now)
                endAttempt(of: run.id, run.attempt, outcome, now: now)
            case .neverBegan:
                takeBackClaim(active, now: now)
                if let entry = active.entry, active.phase != .ended { resumed.append(entry) }
            }
        }
        // A definition that permits fewer runs at a time may have come in between.
        for entry in resumed { retractTurns(entry) }
    }

    private func fate(of run: Run, _ situation: Situation) -> Fate {
        let evidence = situation.evidence[run.id] ?? .gone
        if case .ended(let outcome) = evidence { return .ended(outcome) }
        guard let boot = run.bootID else {
            if evidence == .held { return .followed }
            return .lost("its supervisor was killed, or the machine went down, while the run was under way")
        }
        guard boot == situation.bootID else { return .lost("the machine went down while the run was under way") }
        switch evidence {
        case .held: return .followed
        case .notBegun: return .neverBegan
        case .gone: return .lost("its supervisor and its folder are gone, and with them what became of the run")
        case .begun, .ended: return .lost("its supervisor was killed while the run was under way")
        }
    }

    // MARK: - Claimed, and never begun

    /// The run is what it was before its attempt was claimed; that one is numbered anew when it starts. What else holds
    /// a run back holds this one, too: its conditions, the limits of the scheduler, a sleep.
    private func takeBackClaim(_ active: ActiveRun, now: Instant) {
        runningCount -= 1
        letSleep(active)
        releaseConditions(active)
        active.attempt = nil
        active.phase = .waiting
        active.run.attempt = max(0, active.run.attempt - 1)
        active.run.status = .queued
        touch(active)
        if active.isDefinitionGone { return endStranded(active, now: now) }
        guard active.run.attempt == 0 else {
            active.run.status = .retrying
            (active.run.retryAt, active.run.retryDelay) = (now, .zero)
            active.phase = .ready
            return ready.insert(active)
        }
        forgetLateness(of: active)
        active.run.lateAt = nil
        if let reason = misfireReason(ofUnbegun: active, now: now) {
            recordUnbegun(active, now: now)
            return giveUp(active, .missed, reason, now: now)
        }
        prepareToStart(active)
    }

    /// Why a run that never began is not run any more: its fire time has passed by more than its grace time, and the
    /// catch-up policy of its job says so. Nil where it is to run. What was not for a fire time of the schedule, or was
    /// caught up before, cannot be late.
    private func misfireReason(ofUnbegun active: ActiveRun, now: Instant) -> Run.Reason? {
        guard active.run.trigger == .schedule, let fire = active.run.scheduledFor, let entry = active.entry else {
            return nil
        }
        let policy = entry.job.catchUp
        guard entry.lateness(of: fire, now: now) > max(policy.graceTime, Self.punctuality) else { return nil }
        if isExpired(fire, entry, now: now) { return .expired }
        switch policy.kind {
        case .none: return misfireReason(of: fire)
        case .all, .spread: return policy.limit == 0 ? .limit : nil
        case .latest: return nil
        }
    }

    /// The attempt that was claimed has come to nothing, and what it was to cost is given back.
    private func recordUnbegun(_ active: ActiveRun, now: Instant) {
        let start = active.run.startedAt ?? active.run.createdAt
        var attempt = Attempt(run: active.run.id, number: 1, startedAt: start)
        attempt.endedAt = max(start, now)
        attempt.error = "it never began"
        turn.attempts.append(attempt)
        active.run.error = "it was about to start when its daemon was killed, and never began"
        takeBackBudget(active.entry, spentAt: start)
    }
}
