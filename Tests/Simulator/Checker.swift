import Schedules
import Scheduling

/// Compares what a scheduler records, starts and tells with what the schedules alone name and the policies say.
///
/// It shares no code with the scheduler but the timetables. From the events of the world it knows when each job had
/// fire times (enabled, not finished); at the end it walks every fire time of these stretches and wants exactly one
/// outcome.
final class Checker {
    /// A job with one set of schedules.
    final class Grid {
        var job: Job
        /// Stretches (from, through] in which the job had fire times.
        var stretches: [(from: Instant, through: Instant)] = []
        /// Fire times that had passed, waited for their jitter, and went with a change of the job.
        var excused: Set<Instant> = []
        /// Those of a clock that was far ahead.
        var sealed: [(from: Instant, through: Instant)] = []
        var openFrom: Instant?
        /// Opened by a daemon that has committed nothing yet: one that is killed before might as well not have started.
        var isOpenProvisional = false
        /// Up to here fire times were decided, or passed for good.
        var passed: Instant
        var pausedUntil: Instant?
        var decidedThrough: Instant
        var executions = 0

        init(job: Job, passed: Instant) {
            self.job = job
            self.passed = passed
            decidedThrough = passed
        }

        /// What a schedule names up to its registration is no fire time, but for a single instant of the past.
        private func fireTime(atOrBefore instant: Instant) -> Instant? {
            job.gridSchedules.compactMap { schedule in
                schedule.timetable.previous(atOrBefore: instant).flatMap {
                    schedule.timetable.schedule.kind == .once || $0 > job.registeredAt ? $0 : nil
                }
            }.max()
        }

        func open(at instant: Instant) {
            if openFrom == nil { openFrom = max(passed, instant) }
        }

        /// What had passed after an instant has no outcome yet, and will have none.
        func clip(to edge: Instant) {
            stretches = stretches.filter { $0.from < edge }.map { ($0.from, min($0.through, edge)) }
        }

        /// - Parameter isWaiting: whether a fire time has passed and waits for its jitter: it may go.
        func close(at instant: Instant, isWaiting: (Instant) -> Bool = { _ in false }) {
            guard let from = openFrom else { return }
            openFrom = nil
            if job.jitterMilliseconds > 0, let last = fireTime(atOrBefore: instant), isWaiting(last) {
                excused.insert(last)
            }
            if from < instant { stretches.append((from, instant)) }
            passed = max(passed, instant)
        }
    }

    var grids: [String: Grid] = [:]
    private var former: [Grid] = []
    private var signals: [String: Signals] = [:]
    private var launches: [String: LaunchRecord] = [:]
    private(set) var faults: [Fault] = []
    private(set) var fireTimeCount = 0
    /// By job, what lay ahead of a clock that was set back and was decided before: what one run stood for there may be
    /// decided again, one by one.
    private var reopened: [String: [(from: Instant, through: Instant)]] = [:]

    /// Runs that a client has cancelled: none of them starts any more.
    var cancelled: Set<String> = []
    /// Whether there ever was a budget over all jobs.
    var hasBudgetOverAll = false
    /// What the attempts of a job cost in a day of its zone; of a job that was removed nothing is known any more.
    private var costs: [String: (day: Instant, sum: Double)] = [:]
    private var forgotten: Set<String> = []
    /// By run, the wait that its last attempt asked for.
    private var wishes: [String: Duration] = [:]

    private enum Signals { case started, ended, missed, excused }

    struct Fault {
        var text: String
        var job: String
        /// The fire time in question.
        var fire: Instant?
        var definition: Job?
    }

    private struct LaunchRecord {
        var attempt: Int
        var launch: Launch
        /// The definition at the last start of a daemon since then, if there was such a start and it found one.
        var restored: Job?
        var isRestored = false
    }

