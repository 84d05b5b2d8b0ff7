import Schedules

/// Runs that end when a condition does (`conditions_lost: "stop"`).
///
/// A condition ends that was known to hold while the run was under way: one that was waived, or that a forced run did
/// not wait for, is none that could be lost.
extension Scheduler {
    /// A process starts, or was found by a new daemon: from now on its conditions are watched.
    ///
    /// - Parameter isRestored: it started under another daemon, which may have waived what did not come to hold.
    func guardConditions(_ active: ActiveRun, isRestored: Bool = false) {
        let required = active.job.details.value.conditions
        guard required.onLoss == .stop, !active.run.isForced else { return }
        // A retry waits for nothing, so of what holds only the answer tells.
        let isKnown = active.run.attempt == 1 && !active.wait.isWaived && !(isRestored && required.action == .run)
        active.wait.seen = isKnown ? Set(required.lasting) : []
        conditions.guarded[active.run.id] = active
        conditions.isGuardDue = true
        conditions.isStale = true
    }

    func releaseConditions(_ active: ActiveRun) {
        guard !conditions.guarded.isEmpty, conditions.guarded.removeValue(forKey: active.run.id) != nil else { return }
        conditions.isStale = true
    }

    /// Ends what has lost a condition, as far as that is known.
    func examineGuarded(now: Instant) {
        guard conditions.isGuardDue else { return }
        conditions.isGuardDue = false
        for active in conditions.guarded.values.sorted(by: { $0.sequence < $1.sequence }) {
            guard active.phase == .running, active.run.ending == nil,
                let lost = lostCondition(of: active, now: now)
            else { continue }
            active.run.error = "a condition of it has ended: \(lost.text)"
            stop(active, .conditionLost)
        }
    }

    private func lostCondition(of active: ActiveRun, now: Instant) -> Condition? {
        let required = active.job.details.value.conditions
        for fact in required.lasting where conditions.surroundings.answered.contains(fact) {
            guard let condition = required.condition(on: fact) else { continue }
            if condition.holds(in: conditions.surroundings, now: now) {
                active.wait.seen.insert(fact)
            } else if active.wait.seen.contains(fact) {
                return condition
            }
        }
        return nil
    }
}
