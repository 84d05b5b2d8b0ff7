import Schedules

/// How much of a job may be run in a day of its zone.
extension Scheduler {
    /// Whether a job has used up what it may run in this day of its zone, or would with so many more runs.
    func isBudgetUsedUp(_ entry: JobEntry, by more: Int = 1, now: Instant) -> Bool {
        let budget = entry.job.budget
        guard !budget.isUnlimited else { return false }
        let isToday = entry.state.budgetUse.day == startOfDay(entry, now: now)
        let use = isToday ? entry.state.budgetUse : BudgetUse()
        return budget.runsPerDay.map { use.runs + waitingRuns(of: entry) + more > $0 } ?? false
            || budget.wallTimePerDay.map { use.wallTime >= $0 } ?? false
            || budget.costPerDay.map { use.cost >= $0 } ?? false
    }

    func spendBudget(_ entry: JobEntry, runs: Int, wallTime: Duration, cost: Double, now: Instant) {
        guard !entry.job.budget.isUnlimited else { return }
        let today = startOfDay(entry, now: now)
        if entry.state.budgetUse.day != today {
            entry.state.budgetUse = BudgetUse()
            entry.state.budgetUse.day = today
        }
        entry.state.budgetUse.runs += runs
        entry.state.budgetUse.wallTime += wallTime
        entry.state.budgetUse.cost += cost
        touch(entry)
    }

    /// A run that was claimed and never began has cost nothing.
    func takeBackBudget(_ entry: JobEntry, spentAt instant: Instant) {
        guard entry.state.budgetUse.runs > 0, entry.state.budgetUse.day == startOfDay(entry, now: instant) else {
            return
        }
        entry.state.budgetUse.runs -= 1
        touch(entry)
    }

    /// Runs that will spend one each when they start.
    private func waitingRuns(of entry: JobEntry) -> Int {
        entry.waiting.count + entry.occupying.count { $0.run.startedAt == nil }
    }

    /// When a budget begins anew.
    func startOfTomorrow(_ entry: JobEntry, now: Instant) -> Instant {
        // No day of any zone has more than 26 hours, nor so few that two of them are passed.
        startOfDay(entry, now: startOfDay(entry, now: now) + .seconds(26 * 3_600))
    }

    private func startOfDay(_ entry: JobEntry, now: Instant) -> Instant {
        var local = entry.job.zone.localDateTime(at: now)
        (local.hour, local.minute, local.second) = (0, 0, 0)
        return entry.job.zone.instant(of: local)
    }
}