    /// A daemon starts with these runs under way: from now on the definition counts that it has found.
    func restore(_ runs: [Run]) {
        for run in runs {
            guard var record = launches[run.id] else { continue }
            record.isRestored = true
            record.restored = run.definition == nil ? grids[run.job]?.job : record.launch.job
            launches[run.id] = record
        }
    }

    /// The definition that an attempt is under: the one it was started with, or that of the last scheduler since then;
    /// nil where that one found none.
    func jobInForce(of launch: Launch) -> Job? {
        launches[launch.run.id].map { $0.isRestored ? $0.restored : $0.launch.job } ?? launch.job
    }

    func fail(_ text: String, job: String, fire: Instant? = nil, definition: Job? = nil) {
        faults.append(Fault(text: text, job: job, fire: fire, definition: definition ?? grids[job]?.job))
    }

    // MARK: - Definitions

    /// A definition is in force.
    ///
    /// - Parameter known: the watermark on record, where the change came about while no daemon ran: what passed since
    ///   may be lost.
    func define(
        _ job: Job, isEnabled: Bool, isFinished: Bool, _ store: LossyStore, now: Instant,
        lostSince known: Instant? = nil
    ) {
        if let grid = grids[job.name] {
            if known != nil, grid.isOpenProvisional { grid.openFrom = nil }
            if grid.job.scheduleKey == job.scheduleKey {
                let wasOpen = grid.openFrom != nil
                let isEnabled = isEnabled && !isFinished
                if wasOpen, !isEnabled {
                    grid.close(at: min(now, known ?? now)) { self.due($0, grid.job) > now }
                    if let known { grid.clip(to: known) }
                }
                grid.job = job
                if !wasOpen, isEnabled { grid.open(at: now) }
                grid.isOpenProvisional = known != nil && !wasOpen && isEnabled
                return
            }
            // A job that came to have fire times while no daemon ran has had none before.
            let isOpened = known != nil && grid.openFrom == nil
            var passed = isOpened ? now : max(grid.passed, job.registeredAt)
            // Under a clock that was set back it begins like a job that is made anew.
            if !instantsOfThePast(job, old: grid.job).isEmpty { passed = job.registeredAt }
            grid.close(at: min(now, known ?? now)) { self.due($0, grid.job) > now }
            if let known { grid.clip(to: known) }
            former.append(grid)
            add(
                job, isEnabled: isEnabled && !isFinished, passed: passed, old: grid.job,
                executions: grid.executions, now: now)
            grids[job.name]?.isOpenProvisional = isOpened
            grids[job.name]?.decidedThrough = store.states[job.name]?.decidedThrough ?? now
            grids[job.name]?.pausedUntil = store.states[job.name]?.pausedUntil
            admitPast(job, isEnabled, isFinished, old: grid.job, store)
        } else {
            add(job, isEnabled: isEnabled && !isFinished, passed: job.registeredAt, old: nil, executions: 0, now: now)
            grids[job.name]?.decidedThrough = store.states[job.name]?.decidedThrough ?? job.registeredAt
            admitPast(job, isEnabled, isFinished, old: nil, store)
        }
    }

    private func add(_ job: Job, isEnabled: Bool, passed: Instant, old: Job?, executions: Int, now: Instant) {
        let grid = Grid(job: job, passed: passed)
        grid.executions = executions
        grids[job.name] = grid
        for run in ownerless where run.job == job.name { owners[run.id] = grid }
        ownerless.removeAll { $0.job == job.name }
        if isEnabled { grid.open(at: min(now, passed)) }
    }

    /// A single instant of the past, by `allow_past`.
    private func admitPast(_ job: Job, _ isEnabled: Bool, _ isFinished: Bool, old: Job?, _ store: LossyStore) {
        guard let grid = grids[job.name] else { return }
        for once in instantsOfThePast(job, old: old) {
            guard
                // A job that is finished or paused by it, or was before; a pause may have ended before it.
                (isEnabled || grid.pausedUntil.map { $0 < once } ?? false) && !isFinished
                    || store.isDecided(job: job.name, fireTime: once)
            else { continue }
            grid.stretches.insert((once - .microseconds(1), once), at: 0)
        }
    }

