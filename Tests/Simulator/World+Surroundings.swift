import Schedules
import Scheduling

/// What the machine is like, which changes at random, and what the daemon hears of it.
extension World {
    /// Something changes: the daemon hears of it where it watches that.
    func flap() {
        let fact: Fact
        switch random.below(7) {
        case 0: (fact, truth.isOnACPower) = (.acPower, random.pick([true, false, nil]))
        case 1: (fact, truth.batteryPercent) = (.battery, random.pick([5, 20, 50, 100, nil]))
        case 2: (fact, truth.isOnline) = (.network, random.pick([true, false, nil]))
        case 3: (fact, truth.isMetered) = (.network, random.pick([true, false, nil]))
        case 4: (fact, truth.idleness) = (.idle, random.pick([.inUse, .idle(since: now), nil]))
        case 5: (fact, truth.load) = (.load, random.pick([0.5, 1, 3, nil]))
        default:
            fact = .path("/there")
            truth.paths["/there"] = random.pick([true, false])
        }
        guard watch.facts.contains(fact) else { return }
        note("\(fact) changes: \(truth)")
        tell()
    }

    private func tell() {
        var known = truth
        known.answered = watch.facts
        deliver([.surroundingsChanged(known)])
    }

    /// What is watched or asked for is answered soon, and now and then never.
    func awaitAnswer(_ event: Event?) {
        guard !random.chance(20) else { return }
        answers.append((elapsed + Int64(random.pick([0, 0, 1, 20, 50])) * 1_000_000, event))
    }

    func answer() {
        guard let index = answers.indices.min(by: { answers[$0].at < answers[$1].at }) else { return }
        let answer = answers.remove(at: index)
        guard let event = answer.event else { return tell() }
        if case .messageSent(let id, let outcome) = event { mailbox.answered(id, outcome) }
        deliver([event])
    }

    /// The machine's clock was set: what is known as an instant moves with it.
    func moveSurroundings(by step: Duration) {
        if case .idle(let since) = truth.idleness { truth.idleness = .idle(since: since + step) }
        if case .idle(let since) = told.idleness { told.idleness = .idle(since: since + step) }
    }

    // MARK: - What must hold

    /// Whether a condition is known not to hold, by what the daemon was told last.
    private func isKnownToFail(_ required: Conditions) -> Bool {
        func knows(_ fact: Fact) -> Bool { told.answered.contains(fact) }
        if required.needsACPower, knows(.acPower), told.isOnACPower == false { return true }
        if let least = required.batteryMin, knows(.battery), let found = told.batteryPercent, found < least {
            return true
        }
        if let network = required.network, knows(.network) {
            if told.isOnline == false || network == .unmetered && told.isMetered == true { return true }
        }
        if let wanted = required.idle, knows(.idle) {
            if told.idleness == .inUse { return wanted > .zero }
            if case .idle(let since) = told.idleness, now - since < wanted { return true }
        }
        if let most = required.loadMax, knows(.load), let found = told.load, found > most { return true }
        if let path = required.path, knows(.path(path)), told.paths[path] == false { return true }
        return false
    }

    /// A first attempt starts.
    func checkConditions(of launch: Launch) {
        let (run, required) = (launch.run, launch.job.conditions)
        guard run.attempt == 1, !run.isForced, !required.isEmpty else { return }
        let waited = elapsed - (waitingSince[run.id] ?? elapsed)
        let isWaived = required.action == .run && waited >= required.timeout.components.seconds * 1_000_000
        if !isWaived, isKnownToFail(required) {
            checker.fail("\(run.id) starts, and its conditions do not hold: \(told)", job: run.job)
        }
        if required.command != nil, !isWaived, commandAnswers[run.id] == false {
            checker.fail("\(run.id) starts against the word of its command", job: run.job)
        }
    }

    /// Runs that are on record for the first time, and those that were given up.
    func noteWaits(_ changes: [StoreChange]) {
        for case .run(let run) in changes {
            if run.status == .queued, waitingSince[run.id] == nil { waitingSince[run.id] = elapsed }
            guard run.status == .skipped, run.reason == .condition else { continue }
            let jobs = [checker.grids[run.job]?.job, checker.incoming[run.job]].compactMap { $0 } + former(run)
            let waited = elapsed - (waitingSince[run.id] ?? 0)
            let fits = jobs.contains { job in
                !job.conditions.isEmpty && job.conditions.action == .skip
                    && waited >= job.conditions.timeout.components.seconds * 1_000_000
            }
            if !fits { checker.fail("\(run.id) was given up after \(waited) µs", job: run.job) }
        }
    }

