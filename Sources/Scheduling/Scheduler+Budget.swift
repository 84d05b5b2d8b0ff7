public import Schedules

/// How much may be run in a day: of a job, in its zone, and of all jobs together.
extension Scheduler {
    /// Whose budget a further run would be beyond.
    public enum BudgetScope: Sendable, Equatable { case job, all }

    /// Whether what may be run in this day is used up, or would be with so many more runs of a job.
    func isBudgetUsedUp(_ entry: JobEntry, by more: Int = 1, now: Instant) -> Bool {
        usedUpBudget(entry, by: more, now: now) != nil
    }

    /// The budget that is used up, or would be with so many more runs of a job; nil where none is.
    func usedUpBudget(_ entry: JobEntry, by more: Int = 1, now: Instant) -> BudgetScope? {
        let own = entry.job.details.value.budget
        if !own.isUnlimited,
            own.isUsedUp(
                entry.state.budgetUse.of(startOfDay(entry.job.zone, now: now)), waiting: waitingRuns(of: entry) + more)
        {
            return .job
        }
        guard !settings.budget.isUnlimited else { return nil }
        let use = budgetUse.of(startOfDay(sectionZone(entry), now: now))
        return settings.budget.isUsedUp(use, waiting: unstartedRuns + more) ? .all : nil
    }

    /// - Parameter entry: nil for a run of a definition that is not scheduled, which only the budget over all counts.
    func spendBudget(_ entry: JobEntry?, runs: Int, wallTime: Duration, cost: Double, now: Instant) {
        if let entry, !entry.job.details.value.budget.isUnlimited {
            entry.state.budgetUse.spend(
                runs: runs, wallTime: wallTime, cost: cost, on: startOfDay(entry.job.zone, now: now))
            touch(entry)
        }
        guard !settings.budget.isUnlimited, let zone = settings.zone ?? entry?.job.zone else { return }
        budgetUse.spend(runs: runs, wallTime: wallTime, cost: cost, on: startOfDay(zone, now: now))
        turn.isBudgetTouched = true
    }

    /// A run that was claimed and never began has cost nothing.
    func takeBackBudget(_ entry: JobEntry?, spentAt instant: Instant) {
        if let entry, entry.state.budgetUse.takeBackOne(on: startOfDay(entry.job.zone, now: instant)) {
            touch(entry)
        }
        if let zone = settings.zone ?? entry?.job.zone, budgetUse.takeBackOne(on: startOfDay(zone, now: instant)) {
            turn.isBudgetTouched = true
        }
    }

    /// A run has started, or has not after all.
    func setStart(of active: ActiveRun, _ instant: Instant?) {
        if active.run.startedAt == nil, instant != nil { unstartedRuns -= 1 }
        if active.run.startedAt != nil, instant == nil { unstartedRuns += 1 }
        active.run.startedAt = instant
    }

    /// Runs that will spend one each when they start.
    private func waitingRuns(of entry: JobEntry) -> Int {
        entry.waiting.count + entry.occupying.count { $0.run.startedAt == nil }
    }

    /// When the budget that is used up begins anew.
    func startOfTomorrow(_ entry: JobEntry, now: Instant) -> Instant {
        let zone = usedUpBudget(entry, now: now) == .all ? sectionZone(entry) : entry.job.zone
        // No day of any zone has more than 26 hours, nor so few that two of them are passed.
        return startOfDay(zone, now: startOfDay(zone, now: now) + .seconds(26 * 3_600))
    }

    /// The next fire time of a job that will run: where the budget of its day is used up, the first one after it.
    func nextWithinBudget(_ entry: JobEntry) -> Instant? {
        guard let next = entry.nextRun, isBudgetUsedUp(entry, now: next) else { return entry.nextRun }
        let tomorrow = startOfTomorrow(entry, now: next)
        let edge = tomorrow - .microseconds(1)
        let fire = entry.countsFromEnd ? entry.delayedFire(from: next, after: edge) : entry.fireTime(after: edge)
        // What waits until then may use up that day, too, which nobody knows yet.
        guard let fire, !entry.job.details.value.budget.permitsNone, !settings.budget.permitsNone else { return nil }
        return entry.firstToRun(from: fire, isDecided: { self.isDecidedBefore(entry, $0) })
    }

    /// What a client is told of a run that it asked for, and that no budget permits.
    func budgetRefusal(of name: String, _ scope: BudgetScope) -> Refusal {
        let whose = scope == .job ? "its budget" : "the budget of all jobs"
        return .limitExceeded(
            "\"\(name)\" is not run: \(whose) for today is used up; tomorrow it has one again, and force runs it now")
    }

    /// What all jobs together have used up in the day of an instant.
    public func budgetUse(at now: Instant) -> BudgetUse {
        settings.zone.map { budgetUse.of(startOfDay($0, now: now)) } ?? budgetUse
    }

    /// What a job has used up of its own budget in the day of an instant; nil where it has none.
    public func budgetUse(ofJob name: String, at now: Instant) -> BudgetUse? {
        guard let entry = jobs[name], !entry.job.details.value.budget.isUnlimited else { return nil }
        return entry.state.budgetUse.of(startOfDay(entry.job.zone, now: now))
    }

    private func sectionZone(_ entry: JobEntry) -> TimeZoneRules { settings.zone ?? entry.job.zone }

    private func startOfDay(_ zone: TimeZoneRules, now: Instant) -> Instant {
        var local = zone.localDateTime(at: now)
        (local.hour, local.minute, local.second) = (0, 0, 0)
        return zone.instant(of: local)
    }
}

extension Budget {
    /// On no day.
    fileprivate var permitsNone: Bool { runsPerDay == 0 || wallTimePerDay == .zero || costPerDay == 0 }

    fileprivate func isUsedUp(_ use: BudgetUse, waiting: Int) -> Bool {
        runsPerDay.map { use.runs + waiting > $0 } ?? false || wallTimePerDay.map { use.wallTime >= $0 } ?? false
            || costPerDay.map { use.cost >= $0 } ?? false
    }
}

extension BudgetUse {
    fileprivate func of(_ day: Instant) -> BudgetUse { self.day == day ? self : BudgetUse() }

    fileprivate mutating func spend(runs: Int, wallTime: Duration, cost: Double, on day: Instant) {
        if self.day != day {
            self = BudgetUse()
            self.day = day
        }
        self.runs += runs
        self.wallTime += wallTime
        self.cost += cost
    }

    /// Whether there was one to take back.
    fileprivate mutating func takeBackOne(on day: Instant) -> Bool {
        guard runs > 0, self.day == day else { return false }
        runs -= 1
        return true
    }
}