    /// The single instants before its registration that a definition brings, and the one before it did not have.
    private func instantsOfThePast(_ job: Job, old: Job?) -> [Instant] {
        job.schedules.compactMap(\.timetable.schedule.onceInstant).filter { once in
            once <= job.registeredAt
                && !(old?.schedules.contains { $0.timetable.schedule.onceInstant == once } ?? false)
        }
    }

    func remove(_ name: String, now: Instant, lostSince known: Instant? = nil) {
        forgotten.insert(name)
        guard let grid = grids.removeValue(forKey: name) else { return }
        grid.close(at: min(now, known ?? now)) { self.due($0, grid.job) > now }
        if let known { grid.clip(to: known) }
        former.append(grid)
    }

    // MARK: - Time

    /// The clock was set back: what lies ahead is decided when it comes, but for what has its record. What had passed
    /// and was not decided yet lies ahead again.
    func clockSteppedBack(to now: Instant) {
        for grid in grids.values {
            let wasOpen = grid.openFrom != nil
            let edge = max(grid.decidedThrough, now)
            grid.close(at: edge)
            grid.clip(to: edge)
            grid.passed = grid.decidedThrough
            if grid.passed > now {
                reopened[grid.job.name, default: []].append((now, grid.passed))
                grid.passed = now
                grid.sealed += grid.stretches
                grid.stretches = []
            }
            if wasOpen { grid.open(at: now) }
        }
    }

    /// A job that was first seen by a clock that was ahead counts from now on.
    func registerAnew(_ job: Job, now: Instant) {
        guard let grid = grids[job.name] else { return }
        let isOpen = grid.openFrom != nil
        grid.close(at: max(now, grid.decidedThrough))
        former.append(grid)
        let new = Grid(job: job, passed: now)
        (new.executions, new.pausedUntil, new.decidedThrough) = (grid.executions, grid.pausedUntil, now)
        // A single instant of the past that was not decided yet is owed as before.
        let owed = grid.stretches.filter { stretch in
            grid.decidedThrough < stretch.through && stretch.through <= now
                && job.schedules.contains { $0.timetable.schedule.onceInstant == stretch.through }
        }
        grid.stretches.removeAll { stretch in owed.contains { $0 == stretch } }
        new.stretches = owed
        if isOpen { new.open(at: now) }
        grids[job.name] = new
    }

    private func isReopened(_ job: String, _ first: Instant, _ last: Instant) -> Bool {
        reopened[job, default: []].contains { first <= $0.through && $0.from < last }
    }

    /// A job that was first seen by a clock that was ahead is registered anew when that one is put right, with those of
    /// its times of day that had come already: what one run stood for then is not run once more.
    private func stillStands(_ run: Run, _ since: Instant, _ fire: Instant, _ job: Job) -> Bool {
        run.status.isExecuted && isReopened(job.name, since, fire)
            && [since, fire].allSatisfy { instant in job.schedules.contains { $0.timetable.contains(instant) } }
    }

    // MARK: - Commits

    /// - Parameter wasEnabled: whether all schedules were in force before the events of this commit.
    func observe(_ changes: [StoreChange], _ store: LossyStore, wasFiring: Bool, now: Instant) {
        for grid in grids.values { grid.isOpenProvisional = false }
        for change in changes {
            switch change {
            case .run(let run) where isNew(run, store): observeNew(run, store, wasFiring: wasFiring, now: now)
            case .jobState(let state) where !state.scheduleKey.isEmpty || state.decidedThrough != .epoch:
                observe(state, changes, store, now: now)
            default: break
            }
        }
        for case .removeJobState(let name) in changes { closeIfFinished(name, changes, store) }
    }