    /// What was run once is not scheduled, and a job may have been replaced while its run waited.
    private func former(_ run: Run) -> [Job] { catalog.values.filter { $0.name == run.job } }

    /// What waits is right to wait, and not for longer than it may.
    func checkWaits(_ scheduler: Scheduler) {
        guard !isAsleep, scheduler.status != .stopping, random.chance(8) else { return }
        let active = scheduler.activeRuns
        for run in active {
            guard let wait = scheduler.unmetConditions(ofRun: run.id) else { continue }
            let isChecked = former(run).contains { $0.precheck != nil }
            if wait.unmet.isEmpty, !isChecked { checker.fail("\(run.id) waits for no condition", job: run.job) }
            // An answer that is under way is waited for.
            if let until = wait.until, until < now {
                let since = overdueSince[run.id] ?? elapsed
                overdueSince[run.id] = since
                let patience = Scheduler.answerPatience + Scheduler.commandPatience * 2
                if elapsed - since > patience.components.seconds * 1_000_000 {
                    checker.fail("\(run.id) waits beyond \(until.rfc3339(in: .utc))", job: run.job)
                }
            } else {
                overdueSince[run.id] = nil
            }
            for condition in wait.unmet {
                guard let fact = condition.fact else { continue }
                if !watch.facts.contains(fact) { checker.fail("\(run.id): nobody watches \(fact)", job: run.job) }
            }
        }
        let isWaiting = active.contains { run in
            run.status == .queued
                || run.status == .running && former(run).contains { $0.conditions.onLoss == .stop }
        }
        if !isWaiting, watch != Watch() { checker.fail("\(watch) is watched for nobody", job: "") }
    }

    /// What is wanted of the machine is what the runs and jobs want.
    func checkMachine(_ scheduler: Scheduler) {
        for process in processes {
            guard let job = checker.jobInForce(of: process.launch) else { continue }
            let power = job.power
            let isWanted = power.keepsAwake || power.onSleep == .wait
            let run = process.launch.run
            if awake.contains(run.id) != isWanted {
                checker.fail("\(run.id) of \(job.definition) keeps awake: \(!isWanted)", job: run.job)
            }
        }
        let running = Set(processes.map(\.launch.run.id))
        for run in awake where !running.contains(run) { checker.fail("\(run) is gone, and keeps awake", job: "") }
        guard scheduler.status != .stopping, random.chance(16) else { return }
        var earliest: Instant?
        var isBudgeted = !settings.budget.isUnlimited
        for name in scheduler.jobNames {
            guard let view = scheduler.job(named: name), view.job.power.wakesSystem else { continue }
            if !view.job.budget.isUnlimited { isBudgeted = true }
            guard let fire = view.nextRun else { continue }
            let due = checker.due(fire, view.job)
            earliest = min(earliest ?? due, due)
        }
        // What is beyond a budget is skipped when it comes, which a machine that sleeps wakes up for.
        let isEarlier = isBudgeted && wakeUp.map { $0 < earliest ?? .horizon } ?? false
        if wakeUp != earliest, !isEarlier {
            let (found, wanted) = (wakeUp?.rfc3339(in: .utc) ?? "none", earliest?.rfc3339(in: .utc) ?? "none")
            checker.fail("the machine is woken at \(found), not \(wanted)", job: "")
        }
    }

    /// The machine goes to sleep: what wants to end for it was told to.
    func checkSleep() {
        for process in processes where !process.isToldToEnd {
            guard checker.jobInForce(of: process.launch)?.power.onSleep == .stop else { continue }
            checker.fail("\(process.launch.run.id) runs into the sleep", job: process.launch.run.job)
        }
    }
}

extension Condition {
    var fact: Fact? {
        switch self {
        case .acPower: .acPower
        case .batteryMin: .battery
        case .network: .network
        case .idle: .idle
        case .loadMax: .load
        case .pressureMax: .pressure
        case .pathExists(let path): .path(path)
        case .command: nil
        }
    }
}
