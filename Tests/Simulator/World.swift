import Schedules
import Scheduling

/// A machine, its clock, its user and a daemon, all from one seed.
///
/// Two times: `elapsed`, which only runs forward, and the wall clock, which is `elapsed` and an offset that can be set.
/// The daemon is the scheduler and whoever performs its effects; a crash can come between any two of them, and then
/// only the store is left.
final class World {
    let seed: UInt64
    var random: SeededRandom
    var source: RandomJob
    let checker = Checker()
    let store = LossyStore()

    var elapsed: Int64 = 0
    var offset: Int64
    var now: Instant { Instant(microseconds: elapsed + offset) }

    var scheduler: Scheduler?
    var armed: Instant?
    var isAsleep = false
    var boot = 1
    /// The clock can be wrong by hours and years; else by minutes.
    let hasWildClock: Bool
    var settings = SchedulerSettings()
    var configEnabled = true
    /// What stands in config.json.
    var config: [Job] = []
    /// Every definition that was ever made, by its text.
    var catalog: [String: Job] = [:]
    var processes: [Process] = []
    /// Launches of this daemon in the last minute, as elapsed time.
    var recentLaunches: [Int64] = []
    var lastTicket = 0
    var replies: [Ticket: Reply] = [:]

    /// What the machine is like, and what the daemon was told of it last.
    var truth = Surroundings()
    var told = Surroundings()
    var watch = Watch()
    /// Answers under way: an event, or what is watched.
    var answers: [(at: Int64, event: Event?)] = []
    /// By run, the last word of its command.
    var commandAnswers: [String: Bool] = [:]
    /// By run, since when it is on record, as elapsed time.
    var waitingSince: [String: Int64] = [:]
    /// By run, since when it is known to wait for longer than it may, as elapsed time.
    var overdueSince: [String: Int64] = [:]
    var awake: Set<String> = []
    var wakeUp: Instant?
    var daemonCount = 0
    /// Each scheduler draws ids of its own.
    private var coreCount = 0
    /// When this daemon's process began, as elapsed time.
    var daemonStartedAt: Int64 = 0
    /// By run, what is left of an attempt that has no process any more.
    var remains: [String: AttemptEvidence] = [:]
    let desk = QueueDesk()
    var people = People()
    let mailbox = Mailbox()
    let punctuality = Punctuality()
    /// Names of jobs that a definition has said something of whom to tell.
    private var hasOwnRules: Set<String> = []

    private(set) var tickCount = 0
    private(set) var idleTickCount = 0
    /// Starts that were expected, and came.
    var expectedCount = 0
    private(set) var eventCount = 0
    let isTracing: Bool
    private(set) var trace: [String] = []

    struct Process {
        var launch: Launch
        var startedAt: Instant
        var endsAt: Int64
        var ending: AttemptOutcome.Ending
        var isTimedOut: Bool
        var isToldToEnd = false
        var isCancelled = false
        /// Past its gate: before that its supervisor waits, and dies with its daemon now and then.
        var hasBegun = true
        /// The daemon that started it.
        var daemon: Int

        /// What its supervisor says of it.
        func outcome(endedAt: Instant, _ random: inout SeededRandom) -> AttemptOutcome {
            var outcome = AttemptOutcome(ending: ending, startedAt: startedAt, endedAt: endedAt)
            outcome.isTimedOut = isTimedOut
            outcome.isCancelled = isCancelled
            outcome.cost = random.chance(2) ? Double(random.below(8)) / 4 : 0
            if random.chance(6) { outcome.retryAfter = .seconds(random.seconds(upTo: 10_000)) }
            return outcome
        }
    }

