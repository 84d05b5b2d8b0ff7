import Schedules

/// What runs want of the machine: that it stays awake for them, is woken for them, and sleeps again after them.
extension Scheduler {
    struct MachineSleep {
        /// Runs that hold off the sleep.
        var awake: [String: ActiveRun] = [:]
        var isAwakeStale = true
        /// What was told last; nil before anything was.
        var toldAwake: [AwakeRun]?
        /// The next run of each job that the machine is woken for.
        var wakeUps = TimerQueue()
        /// Those of them that have a budget, or share one: what is left of it changes with all that runs and waits.
        var budgeted: [String: JobEntry] = [:]
        var armedWakeUp: Instant?
        var isWakeUpStated = false
        /// The machine was woken for jobs that let it sleep again.
        var nap: Nap?

        struct Nap {
            var wokenAt: Instant
            /// Before this instant what was missed is still being caught up.
            var settledAt: Instant
            var timer: TimerQueue.Owner
        }
    }

    // MARK: - Staying awake

    func keepAwake(_ active: ActiveRun) {
        let power = active.job.details.value.power
        guard power.keepsAwake || power.onSleep == .wait else { return }
        machine.awake[active.run.id] = active
        machine.isAwakeStale = true
    }

    func letSleep(_ active: ActiveRun) {
        guard !machine.awake.isEmpty, machine.awake.removeValue(forKey: active.run.id) != nil else { return }
        machine.isAwakeStale = true
    }

    /// The machine goes to sleep: the processes of jobs that say so end.
    func stopForSleep() {
        for active in runs.values.sorted(by: { $0.sequence < $1.sequence })
        where active.phase == .running && active.run.ending == nil && active.job.power.onSleep == .stop {
            stop(active, .sleeping)
        }
    }

    // MARK: - Waking up

    /// Has the machine woken for the next run of a job, where its definition says so: not for a fire time that its
    /// budget leaves out.
    func armWakeUp(for entry: JobEntry) {
        let details = entry.job.details.value
        if details.power.wakesSystem, !details.budget.isUnlimited || !settings.budget.isUnlimited {
            machine.budgeted[entry.job.name] = entry
        } else if !machine.budgeted.isEmpty {
            machine.budgeted[entry.job.name] = nil
        }
        guard details.power.wakesSystem, let fire = nextWithinBudget(entry) else {
            if let owner = entry.wakeUp { machine.wakeUps.disarm(owner) }
            return
        }
        let owner = entry.wakeUp ?? machine.wakeUps.add()
        entry.wakeUp = owner
        machine.wakeUps.arm(owner, at: entry.dueInstant(of: fire))
    }

    func disarmWakeUp(for entry: JobEntry) {
        if !machine.budgeted.isEmpty { machine.budgeted[entry.job.name] = nil }
        guard let owner = entry.wakeUp else { return }
        entry.wakeUp = nil
        machine.wakeUps.remove(owner)
    }

    /// The machine is awake: was it woken for jobs that let it sleep again?
    func noteWakeUp(now: Instant) {
        endNap()
        guard let armed = machine.armedWakeUp, armed <= now else { return }
        let wakers = entries.filter { entry in
            entry.job.power.wakesSystem && (entry.nextRun.map { entry.dueInstant(of: $0) <= now } ?? false)
        }
        // One that wants the machine awake is enough.
        guard !wakers.isEmpty, wakers.allSatisfy(\.job.power.sleepsAgain) else { return }
        let settledAt = now + settings.wakeSettle + settings.wakeSpread
        let timer = own(.nap)
        timers.arm(timer, at: settledAt)
        machine.nap = MachineSleep.Nap(wokenAt: now, settledAt: settledAt, timer: timer)
    }

    private func endNap() {
        guard let nap = machine.nap else { return }
        disown(nap.timer)
        machine.nap = nil
    }

    func machineMoved(by step: Duration) {
        guard var nap = machine.nap else { return }
        nap.wokenAt = nap.wokenAt + step
        nap.settledAt = nap.settledAt + step
        timers.arm(nap.timer, at: nap.settledAt)
        machine.nap = nap
    }

    // MARK: - Effects

    func machineEffects(now: Instant) -> [Effect] {
        var effects: [Effect] = []
        if machine.isAwakeStale {
            machine.isAwakeStale = false
            let awake = machine.awake.values.sorted { $0.sequence < $1.sequence }
                .map { AwakeRun(run: $0.run.id, job: $0.run.job) }
            if awake != machine.toldAwake {
                machine.toldAwake = awake
                effects.append(.machine(.holdAwake(awake)))
            }
        }
        for entry in Array(machine.budgeted.values) { armWakeUp(for: entry) }
        let wakeUp = isEnabled && !isStopping ? machine.wakeUps.next : nil
        if wakeUp != machine.armedWakeUp || !machine.isWakeUpStated {
            (machine.armedWakeUp, machine.isWakeUpStated) = (wakeUp, true)
            effects.append(.machine(.armWakeUp(wakeUp)))
        }
        if let nap = machine.nap, !isAsleep, nap.settledAt <= now, !isBusy {
            effects.append(.machine(.sleepAgain(unlessUsedSince: nap.wokenAt)))
            endNap()
        }
        return effects
    }

    /// Whether anything runs or is about to; a retry that is due later is not.
    private var isBusy: Bool {
        runs.values.contains { active in
            switch active.phase {
            case .running, .ready, .conditional: true
            case .waiting, .awaitingGroup, .retrying, .ended: false
            }
        }
    }
}