    private func observe(_ state: JobState, _ changes: [StoreChange], _ store: LossyStore, now: Instant) {
        guard let grid = grids[state.job] else { return }
        defer {
            grid.pausedUntil = state.pausedUntil
            grid.decidedThrough = state.decidedThrough
            grid.executions = state.executions
        }
        // The definition that comes with it says what it means; but the last run that the one before permitted may have
        // been decided first.
        guard incoming[state.job].map({ $0 == grid.job }) ?? true else {
            closeIfFinished(state.job, changes, store)
            return
        }
        let isFinished = grid.job.maxExecutions.map { state.executions >= $0 } ?? false
        let isEnabled = state.isEnabledOverride ?? grid.job.isEnabled
        if let most = grid.job.maxExecutions, state.executions > most, state.executions > grid.executions {
            fail("\(state.job) was run \(state.executions) times of \(most)", job: state.job)
        }
        let offered = changes.compactMap { change -> Run? in
            guard case .run(let run) = change, run.job == state.job, isNew(run, store),
                run.trigger == .schedule || run.trigger == .catchUp
            else { return nil }
            return run.status.isExecuted || run.reason == .condition ? run : nil
        }
        let last = offered.filter(\.status.isExecuted).compactMap(\.scheduledFor).max()
        // Finished by the last permitted run, and not finished any more because another was given up, or one of these.
        if let most = grid.job.maxExecutions, !isFinished, grid.executions + offered.count >= most,
            let end = offered.compactMap(\.scheduledFor).max()
        {
            grid.close(at: end)
            grid.clip(to: end)
            grid.passed = now
        }
        if grid.openFrom == nil, isEnabled, !isFinished || last != nil {
            let until = grid.pausedUntil.flatMap { $0 <= now ? $0 : nil }
            grid.open(at: until ?? now)
        }
        if grid.openFrom != nil, !isEnabled || isFinished {
            grid.close(at: isFinished ? min(now, last ?? now) : now) { self.due($0, grid.job) > now }
            // What came after the last permitted run is no fire time.
            if isFinished, let last { grid.clip(to: last) }
        }
    }

    /// The last run that a definition permits may have been decided with the change that ends it.
    private func closeIfFinished(_ name: String, _ changes: [StoreChange], _ store: LossyStore) {
        guard let grid = grids[name], let most = grid.job.maxExecutions, grid.executions < most else { return }
        let fires = changes.compactMap { change -> Instant? in
            guard case .run(let run) = change, owners[run.id] === grid, store.runs[run.id] == nil else { return nil }
            return run.status.isExecuted ? run.scheduledFor : nil
        }
        guard let last = fires.max(), grid.executions + fires.count >= most else { return }
        grid.close(at: last)
        grid.clip(to: last)
    }

    /// Whether a run is on record for the first time, or in place of the record that it was missed.
    private func isNew(_ run: Run, _ store: LossyStore) -> Bool {
        store.runs[run.id].map { $0.status == .missed && $0 != run } ?? true
    }