    init(seed: UInt64, isTracing: Bool = false) {
        self.seed = seed
        self.isTracing = isTracing
        random = SeededRandom(seed: seed)
        source = RandomJob(seed: seed ^ 0xA5A5)
        hasWildClock = random.chance(3)
        // Any day of 2025 to 2034, so that many runs cross a change of the clocks.
        offset = (1_735_689_600 + Int64(random.below(315_000_000))) * 1_000_000
        settings.isCleanupEnabled = random.chance(2)
        if random.chance(2) {
            settings.messages = [MessageRule(target: "desktop", on: .standard)]
            settings.quietHours = random.chance(2) ? QuietHours(from: 1_320, until: 420) : nil
            settings.zone = .utc
        }
        drawSettings()
        for index in 0..<10 { config.append(define("job-\(index)", .config)) }
    }

    func drawSettings() {
        settings.maxConcurrentRuns = random.pick([1, 2, 4, 10])
        settings.launchesPerMinute = random.pick([nil, nil, 1, 5])
        settings.budget = Budget()
        if random.chance(6) { settings.budget.runsPerDay = 20 + random.below(100) }
        if random.chance(6) { settings.budget.costPerDay = Double(10 + random.below(40)) }
        if !settings.budget.isUnlimited { checker.hasBudgetOverAll = true }
        settings.wakeSettle = .seconds(random.pick([0, 10]))
        settings.wakeSpread = .seconds(random.pick([0, 60, 600]))
        recentLaunches = []
    }

    func define(_ name: String, _ origin: Job.Origin) -> Job {
        let others = (0..<10).map { "job-\($0)" }.filter { $0 != name }
        let job = source.next(name: name, others: others, now: now, origin: origin)
        catalog[job.definition] = job
        if job.messages != nil { hasOwnRules.insert(name) }
        return job
    }

    func note(_ text: @autoclosure () -> String) {
        guard isTracing else { return }
        trace.append("\(now.rfc3339(in: .utc)) \(text())")
        if trace.count > 200_000 { trace.removeFirst(100_000) }
    }

    // MARK: - The run of time

    /// - Returns: whether everything was as it should be.
    func run(days: Int) -> Bool {
        let end = Int64(days) * 86_400_000_000
        start()
        var nextChaos = random.seconds(upTo: 40_000) * 1_000_000
        var nextFlap: Int64 = 0
        while elapsed < end, checker.faults.isEmpty {
            let tick = armed.map { elapsed + max(0, $0.microseconds - now.microseconds) } ?? .max
            let exit = processes.map(\.endsAt).min() ?? .max
            let word = answers.map(\.at).min() ?? .max
            elapsed = max(elapsed, min(tick, exit, word, nextFlap, nextChaos, end))
            if exit <= elapsed {
                endProcess()
            } else if word <= elapsed {
                answer()
            } else if nextFlap <= elapsed {
                flap()
                nextFlap = elapsed + random.seconds(upTo: 20_000) * 1_000_000
            } else if tick <= elapsed {
                deliver([.tick])
            } else if nextChaos <= elapsed {
                chaos()
                nextChaos = elapsed + random.seconds(upTo: 60_000) * 1_000_000
            }
        }
        if checker.faults.isEmpty { calmDown() }
        if checker.faults.isEmpty { checker.finish(store, now: now) }
        if let fault = desk.finish(store) { checker.fail(fault, job: "") }
        if let fault = mailbox.finish(store, isCalm: checker.faults.isEmpty) { checker.fail(fault, job: "") }
        return checker.faults.isEmpty
    }

    /// Nothing disturbs any more: what is due is decided, what runs ends.
    private func calmDown() {
        if scheduler == nil { start() }
        if !(scheduler?.isEnabled ?? true) { deliver([.schedulerToggled(true)], canCrash: false) }
        let end = elapsed + 7_200_000_000
        while elapsed < end, checker.faults.isEmpty {
            let tick = armed.map { elapsed + max(0, $0.microseconds - now.microseconds) } ?? .max
            let exit = processes.map(\.endsAt).min() ?? .max
            let word = answers.map(\.at).min() ?? .max
            elapsed = max(elapsed, min(tick, exit, word, end))
            if exit <= elapsed {
                endProcess()
            } else if word <= elapsed {
                answer()
            } else if tick <= elapsed {
                deliver([.tick], canCrash: false)
            }
        }
        guard let scheduler else { return }
        for name in scheduler.jobNames {
            guard let view = scheduler.job(named: name), view.isEnabled, !view.isFinished,
                let fire = checker.next(after: view.state.decidedThrough, view.job), fire + .seconds(900) < now
            else { continue }
            checker.fail("\(name) leaves \(fire.rfc3339(in: .utc)) undecided", job: name)
        }
        if idleTickCount > 500 + tickCount / 4 {
            checker.fail("\(idleTickCount) of \(tickCount) wake-ups decided nothing", job: "")
        }
    }

