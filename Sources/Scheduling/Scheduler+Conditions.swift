public import Schedules

/// Runs that wait for their conditions: between their turn within the job and the limits of the scheduler.
///
/// What is known of the surroundings comes in as events, and only what some run waits for is asked for. A run that has
/// its conditions and then waits for a limit is looked at once more when the limit lets it go.
extension Scheduler {
    /// A fact that nobody has told for so long after it was asked for is unknown, and what is unknown holds.
    public static var answerPatience: Duration { .seconds(30) }
    /// The same for a condition's command.
    public static var commandPatience: Duration { .seconds(60) }
    /// One that was asked just before the time-out is heard for so long.
    static var lateAnswerPatience: Duration { .seconds(5) }
    /// A command that said no is asked again after so long: of all conditions it alone tells nothing by itself.
    public static var commandInterval: Duration { .seconds(60) }

    // MARK: - Into the wait and out of it

    /// Whether a run that has its turn waits for conditions first.
    func hasConditions(_ active: ActiveRun) -> Bool {
        // Not by the key path, which copies them: every run comes by here.
        !active.run.isForced && active.run.attempt == 0
            && (!active.job.details.value.conditions.isEmpty || active.job.details.value.precheck != nil)
    }

    func awaitConditions(_ active: ActiveRun) {
        active.phase = .conditional
        conditions.runs[active.run.id] = active
        conditions.due.append(active)
        conditions.isStale = true
    }

    /// The run does not wait any more, whatever became of it.
    func forgetConditions(_ active: ActiveRun) {
        guard !conditions.runs.isEmpty, conditions.runs.removeValue(forKey: active.run.id) != nil else { return }
        conditions.isStale = true
    }

    // MARK: - Events

    func surroundingsChanged(_ surroundings: Surroundings) {
        conditions.surroundings = surroundings
        conditions.surroundings.answered.formIntersection(conditions.asked.keys)
        conditions.due += conditions.runs.values.filter { $0.phase == .conditional }
        conditions.isGuardDue = true
    }

    func conditionChecked(_ id: String, holds: Bool?, now: Instant) {
        guard let active = conditions.runs[id], case .asked = active.wait.command else { return }
        active.wait.command = .said(holds ?? true, at: now)
        // One that came too late is heard as long as the run has not started.
        if active.phase == .conditional { conditions.due.append(active) }
    }

    /// Time in which the machine sleeps does not count, and what was known before is not known any more.
    func conditionsFellAsleep(now: Instant) {
        conditions.sleptAt = now
        conditions.surroundings.answered = []
    }

    func conditionsWokeUp(now: Instant) {
        let slept = conditions.sleptAt.map { max(.zero, now - $0) } ?? .zero
        conditions.sleptAt = nil
        for active in conditions.runs.values {
            active.wait.until = active.wait.until.map { $0 + slept }
            if case .asked = active.wait.command { active.wait.command = .asked(now) }
            active.wait.command.forget(now: now)
        }
        conditions.surroundings.answered = []
        conditions.asked = conditions.asked.mapValues { _ in now }
        conditions.isRepeated = !(conditions.runs.isEmpty && conditions.guarded.isEmpty)
        conditions.isStale = true
        conditions.due += conditions.runs.values.filter { $0.phase == .conditional }
    }

    func conditionsMoved(by step: Duration) {
        conditions.sleptAt = conditions.sleptAt.map { $0 + step }
        conditions.asked = conditions.asked.mapValues { $0 + step }
        if case .idle(let since) = conditions.surroundings.idleness {
            conditions.surroundings.idleness = .idle(since: since + step)
        }
        for active in conditions.runs.values {
            active.wait.until = active.wait.until.map { $0 + step }
            switch active.wait.command {
            case .asked(let at): active.wait.command = .asked(at + step)
            case .said(let holds, let at): active.wait.command = .said(holds, at: at + step)
            case .notAsked: break
            }
            if active.phase == .conditional { conditions.due.append(active) }
        }
    }

    // MARK: - Whether they hold

    /// Looks at the runs for which something may have changed.
    func examineConditions(now: Instant) {
        guard !isAsleep, !isStopping else { return }
        examineGuarded(now: now)
        while !conditions.due.isEmpty {
            let due = conditions.due.sorted { $0.sequence < $1.sequence }
            conditions.due = []
            for active in due where active.phase == .conditional { examine(active, now: now) }
        }
    }

    private func examine(_ active: ActiveRun, now: Instant) {
        let required = active.job.conditions
        let until = active.wait.until ?? now + required.timeout
        active.wait.until = until
        var next: [Instant] = []
        active.wait.unmet = unmet(active, now: now, next: &next)
        guard !active.wait.unmet.isEmpty else {
            guard precheckAllows(active, now: now) else { return }
            disarm(active)
            active.phase = .ready
            return ready.insert(active)
        }
        // Whose answer is under way is heard.
        let isAnswerAwaited = active.wait.unmet.contains { isAwaited($0, active, now: now) }
        guard until > now || isAnswerAwaited else { return timeOut(active, now: now) }
        if until > now { next.append(until) }
        if let next = next.filter({ $0 > now }).min() { arm(active, at: next) } else { disarm(active) }
    }