    private func observeNew(_ run: Run, _ store: LossyStore, wasFiring: Bool, now: Instant) {
        guard run.trigger == .schedule || run.trigger == .catchUp, let fire = run.scheduledFor else { return }
        let candidates = [grids[run.job]?.job, incoming[run.job]].compactMap { $0 }
        // Its fire times hang on its runs: `Delays` looks at them.
        guard !candidates.contains(where: \.countsFromEnd) else {
            owners[run.id] = grids[run.job]
            return
        }
        let named = [fire, run.coveredSince ?? fire]
        let naming = candidates.indices.filter { index in
            named.allSatisfy { instant in candidates[index].schedules.contains { $0.timetable.contains(instant) } }
        }
        // What the definition before has decided already, or did not have, belongs to the one that comes with it.
        let grid = grids[run.job]
        let isOwed = grid?.openFrom != nil && fire > grid?.decidedThrough ?? .epoch
        guard let index = naming.first(where: { $0 > 0 || isOwed }) ?? naming.first else {
            return fail("\(run.id) is for no fire time of \(candidates.map { $0.schedules.map(\.text) })", job: run.job)
        }
        let job = candidates[index]
        if index == 0, let grid = grids[run.job] { owners[run.id] = grid } else { ownerless.append(run) }
        if !wasFiring, run.status.isExecuted || run.status == .skipped && run.reason == .overlap {
            fail("\(run.id) was decided while nothing was to run", job: run.job)
        }
        if due(fire, job) > now { fail("\(run.id) came before it was due", job: run.job) }
        guard run.status.isExecuted else { return observeRefusal(run, fire, job, store, now: now) }

        if job.exclusions.contains(where: { $0.contains(fire) }) {
            fail("\(run.id) is excluded, and ran", job: run.job)
        }
        if !hasUncommitted, isTooExpensive(job, now: now) {
            fail("\(run.id) is run beyond the cost of a day", job: run.job)
        }
        let isLate = now - max(due(fire, job), job.registeredAt) > max(job.catchUp.graceTime, .milliseconds(500))
        if isLate != (run.trigger == .catchUp) {
            // Of several that are due the newest alone is on time.
            let isNewest = next(after: fire, job).map { due($0, job) > now } ?? true
            if isLate || isNewest {
                fail("\(run.id) is \(isLate ? "late" : "on time") as \(run.trigger)", job: run.job)
            }
        }
        if run.trigger == .catchUp {
            if job.catchUp.kind == .none { fail("\(run.id) was caught up under none", job: run.job) }
            if fire < now - job.catchUp.window, fire >= job.registeredAt, now - job.catchUp.window > job.registeredAt {
                fail("\(run.id) was caught up beyond its window", job: run.job)
            }
        }
        if job.catchUp.kind != .latest, run.coveredCount != 1 {
            fail("\(run.id) stands for more than itself", job: run.job)
        }
    }

    private func observeRefusal(_ run: Run, _ fire: Instant, _ job: Job, _ store: LossyStore, now: Instant) {
        switch run.reason {
        case .overlap:
            let active = store.order[job.name, default: []].suffix(2000).count {
                store.runs[$0]?.status.isActive ?? false
            }
            let limit = job.maxInstances ?? 1
            if active < limit, !hasUncommitted {
                fail("\(run.id) was skipped for an overlap with \(active) of \(limit)", job: run.job)
            }
            if job.overlap == .queue || job.overlap == .replace {
                fail("\(run.id) was skipped under \(job.overlap)", job: run.job)
            }
        case .excluded:
            if !job.exclusions.contains(where: { $0.contains(fire) }) {
                fail("\(run.id) is not excluded", job: run.job)
            }
        case .expired:
            if fire >= now - job.catchUp.window { fail("\(run.id) had not expired", job: run.job) }
        case .limit:
            let waiting = store.order[job.name, default: []].count { store.runs[$0]?.status.isActive ?? false }
            let isFull = waiting >= Scheduler.Limits.waitingRunsPerJob
            if !isFull, job.catchUp.kind == .latest || job.catchUp.kind == .none {
                fail("\(run.id): no limit holds here", job: run.job)
            }
        case .budget:
            if job.budget.isUnlimited, !hasBudgetOverAll { fail("\(run.id): there is no budget", job: run.job) }
        case .nothingToDo:
            if job.precheck == nil { fail("\(run.id): there is no precheck", job: run.job) }
        case .down, .asleep, .paused, .user, .condition, .store: break
        case nil: fail("\(run.id) was not run, without a reason", job: run.job)
        }
    }

    /// By run, the grid that it was decided for; and runs of a grid that is about to be defined.
    private var owners: [String: Grid] = [:]
    private var ownerless: [Run] = []

    /// Definitions that the events of this commit bring, by name.
    var incoming: [String: Job] = [:]

    /// Whether the events of this commit made runs that the store does not have yet.
    var hasUncommitted = false