    // MARK: - The daemon

    /// Starts a daemon with what the store and config.json hold; or builds a scheduler anew beside what lives.
    func start(_ origin: Situation.Origin = .start) {
        let stored = store.load()
        let registrations = Dictionary(uniqueKeysWithValues: stored.jobs.map { ($0.job, $0) })
        for index in config.indices { config[index] = reread(config[index], registrations) }
        let busJobs = stored.definitions.compactMap { catalog[$0.json] }.map { reread($0, registrations) }
        let taken = Set(config.map(\.name))
        let jobs = config + busJobs.filter { !taken.contains($0.name) }
        let unscheduled = stored.activeRuns.compactMap { run in
            run.definition.flatMap { catalog[$0] }.map { (run.id, $0) }
        }
        let states = Dictionary(uniqueKeysWithValues: stored.jobs.map { ($0.job, $0) })
        coreCount += 1
        // As the reader of the configuration does: a schedule that did not change keeps its registration.
        let scheduler = Scheduler(
            jobs: jobs, unscheduled: Dictionary(uniqueKeysWithValues: unscheduled), stored: stored, settings: settings,
            isEnabled: configEnabled, register: store, seed: seed &+ UInt64(coreCount), now: now)
        self.scheduler = scheduler
        if origin == .start {
            daemonCount += 1
            daemonStartedAt = elapsed
            desk.returnAll()
        }
        mailbox.begin()
        overdueSince = [:]
        (told, watch, answers) = (Surroundings(), Watch(), [])
        // A new scheduler states all that it wants.
        (awake, wakeUp) = (["nobody"], .epoch)
        recentLaunches = []
        note("daemon starts, \(origin)")
        for name in checker.grids.keys.sorted() where !jobs.contains(where: { $0.name == name }) {
            checker.remove(name, now: now, lostSince: states[name]?.decidedThrough)
        }
        for job in jobs {
            let state = states[job.name]
            let isFinished = job.maxExecutions.map { (state?.executions ?? 0) >= $0 } ?? false
            checker.define(
                job, isEnabled: state?.isEnabledOverride ?? job.isEnabled, isFinished: isFinished, store, now: now,
                lostSince: state?.decidedThrough)
        }
        checker.restore(stored.activeRuns)
        let running = stored.activeRuns.filter { $0.status == .running }
        // Some have ended in the meantime, and their supervisors have kept how.
        let isOver = processes.map { $0.endsAt <= elapsed && random.chance(2) }
        let over = zip(processes, isOver).filter(\.1).map(\.0)
        processes = zip(processes, isOver).filter { !$0.1 }.map(\.0)
        var ended: [String: AttemptOutcome] = [:]
        for process in over {
            let end = Instant(microseconds: min(process.endsAt, elapsed) + offset)
            ended[process.launch.run.id] = process.outcome(endedAt: end, &random)
        }
        let startedAt = Instant(microseconds: daemonStartedAt + offset)
        var situation = Situation(origin: origin, bootID: "boot-\(boot)", processStartedAt: startedAt)
        situation.isAsleep = isAsleep
        situation.evidence = remains.merging(ended.mapValues { .ended($0) }) { _, new in new }
        for process in processes { situation.evidence[process.launch.run.id] = .held }
        // What nobody asks for any more is swept.
        let ids = Set(running.map(\.id))
        situation.evidence = situation.evidence.filter { ids.contains($0.key) }
        remains = situation.evidence.filter { $0.value != .held }
        for run in running
        where run.bootID == situation.bootID && run.ending == nil && situation.evidence[run.id] == .notBegun {
            checker.expectAgain(run)
        }
        deliver([.started(situation)], canCrash: !random.chance(3)) { [self] _ in
            for process in over {
                guard let outcome = ended[process.launch.run.id] else { continue }
                checker.observe(outcome, of: process.launch, now: now)
            }
            for run in running {
                let found = situation.evidence[run.id] ?? .gone
                checker.observe(
                    found, of: run, isThisBoot: run.bootID == situation.bootID, became: store.runs[run.id])
                remains[run.id] = nil
            }
        }
    }