    /// Whether a run may go on, at the moment at which the limits let it.
    func conditionsHold(_ active: ActiveRun, now: Instant) -> Bool {
        guard !conditions.runs.isEmpty, conditions.runs[active.run.id] != nil, !active.wait.isWaived else {
            return true
        }
        if case .said(false, _) = active.wait.command { return false }
        return active.job.conditions.facts.allSatisfy { isMet($0, active.job.conditions, now: now) }
    }

    /// - Parameter next: instants at which the answer may be another one.
    private func unmet(_ active: ActiveRun, now: Instant, next: inout [Instant]) -> [Condition] {
        guard !active.wait.isWaived else { return [] }
        let required = active.job.conditions
        var unmet: [Condition] = []
        for fact in required.facts {
            guard !isMet(fact, required, now: now), let condition = required.condition(on: fact) else { continue }
            unmet.append(condition)
            if !conditions.surroundings.answered.contains(fact) {
                next.append((conditions.asked[fact] ?? now) + Self.answerPatience)
            } else if case .idle(let duration) = condition, case .idle(let since) = conditions.surroundings.idleness {
                next.append(since + duration)
            }
        }
        guard unmet.isEmpty, let command = required.command else {
            active.wait.command.forget(now: now)
            return unmet
        }
        return ask(command, for: active, now: now, next: &next) ? [] : [.command]
    }

    /// Whether a fact is as it should be; one that was asked for and not told yet is not.
    private func isMet(_ fact: Fact, _ required: Conditions, now: Instant) -> Bool {
        guard conditions.surroundings.answered.contains(fact) else {
            return conditions.asked[fact].map { $0 + Self.answerPatience <= now } ?? false
        }
        return required.condition(on: fact)?.holds(in: conditions.surroundings, now: now) ?? true
    }

    /// Whether the command has agreed; asks it where it is time to.
    private func ask(_ command: Job.Action, for active: ActiveRun, now: Instant, next: inout [Instant]) -> Bool {
        switch active.wait.command {
        case .said(true, _): return true
        case .said(false, let at) where at + Self.commandInterval > now || active.wait.until.map { $0 <= now } ?? false:
            next.append(at + Self.commandInterval)
            return false
        // It has been given its time to answer, and twice that.
        case .asked(let at) where at + Self.commandPatience * 2 <= now: return true
        case .asked(let at):
            expectAnswer(since: at, active, &next)
            return false
        case .notAsked, .said:
            active.wait.command = .asked(now)
            turn.checks.append(.check(run: active.run.id, command: command, job: active.job))
            expectAnswer(since: now, active, &next)
            return false
        }
    }

    private func expectAnswer(since at: Instant, _ active: ActiveRun, _ next: inout [Instant]) {
        next.append(at + Self.commandPatience * 2)
        if let until = active.wait.until, until < at + Self.lateAnswerPatience {
            next.append(at + Self.lateAnswerPatience)
        }
    }

    private func isAwaited(_ condition: Condition, _ active: ActiveRun, now: Instant) -> Bool {
        if condition == .command {
            guard case .asked(let at) = active.wait.command else { return false }
            return at + Self.lateAnswerPatience > now
        }
        let required = active.job.conditions
        return required.facts.contains { fact in
            required.condition(on: fact) == condition && !conditions.surroundings.answered.contains(fact)
        }
    }

    // MARK: - The time-out

    private func timeOut(_ active: ActiveRun, now: Instant) {
        disarm(active)
        switch active.job.conditions.action {
        case .run:
            active.wait.isWaived = true
            active.wait.unmet = []
            active.phase = .ready
            ready.insert(active)
        case .skip:
            skip(active, now: now)
        }
    }

    private func skip(_ active: ActiveRun, now: Instant) {
        let what = active.wait.unmet.map(\.text).joined(separator: " and for ")
        active.run.error = "waited \(active.job.conditions.timeout.inSeconds.shortText) s for \(what)"
        giveUp(active, .skipped, .condition, now: now)
    }

    // MARK: - What is watched

    /// The effect by which the shell learns what is waited for, where that has changed.
    func watchEffect(now: Instant) -> Effect? {
        guard conditions.isStale else { return nil }
        conditions.isStale = false
        var watch = Watch()
        var loads: Set<Double> = []
        var pressures: Set<Double> = []
        for active in conditions.runs.values {
            let required = active.job.conditions
            watch.facts.formUnion(required.facts)
            if let most = required.loadMax { loads.insert(most) }
            if let most = required.pressureMax { pressures.insert(most) }
        }
        for active in conditions.guarded.values { watch.facts.formUnion(active.job.conditions.lasting) }
        watch.loadsMax = loads.sorted()
        watch.pressuresMax = pressures.sorted()
        conditions.asked = conditions.asked.filter { watch.facts.contains($0.key) }
        for fact in watch.facts where conditions.asked[fact] == nil { conditions.asked[fact] = now }
        conditions.surroundings.answered.formIntersection(watch.facts)
        guard watch != conditions.told || conditions.isRepeated else { return nil }
        conditions.told = watch
        conditions.isRepeated = false
        return .machine(.watch(watch))
    }

    // MARK: - Queries

    /// What a run waits for, and until when at most; nil where it does not wait for conditions.
    public func unmetConditions(ofRun id: String) -> (unmet: [Condition], until: Instant?)? {
        guard let active = conditions.runs[id], active.phase == .conditional else { return nil }
        return (active.wait.unmet, active.wait.until)
    }
}