    func due(_ fire: Instant, _ job: Job) -> Instant {
        guard job.jitterMilliseconds > 0 else { return fire }
        return fire
            + .milliseconds(
                Jitter.delayMilliseconds(
                    jobName: job.name, fire: fire, nextFire: next(after: fire, job),
                    jitterMilliseconds: job.jitterMilliseconds))
    }

    func next(after instant: Instant, _ job: Job) -> Instant? {
        var least: Instant?
        for schedule in job.gridSchedules {
            let isOnce = schedule.timetable.schedule.kind == .once
            guard let fire = schedule.timetable.next(after: isOnce ? instant : max(instant, job.registeredAt)) else {
                continue
            }
            least = min(least ?? fire, fire)
        }
        return least
    }

    // MARK: - Ends

    func observe(_ outcome: AttemptOutcome, of launch: Launch, now: Instant) {
        let run = launch.run
        wishes[run.id] = outcome.retryAfter
        guard run.definition == nil, let job = grids[run.job]?.job, !job.budget.isUnlimited else { return }
        let day = startOfDay(job, now)
        if costs[run.job]?.day != day { costs[run.job] = (day, 0) }
        costs[run.job]?.sum += outcome.cost
    }

    private func isTooExpensive(_ job: Job, now: Instant) -> Bool {
        guard let limit = job.budget.costPerDay, let known = costs[job.name], !forgotten.contains(job.name) else {
            return false
        }
        return known.day == startOfDay(job, now) && known.sum >= limit
    }

    private func startOfDay(_ job: Job, _ now: Instant) -> Instant {
        var local = job.zone.localDateTime(at: now)
        (local.hour, local.minute, local.second) = (0, 0, 0)
        return job.zone.instant(of: local)
    }

    // MARK: - Starts

    func observe(_ launch: Launch, active: [Launch], settings: SchedulerSettings, now: Instant) {
        let run = launch.run
        if cancelled.contains(run.id) { fail("\(run.id) was cancelled, and starts", job: run.job) }
        if let known = launches[run.id] {
            if run.attempt != known.attempt + 1 {
                fail("attempt \(run.attempt) of \(run.id) after \(known.attempt)", job: run.job)
            }
        } else if run.attempt != 1 {
            fail("\(run.id) begins with attempt \(run.attempt)", job: run.job)
        }
        if run.attempt > max(1, launch.job.retry?.maxAttempts ?? 1), launches[run.id] == nil || run.attempt > 4 {
            fail("\(run.id) has too many attempts: \(run.attempt)", job: run.job)
        }
        launches[run.id] = LaunchRecord(attempt: run.attempt, launch: launch)
        guard !run.isForced else { return }
        if active.count >= settings.maxConcurrentRuns {
            fail("\(run.id) is one more than \(settings.maxConcurrentRuns) processes", job: run.job)
        }
        let mine = active.filter { $0.run.job == run.job && !$0.run.isForced && $0.run.definition == nil }
        let limits = [launch.job, grids[run.job]?.job, incoming[run.job]].compactMap { $0 }.map { job in
            job.maxInstances ?? (job.overlap == .allow ? .max : 1)
        }
        // Between two attempts a run has its turn, also where fewer are permitted by then.
        if run.definition == nil, run.attempt == 1, mine.count >= limits.max() ?? 1 {
            fail("\(run.id) runs beside \(mine.map(\.run.id))", job: run.job)
        }
        if run.trigger == .catchUp, mine.contains(where: { $0.run.trigger == .catchUp }) {
            fail("\(run.id) is caught up beside another", job: run.job)
        }
    }

    // MARK: - Signals