    /// As the reader of the configuration does: a schedule that did not change keeps its registration, as it is on
    /// record.
    private func reread(_ job: Job, _ registrations: [String: JobState]) -> Job {
        guard let known = registrations[job.name], known.scheduleKey == job.scheduleKey,
            known.registeredAt != job.registeredAt
        else { return job }
        return registered(job, at: known.registeredAt)
    }

    private func registered(_ job: Job, at instant: Instant) -> Job {
        var job = job
        job.registeredAt = instant
        for index in job.schedules.indices {
            let old = job.schedules[index].timetable
            guard
                let new = try? Timetable(
                    schedule: old.schedule, zone: old.zone, dst: old.dst, anchor: instant, startAt: old.startAt,
                    endAt: old.endAt)
            else { continue }
            job.schedules[index].timetable = new
        }
        return job
    }

    /// After a clock that was ahead was put right, jobs may count from another instant.
    private func noteRegistrations(_ scheduler: Scheduler) {
        for name in checker.grids.keys.sorted() {
            guard let grid = checker.grids[name], let state = store.states[name],
                state.scheduleKey == grid.job.scheduleKey, state.registeredAt != grid.job.registeredAt
            else { continue }
            let job = registered(grid.job, at: state.registeredAt)
            if state.registeredAt > now { checker.fail("\(name) counts from the future", job: name) }
            if scheduler.job(named: name)?.job != job { checker.fail("\(name) is not what is read", job: name) }
            checker.registerAnew(job, now: now)
            if let index = config.firstIndex(where: { $0.name == name }) { config[index] = job }
        }
    }

    /// Events of one turn of the loop: one transaction, then what it makes visible, in the order of `Effect`.
    ///
    /// - Parameter committed: called when the transaction is there, before anything can crash.
    /// - Returns: whether the daemon is still there.
    @discardableResult
    func deliver(_ events: [Event], canCrash: Bool = true, committed: (Scheduler) -> Void = { _ in }) -> Bool {
        guard let scheduler else { return false }
        let wasFiring = scheduler.isEnabled && !isAsleep
        var box: [[Effect]] = [[], [], [], [], [], [], [], [], []]
        var changes: [StoreChange] = []
        let expected = expectedRuns(scheduler, events)
        for event in events {
            eventCount += 1
            note("\(event.word)")
            if case .jobUpserted(let job, _, _) = event { checker.incoming[job.name] = job }
            if case .configurationChanged(let jobs, _, _, _) = event {
                for job in jobs { checker.incoming[job.name] = job }
            }
            switch event {
            case .wake: isAsleep = false
            case .sleep:
                isAsleep = true
                told.answered = []
            case .surroundingsChanged(let known): told = known
            case .conditionChecked(let run, let holds): commandAnswers[run] = holds ?? true
            default: break
            }
            for effect in scheduler.handle(event, at: now) {
                if case .commit(let some) = effect { changes += some } else { box[effect.rank].append(effect) }
            }
        }
        checkExpected(expected, started: box[2], scheduler)
        if case .tick = events[0] {
            tickCount += 1
            // To ask a condition's command is a decision, too.
            let isIdle = box.joined().allSatisfy { if case .arm = $0 { true } else { false } }
            if changes.isEmpty, isIdle { idleTickCount += 1 }
        }
        // A run that a later event of this turn ends has to start first.
        let starting = Set(box[2].compactMap { if case .start(let launch) = $0 { launch.run.id } else { nil } })
        func isLate(_ effect: Effect) -> Bool {
            if case .stop(let run, _) = effect { starting.contains(run) } else { false }
        }
        box[2] += box[1].filter(isLate)
        box[1].removeAll(where: isLate)
        let effects = box.joined()
        var crashAt = canCrash && random.chance(300) ? random.below(effects.count + 2) : .max
        if crashAt == 0 {
            checker.incoming = [:]
            if random.chance(2) { crash("before the commit") } else { outage("before the commit") }
            return false
        }
        // The commit came back after its sync had failed: nothing of the turn is performed.
        let isOutage = crashAt == 1 && random.chance(2)
        if !changes.isEmpty {
            checker.hasUncommitted = events.count > 1 || changes.contains { if case .run = $0 { true } else { false } }
            noteWaits(changes)
            checker.observe(changes, store, wasFiring: wasFiring || scheduler.isEnabled && !isAsleep, now: now)
            for change in changes { note("  \(change.word)") }
            let target = scheduler.settings.messages.first?.target
            if let fault = mailbox.observe(changes, store, target: target, isAlwaysTold: { !hasOwnRules.contains($0) })
            {
                checker.fail(fault, job: "")
            }
            if let fault = punctuality.observe(
                changes, store, checker, isFiring: wasFiring || scheduler.isEnabled && !isAsleep, now: now)
            {
                checker.fail(fault.text, job: fault.job)
            }
            let fault =
                Delays.observe(changes, store, checker) ?? Delays.removal(changes, events, store, checker, now)
            if let fault { checker.fail(fault.text, job: fault.job) }
            if let fault = store.commit(changes) { checker.fail("the store refuses: \(fault)", job: "") }
            scheduler.didCommit()
            // What was finished may have removed itself.
            for case .removeDefinition(let name) in changes where scheduler.job(named: name) == nil {
                checker.remove(name, now: now)
            }
        }
        committed(scheduler)
        if events.contains(where: {
            if case .started = $0 { true } else if case .clockChanged = $0 { true } else { false }
        }) {
            noteRegistrations(scheduler)
        }
        for effect in effects {
            crashAt -= 1
            guard crashAt > 0 else {
                lose(effect)
                continue
            }
            perform(effect)
        }
        checker.incoming = [:]
        if crashAt <= 0 {
            if isOutage { outage("after the commit") } else { crash("after the commit") }
            return false
        }
        checkQueries(scheduler)
        checkWaits(scheduler)
        checkMachine(scheduler)
        return true
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .commit: break
        case .stop(let run, let grace):
            guard let index = processes.firstIndex(where: { $0.launch.run.id == run }) else { return }
            processes[index].isToldToEnd = true
            let limit = elapsed + Int64(random.below(Int(grace.components.seconds) * 1_000_000 + 1))
            guard processes[index].endsAt > limit else { return }
            processes[index].endsAt = limit
            processes[index].ending = .signaled(15)
            processes[index].isTimedOut = false
            processes[index].isCancelled = true
        case .start(let launch): begin(launch)
        case .answer(let run, let attempt, let question, let line):
            people.hear(line, of: run, attempt, question).map { checker.fail($0, job: "") }
        case .check(let run, _, _):
            commandAnswers[run] = nil
            awaitAnswer(.conditionChecked(run: run, holds: random.pick([true, true, false, false, nil])))
        case .poll(let subject, _, _):
            let answer = random.pick([
                PollAnswer.nothing, .nothing, .found(output: "1"), .found(output: "2"), .failed("exited with 3"),
            ])
            awaitAnswer(.polled(subject, answer))
        case .machine(.watch(let watch)):
            self.watch = watch
            told.answered.formIntersection(watch.facts)
            awaitAnswer(nil)
        case .machine(.holdAwake(let runs)): awake = Set(runs.map(\.run))
        case .machine(.armWakeUp(let instant)): wakeUp = instant
        case .machine(.sleepAgain):
            if isAsleep || !processes.isEmpty { checker.fail("the machine is sent to sleep while it is busy", job: "") }
        case .arm(let instant):
            armed = instant
            if let instant, instant <= now {
                checker.fail("armed for \(instant.rfc3339(in: .utc)), which has passed", job: "")
            }
        case .announce(let announcement):
            note("  \(announcement.word)")
            checker.observe(announcement)
        case .send(let message): receive(message)
        case .withdraw: break
        case .reply(let ticket, let reply):
            if replies.updateValue(reply, forKey: ticket) != nil { checker.fail("two replies to \(ticket)", job: "") }
            if let fault = desk.hear(reply, ticket, now: now) { checker.fail(fault, job: "") }
        }
    }

    private func lose(_ effect: Effect) {
        switch effect {
        case .start(let launch):
            checker.excuse(launch)
            // Its folder was made before the commit.
            remains[launch.run.id] = random.chance(10) ? .gone : .notBegun
        case .announce(let announcement): checker.excuse(announcement)
        default: break
        }
    }

    private func begin(_ launch: Launch) {
        if isAsleep { checker.fail("\(launch.run.id) starts while the machine sleeps", job: launch.run.job) }
        checker.observe(launch, active: processes.map(\.launch), settings: settings, now: now)
        if let rate = settings.launchesPerMinute {
            recentLaunches.removeAll { $0 <= elapsed - 60_000_000 }
            if recentLaunches.count >= rate, !launch.run.isForced {
                checker.fail("\(launch.run.id) is one more start than \(rate) a minute", job: launch.run.job)
            }
            recentLaunches.append(elapsed)
        }
        checkConditions(of: launch)
        checkGroup(of: launch)
        let timeout = launch.job.timeout.components.seconds
        // Some hang until they are timed out.
        let length = random.chance(30) ? timeout + 1 : random.seconds(upTo: random.chance(10) ? 20_000 : 300)
        let ending =
            random.pick([.exited(0), .exited(0), .exited(0), .exited(1), .exited(75), .signaled(9)])
            as AttemptOutcome.Ending
        let isTimedOut = length > timeout
        processes.append(
            Process(
                launch: launch, startedAt: now,
                endsAt: elapsed + min(length, timeout) * 1_000_000 - Int64(random.below(999_999)),
                ending: isTimedOut ? .signaled(15) : ending, isTimedOut: isTimedOut, hasBegun: !random.chance(4),
                daemon: daemonCount))
    }

    private func endProcess() {
        guard let index = processes.indices.min(by: { processes[$0].endsAt < processes[$1].endsAt }) else { return }
        guard scheduler != nil else {
            // Nobody is there to hear of it yet.
            processes[index].endsAt = elapsed + 60_000_000
            return
        }
        _ = finish(processes.remove(at: index))
    }

    /// The daemon hears of the end of a process.
    func finish(_ process: Process) -> Bool {
        let outcome = process.outcome(endedAt: now, &random)
        let (run, attempt) = (process.launch.run.id, process.launch.run.attempt)
        // Forgotten only when the end is on record.
        remains[run] = .ended(outcome)
        return deliver([.attemptEnded(run: run, attempt: attempt, outcome)]) { [self] _ in
            remains[run] = nil
            checker.observe(outcome, of: process.launch, now: now)
        }
    }

    func crash(_ when: String) {
        note("daemon is killed \(when)")
        scheduler = nil
        armed = nil
        isAsleep = false
        if random.chance(2) { killProcesses() }
        if random.chance(3) {
            killProcesses()
            boot += 1
        }
        // The service manager starts it again, soon or after a long while.
        pass(seconds: random.chance(3) ? random.seconds(upTo: 2_000_000) : Int64(random.below(30)))
        start()
    }

    /// Supervisors are killed, too; now and then somebody removes their folders.
    private func killProcesses() {
        for process in processes {
            let isLost = random.chance(8)
            remains[process.launch.run.id] = isLost ? .gone : process.hasBegun ? .begun : .notBegun
        }
        processes = []
    }

    /// The store could not be written: the scheduler is built anew beside what lives.
    func outage(_ when: String) {
        note("the store fails \(when)")
        scheduler = nil
        armed = nil
        pass(seconds: random.chance(4) ? random.seconds(upTo: 100_000) : Int64(random.below(30)))
        start(.rebuild)
        // A sleep that was not recorded ends, too.
        if isAsleep, scheduler != nil { deliver([.wake]) }
    }

    /// Time in which nothing of the daemon runs.
    func pass(seconds: Int64) {
        elapsed += seconds * 1_000_000
    }

    // MARK: - Queries

    /// Whether a fire time was decided before the clock was set back.
    private func isDecidedBefore(_ fire: Instant, _ view: Scheduler.JobView) -> Bool {
        guard let reopened = view.state.reopenedThrough, fire <= reopened else { return false }
        // What was only missed comes after all.
        if case .kept(let run)? = store.earlierRun(job: view.job.name, scheduledFor: fire) {
            return run.status != .missed || run.coveredCount > 1
        }
        let isRhythm = view.job.schedules.contains {
            $0.timetable.schedule.keepsRhythm && $0.timetable.contains(fire)
        }
        return !isRhythm && store.spans(ofJob: view.job.name, over: fire).contains(where: view.job.names)
    }

    private func checkQueries(_ scheduler: Scheduler) {
        guard random.chance(16) else { return }
        var earliest: Instant?
        for name in scheduler.jobNames {
            guard let view = scheduler.job(named: name) else { continue }
            var expected =
                view.isEnabled && !view.isFinished ? checker.next(after: view.state.decidedThrough, view.job) : nil
            var known = 0
            for _ in 0..<Scheduler.Limits.individualFireTimes {
                if let fire = expected, known < Scheduler.Limits.recordsPassedOver, isDecidedBefore(fire, view) {
                    known += 1
                    expected = checker.next(after: fire, view.job)
                    continue
                }
                guard let fire = expected,
                    view.job.exclusions.contains(where: { $0.contains(fire) })
                        || view.state.skippedFireTime == fire || view.state.claimed.contains(fire)
                else { break }
                expected = checker.next(after: fire, view.job)
            }
            // Of a long row of excluded fire times the one at the bound is named.
            if let fire = expected, view.job.exclusions.contains(where: { $0.contains(fire) }) {
                expected = view.nextRun
            }
            // The same holds for a long row of those that have records.
            if let named = view.nextRun, isDecidedBefore(named, view) { expected = named }
            if view.job.countsFromEnd {
                if let fault = Delays.fault(view, isEnabled: scheduler.isEnabled) { checker.fail(fault, job: name) }
                expected = view.nextRun
            }
            if !scheduler.isEnabled { expected = nil }
            // What is beyond the budget of its day is passed over.
            let isBudgeted = !view.job.budget.isUnlimited || !settings.budget.isUnlimited
            let isPassedOver = isBudgeted && expected != nil && view.nextRun ?? .horizon > expected ?? .horizon
            if view.nextRun != expected, !isPassedOver {
                let (found, wanted) = (view.nextRun?.rfc3339(in: .utc) ?? "none", expected?.rfc3339(in: .utc) ?? "none")
                checker.fail("next_run of \(name) is \(found), not \(wanted)", job: name)
            }
            if isPassedOver { expected = view.nextRun }
            if let expected { earliest = min(earliest ?? expected, expected) }
            if scheduler.status == .running, let fault = Punctuality.untold(view, now: now) {
                checker.fail(fault, job: name)
            }
        }
        if scheduler.nextRun?.at != earliest {
            let (found, wanted) = (
                scheduler.nextRun?.at.rfc3339(in: .utc) ?? "none", earliest?.rfc3339(in: .utc) ?? "none"
            )
            checker.fail("the next run of all is \(found), not \(wanted)", job: scheduler.nextRun?.job ?? "")
        }
    }
}