    func observe(_ announcement: Announcement) {
        switch announcement {
        case .jobStarted(let run):
            switch signals[run.id] {
            case nil, .missed: signals[run.id] = .started
            case .excused: break
            case .started, .ended: fail("\(run.id) started twice", job: run.job)
            }
        case .jobRetrying(let run, let next, let delay):
            if signals[run.id] != .started, signals[run.id] != .excused {
                fail("\(run.id) retries out of order", job: run.job)
            }
            observeDelay(run, next, delay)
        case .jobCompleted(let run), .jobFailed(let run):
            if signals[run.id] != .started, signals[run.id] != .excused {
                fail("\(run.id) ends out of order", job: run.job)
            }
            signals[run.id] = .ended
        case .jobMissed(let run):
            // Its start was told, and it never began. Under a clock that is set back its fire time may come once more.
            if signals[run.id] == .started { signals[run.id] = .missed }
        default: break
        }
    }

    /// The delay by its formula, computed the long way.
    private func observeDelay(_ run: Run, _ next: Int, _ delay: Duration) {
        if wishes[run.id] == delay { return }
        let known = launches[run.id]
        let policies = [known?.launch.job, known?.restored, grids[run.job]?.job].compactMap(\.?.retry)
        let found = Double(delay.components.seconds) + Double(delay.components.attoseconds) / 1e18
        guard !policies.contains(where: { isDelay(found, before: next, $0) }) else { return }
        fail("attempt \(next) of \(run.id) waits \(found) s under \(policies)", job: run.job)
    }

    private func isDelay(_ found: Double, before next: Int, _ policy: RetryPolicy) -> Bool {
        var seconds = Double(policy.delay.components.seconds)
        let first = seconds
        for _ in 2..<max(2, next) {
            switch policy.backoff {
            case .exponential(let multiplier): seconds *= multiplier
            case .linear: seconds += first
            }
        }
        seconds = min(seconds, Double(policy.maxDelay.components.seconds))
        return abs(found - seconds) <= seconds * policy.jitter + 0.002
    }

    /// A start that a crash has prevented.
    func excuse(_ launch: Launch) {
        launches[launch.run.id] = LaunchRecord(attempt: launch.run.attempt, launch: launch)
    }

    /// An attempt that was claimed and never began: it comes again, under the same number.
    func expectAgain(_ run: Run) { launches[run.id]?.attempt = run.attempt - 1 }

    /// What was found of attempts when a scheduler began, and what it made of it.
    func observe(_ found: AttemptEvidence, of run: Run, isThisBoot: Bool, became now: Run?) {
        guard let now else { return fail("\(run.id) is on record no more", job: run.job) }
        let isOver = !now.status.isActive || now.status == .retrying || now.attempt != run.attempt
        switch found {
        case .held where isThisBoot:
            if isOver { fail("\(run.id) lives, and is \(now.status)", job: run.job) }
        case .notBegun where isThisBoot && run.ending == nil:
            if now.status == .interrupted || now.status == .failed {
                fail("\(run.id) never began, and is \(now.status): \(now.error ?? "")", job: run.job)
            }
        case .ended(let outcome): wishes[run.id] = outcome.retryAfter
        case .held, .begun, .notBegun, .gone:
            if !isOver { fail("\(run.id): \(found.word), and is still \(now.status)", job: run.job) }
            if now.status == .success { fail("\(run.id): \(found.word), and is a success", job: run.job) }
        }
    }

    /// An announcement that a crash has swallowed.
    func excuse(_ announcement: Announcement) {
        switch announcement {
        case .jobStarted(let run), .jobCompleted(let run), .jobFailed(let run), .jobRetrying(let run, _, _),
            .jobMissed(let run):
            signals[run.id] = .excused
        default: break
        }
    }

    // MARK: - The ledger

    /// Every fire time that a job had has exactly one outcome, and nothing else has any.
    func finish(_ store: LossyStore, now: Instant) {
        for id in cancelled.sorted() {
            guard let run = store.runs[id], run.status != .cancelled else { continue }
            fail("\(id) was cancelled, and is \(run.status)", job: run.job)
        }
        for (id, state) in signals.sorted(by: { $0.key < $1.key }) {
            guard let run = store.runs[id], !run.status.isActive, state == .started else { continue }
            fail("\(id) ended without a signal", job: run.job)
        }
        for name in grids.keys.sorted() { if let grid = grids[name] { grid.close(at: min(now, grid.decidedThrough)) } }
        let all = former + grids.keys.sorted().compactMap { grids[$0] }
        for grid in all { match(grid, store) }
        matchRecords(all, store)
    }

    private func match(_ grid: Grid, _ store: LossyStore) {
        let job = grid.job
        var exact: [Instant: Run] = [:]
        var spans:
            [(since: Instant, through: Instant, count: Int, found: Int, manual: Int, id: String, isExcluded: Bool)] = []
        for id in store.order[job.name, default: []] {
            guard let run = store.runs[id], let fire = run.scheduledFor, run.trigger != .chain else { continue }
            exact[fire] = run
            guard let since = run.coveredSince, owners[id] === grid || stillStands(run, since, fire, job) else {
                continue
            }
            spans.append((since, fire, run.coveredCount, 1, 0, id, run.reason == .excluded))
        }
        spans.sort { $0.through < $1.through }
        for stretch in grid.sealed + grid.stretches {
            var instant = stretch.from
            while let fire = next(after: instant, job), fire <= stretch.through {
                instant = fire
                fireTimeCount += 1
                let known = exact[fire]
                if let known, known.trigger != .manual {
                    // Or another definition has the same instant for one of the past (`allow_past`).
                    let isCovered = spans.contains { $0.since <= fire && fire < $0.through }
                    if owners[known.id] === grid || !isCovered { continue }
                }
                let isExcluded = job.exclusions.contains { $0.contains(fire) }
                var hits = spans.indices.filter { spans[$0].since <= fire && fire < spans[$0].through }
                // Of a very long stretch the old ones are counted without asking whether one was excluded.
                let kindred = hits.filter { spans[$0].isExcluded == isExcluded }
                if !kindred.isEmpty { hits = kindred }
                if known != nil {
                    // A client's run in place of it, or once more for one that another run stood for.
                    for hit in hits { spans[hit].manual += 1 }
                    continue
                }
                guard let hit = hits.first else {
                    if grid.excused.contains(fire) { continue }
                    return fail(
                        "\(job.name) has no outcome for \(fire.rfc3339(in: job.zone))", job: job.name, fire: fire,
                        definition: job)
                }
                spans[hit].found += 1
                if hits.count > 1, !hits.contains(where: { isReopened(job.name, spans[$0].since, spans[$0].through) }) {
                    fail(
                        "\(job.name): \(hits.map { spans[$0].id }) for \(fire.rfc3339(in: job.zone))", job: job.name,
                        fire: fire, definition: job)
                }
            }
        }
        for span in spans where span.found > 1 && !(span.found...span.found + span.manual ~= span.count) {
            if isReopened(job.name, span.since, span.through) { continue }
            fail(
                "\(span.id) stands for \(span.count) fire times, of \(span.found)", job: job.name, fire: span.through,
                definition: job)
        }
    }

    /// No outcome for an instant at which the job had no fire time.
    private func matchRecords(_ all: [Grid], _ store: LossyStore) {
        let byJob = Dictionary(grouping: all) { $0.job.name }
        for name in byJob.keys.sorted() {
            for id in store.order[name, default: []] {
                guard let run = store.runs[id], let fire = run.scheduledFor,
                    run.trigger == .schedule || run.trigger == .catchUp,
                    run.reason != .excluded, run.reason != .user
                else { continue }
                let isKnown = byJob[name, default: []].contains { grid in
                    (grid.sealed + grid.stretches).contains { $0.from < fire && fire <= $0.through }
                        && (grid.job.countsFromEnd || grid.job.schedules.contains { $0.timetable.contains(fire) })
                }
                if !isKnown { fail("\(id) is on record, and was no fire time of its job then", job: name, fire: fire) }
            }
        }
    }
}
