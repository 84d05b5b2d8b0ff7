import Schedules
import Scheduling
import StoreModel
import Testing

/// A scheduler in a world of its own: a clock that only the test moves, a store in memory, and processes that end when
/// the test says so.
final class Rig {
    private(set) var now: Instant
    let store = ModelStore()
    private(set) var scheduler: Scheduler
    private(set) var armed: Instant?
    /// Attempts whose start was asked for, in order.
    private(set) var launches: [Launch] = []
    private(set) var stops: [String] = []
    private(set) var announcements: [Announcement] = []
    /// What is watched now, and how often that was said.
    private(set) var watch = Watch()
    private(set) var watches = 0
    /// Runs whose condition commands were to be run, in order.
    private(set) var checks: [String] = []
    private(set) var answers: [String] = []
    /// Whose polls and prechecks were to be asked, in order.
    private(set) var polls: [PollSubject] = []
    private(set) var awake: [String] = []
    private(set) var wakeUp: Instant?
    private(set) var naps: [Instant] = []
    private(set) var replies: [Ticket: Reply] = [:]
    /// What was to be sent, in order.
    private(set) var sendings: [Message] = []
    /// Runs that what asks for them was taken away of, in order.
    private(set) var withdrawals: [String] = []
    /// How often the loop woke up for the timer.
    private(set) var ticks = 0
    private var jobs: [Job]
    private var settings: SchedulerSettings
    private var lastTicket = 0
    private var bootID: String
    private var processStartedAt = dayZero
    private var seed: UInt64 = 1

    convenience init(
        _ jobs: [Job], at now: String = "00:00", isEnabled: Bool = true, bootID: String = "boot-1",
        with change: (inout SchedulerSettings) -> Void = { _ in }
    ) {
        self.init(jobs, at: at(now), isEnabled: isEnabled, bootID: bootID, with: change)
    }

    init(
        _ jobs: [Job], at now: Instant, isEnabled: Bool = true, bootID: String = "boot-1",
        with change: (inout SchedulerSettings) -> Void = { _ in }
    ) {
        self.now = now
        self.jobs = jobs
        self.bootID = bootID
        var settings = SchedulerSettings()
        settings.isCleanupEnabled = false
        change(&settings)
        self.settings = settings
        scheduler = Scheduler(
            jobs: jobs, stored: store.load(), settings: settings, isEnabled: isEnabled, register: store, seed: 1,
            now: now)
        processStartedAt = now
        begin(Situation(origin: .start, bootID: bootID, processStartedAt: processStartedAt))
    }

    // MARK: - Events

    @discardableResult
    func send(_ event: Event) -> [Effect] {
        let effects = scheduler.handle(event, at: now)
        expectOrder(effects)
        for effect in effects { perform(effect) }
        if !store.violations.isEmpty { Issue.record("\(store.violations)") }
        return effects
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .commit(let changes):
            store.commit(changes)
            scheduler.didCommit()
        case .stop(let run, _): stops.append(run)
        case .start(let launch): launches.append(launch)
        case .answer(let run, _, let question, let line): answers.append("\(run) \(question) \(line.json)")
        case .check(let run, _, _): checks.append(run)
        case .poll(let subject, _, _): polls.append(subject)
        case .machine(.watch(let watch)):
            self.watch = watch
            watches += 1
        case .machine(.holdAwake(let runs)): awake = runs.map(\.run)
        case .machine(.armWakeUp(let instant)): wakeUp = instant
        case .machine(.sleepAgain(let since)): naps.append(since)
        case .arm(let instant): armed = instant
        case .announce(let announcement): announcements.append(announcement)
        case .send(let message):
            if store.post.messages[message.id]?.state != .waiting {
                Issue.record("sent, and not on record: \(message)")
            }
            sendings.append(message)
        case .withdraw(let run): withdrawals.append(run)
        case .reply(let ticket, let reply): replies[ticket] = reply
        }
    }

    /// Commit, stop, start, answer, what is watched, what is wanted of the machine, arm, announce, send, withdraw,
    /// reply.
    private func expectOrder(_ effects: [Effect]) {
        let places = effects.map { effect in
            switch effect {
            case .commit: 0
            case .stop: 1
            case .start: 2
            case .answer: 3
            case .check, .poll: 4
            case .machine(.watch): 5
            case .machine(.holdAwake): 6
            case .machine(.armWakeUp): 7
            case .machine(.sleepAgain): 8
            case .arm: 9
            case .announce: 10
            case .send, .withdraw: 11
            case .reply: 12
            }
        }
        #expect(places == places.sorted(), "effects out of order: \(effects)")
        #expect(places.count { $0 == 0 } <= 1 && places.count { $0 == 9 } <= 1)
    }

    /// Events of one turn of the loop: one transaction for all of them.
    func sendTogether(_ events: [Event]) {
        let effects = events.flatMap { scheduler.handle($0, at: now) }
        var changes: [StoreChange] = []
        for case .commit(let some) in effects { changes += some }
        store.commit(changes)
        scheduler.didCommit()
        for effect in effects { if case .commit = effect {} else { perform(effect) } }
        if !store.violations.isEmpty { Issue.record("\(store.violations)") }
    }

    /// Lets time pass, with a tick at each instant that was armed.
    func advance(to time: String) { advance(to: at(time)) }

    func advance(to instant: Instant) {
        while let next = armed, next <= instant {
            now = max(now, next)
            ticks += 1
            send(.tick)
        }
        now = max(now, instant)
    }

    /// The process of a run ends now.
    func end(
        _ run: String, _ ending: AttemptOutcome.Ending = .exited(0), isTimedOut: Bool = false,
        with change: (inout AttemptOutcome) -> Void = { _ in }
    ) {
        guard let launch = launches.last(where: { $0.run.id == run }) else {
            Issue.record("\(run) was never started")
            return
        }
        var outcome = AttemptOutcome(ending: ending, startedAt: launch.run.startedAt ?? now, endedAt: now)
        outcome.isTimedOut = isTimedOut
        change(&outcome)
        send(.attemptEnded(run: run, attempt: launch.run.attempt, outcome))
    }

    func request(_ job: String, _ change: (inout RunRequest) -> Void = { _ in }) -> Reply? {
        var request = RunRequest(job: job)
        change(&request)
        return ask { .runRequested(request, ticket: $0) }
    }

    func ask(_ event: (Ticket) -> Event) -> Reply? {
        lastTicket += 1
        send(event(lastTicket))
        return replies[lastTicket]
    }

    /// What is watched is looked at, and this is found.
    func tell(_ known: (inout Surroundings) -> Void) {
        var surroundings = Surroundings(unknown: watch)
        known(&surroundings)
        send(.surroundingsChanged(surroundings))
    }

    /// The configuration has these jobs now.
    func reload(_ jobs: [Job]) {
        self.jobs = jobs
        send(.configurationChanged(jobs: jobs, retained: [], settings: settings, isEnabled: true))
    }

    /// The machine sleeps from now to then; nothing is heard meanwhile.
    func sleep(to time: String) {
        send(.sleep)
        now = at(time)
        send(.wake)
    }

    /// The clock is set, by so much.
    func stepClock(by step: Duration) {
        now = now + step
        send(.clockChanged(by: step))
    }

    /// The daemon is killed, and another one starts at `time` with what the store holds.
    ///
    /// - Parameter evidence: of the runs that are on record as running; of the others nothing is left.
    func restart(
        at time: String, jobs: [Job]? = nil, unscheduled: [Job] = [], evidence: [String: AttemptEvidence] = [:],
        bootID: String? = nil, isEnabled: Bool = true, origin: Situation.Origin = .start,
        with change: (inout Situation) -> Void = { _ in }
    ) {
        self.jobs = jobs ?? self.jobs
        self.bootID = bootID ?? self.bootID
        now = at(time)
        seed += 1
        armed = nil
        (watch, awake, wakeUp) = (Watch(), [], nil)
        let stored = store.load()
        let byText = Dictionary(unscheduled.map { ($0.definition, $0) }, uniquingKeysWith: { first, _ in first })
        let definitions = stored.activeRuns.compactMap { run in
            run.definition.flatMap { byText[$0] }.map { (run.id, $0) }
        }
        scheduler = Scheduler(
            jobs: self.jobs, unscheduled: Dictionary(uniqueKeysWithValues: definitions), stored: stored,
            settings: settings, isEnabled: isEnabled, register: store, seed: seed, now: now)
        var situation = Situation(origin: origin, bootID: self.bootID, processStartedAt: now)
        situation.evidence = evidence
        change(&situation)
        processStartedAt = situation.processStartedAt
        begin(situation)
    }

    private func begin(_ situation: Situation) {
        let effects = send(.started(situation))
        expectAllStated(effects)
        // What a scheduler states at its start no run has asked for.
        watches = 0
    }

    /// Nothing that an earlier scheduler wanted stays.
    private func expectAllStated(_ effects: [Effect]) {
        func count(_ isMeant: (Effect) -> Bool) -> Int { effects.count(where: isMeant) }
        #expect(count { if case .machine(.watch) = $0 { true } else { false } } == 1)
        #expect(count { if case .machine(.holdAwake) = $0 { true } else { false } } == 1)
        #expect(count { if case .machine(.armWakeUp) = $0 { true } else { false } } == 1)
        #expect(count { if case .arm = $0 { true } else { false } } == 1)
    }

    /// Drops what the scheduler decided since the last commit, as a store that cannot be written does, and builds
    /// another one beside what runs.
    func rebuild(
        at time: String, evidence: [String: AttemptEvidence] = [:], with change: (inout Situation) -> Void = { _ in }
    ) {
        let start = processStartedAt
        restart(at: time, evidence: evidence, origin: .rebuild) {
            $0.processStartedAt = start
            change(&$0)
        }
    }

    // MARK: - What happened

    /// `job@time trigger`, of each launch, in order.
    var started: [String] { launches.map { "\($0.run.id) \($0.run.trigger.rawValue)" } }

    func run(_ id: String) -> Run? { store.runs[id] }

    func status(_ id: String) -> Run.Status? { store.runs[id]?.status }

    /// `time status reason count` of each record of a job, by fire time.
    func ledger(_ job: String) -> [String] {
        store.order.compactMap { store.runs[$0] }.filter { $0.job == job && $0.scheduledFor != nil }
            .sorted { $0.scheduledFor ?? now < $1.scheduledFor ?? now }
            .map { run in
                let words = [
                    run.scheduledFor.map(time) ?? "", run.trigger == .catchUp ? "catch_up" : "", run.status.rawValue,
                    run.reason?.rawValue ?? "", run.coveredCount == 1 ? "" : "×\(run.coveredCount)",
                ]
                return words.filter { !$0.isEmpty }.joined(separator: " ")
            }
    }

    /// The announcements of one run, as words.
    func story(_ id: String) -> [String] {
        announcements.compactMap { announcement in
            switch announcement {
            case .jobStarted(let run) where run.id == id: "started"
            case .jobCompleted(let run) where run.id == id: "completed"
            case .jobFailed(let run) where run.id == id: "failed: \(run.error ?? "")"
            case .jobRetrying(let run, let next, let delay) where run.id == id: "retry \(next) in \(delay)"
            case .jobMissed(let run) where run.id == id: "missed: \(run.reason?.rawValue ?? "")"
            default: nil
            }
        }
    }
}

// MARK: - Short words for tests

/// 2026-01-05, a Monday, 00:00 UTC.
let dayZero = Instant(seconds: 1_767_571_200)

/// `HH:MM`, `HH:MM:SS`, with `+N ` in front for N days later, `-N ` for earlier.
func at(_ text: String) -> Instant {
    var day: Int64 = 0
    var rest = text[...]
    if let blank = rest.firstIndex(of: " ") {
        day = Int64(rest[..<blank]) ?? 0
        rest = rest[rest.index(after: blank)...]
    }
    let parts = rest.split(separator: ":").map { Int64($0) ?? 0 }
    let seconds = parts.reduce(0) { $0 * 60 + $1 } * (parts.count == 2 ? 60 : 1)
    return Instant(seconds: dayZero.seconds + day * 86_400 + seconds)
}

func time(_ instant: Instant) -> String {
    let offset = instant.seconds - dayZero.seconds
    let day = offset >= 0 ? offset / 86_400 : (offset - 86_399) / 86_400
    let second = offset - day * 86_400
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let clock = "\(two(second / 3600)):\(two(second / 60 % 60))" + (second % 60 == 0 ? "" : ":\(two(second % 60))")
    return day == 0 ? clock : "+\(day) \(clock)"
}

/// The id of a run of `job` at a time.
func id(_ job: String, _ text: String, _ suffix: String = "") -> String {
    let local = TimeZoneRules.utc.localDateTime(at: at(text))
    func pad(_ value: Int, _ width: Int) -> String {
        String(repeating: "0", count: width - String(value).count) + String(value)
    }
    return "cron-\(job)-\(pad(local.year, 4))\(pad(local.month, 2))\(pad(local.day, 2))-\(pad(local.hour, 2))"
        + "\(pad(local.minute, 2))\(pad(local.second, 2))\(suffix)"
}

/// A job with cron expressions in UTC.
func job(_ name: String, _ crons: String..., registered: String = "00:00", with change: (inout Job) -> Void = { _ in })
    -> Job
{
    var job = Job(name: name, registeredAt: at(registered), zone: .utc, action: .command(["/bin/true"]))
    do {
        job.schedules = try crons.map { text in
            let schedule = try Schedule.cron(text)
            return JobSchedule(
                type: "cron", text: text,
                timetable: try Timetable(schedule: schedule, zone: .utc, anchor: job.registeredAt))
        }
    } catch {
        Issue.record("\(error)")
    }
    job.scheduleKey = crons.joined(separator: "|")
    change(&job)
    return job
}

/// The same, first seen at an instant.
func job(_ name: String, _ crons: String..., registeredAt: Instant) -> Job {
    var result = job(name)
    result.registeredAt = registeredAt
    do {
        result.schedules = try crons.map { text in
            let timetable = try Timetable(schedule: try Schedule.cron(text), zone: .utc, anchor: registeredAt)
            return JobSchedule(type: "cron", text: text, timetable: timetable)
        }
    } catch {
        Issue.record("\(error)")
    }
    result.scheduleKey = crons.joined(separator: "|")
    return result
}

/// A job with an interval, which counts from its registration.
func intervalJob(
    _ name: String, _ text: String, registeredAt: Instant = dayZero, with change: (inout Job) -> Void = { _ in }
) -> Job {
    var result = job(name, registeredAt: registeredAt)
    do {
        let timetable = try Timetable(schedule: try Schedule.interval(text), zone: .utc, anchor: registeredAt)
        result.schedules = [JobSchedule(type: "interval", text: text, timetable: timetable)]
    } catch {
        Issue.record("\(error)")
    }
    result.scheduleKey = "interval \(text)"
    change(&result)
    return result
}

/// A job with an instant that is named by its registration.
func relativeJob(_ name: String, _ text: String, registeredAt: Instant) -> Job {
    var result = job(name, registeredAt: registeredAt)
    do {
        let schedule = try Schedule.once(text, registeredAt: registeredAt, zone: .utc, allowPast: false)
        let timetable = try Timetable(schedule: schedule, zone: .utc, anchor: registeredAt)
        result.schedules = [JobSchedule(type: "once", text: text, timetable: timetable)]
    } catch {
        Issue.record("\(error)")
    }
    result.scheduleKey = "once \(text) from \(registeredAt.seconds)"
    return result
}

/// A job with one instant.
func onceJob(_ name: String, _ text: String, registered: String = "00:00", with change: (inout Job) -> Void = { _ in })
    -> Job
{
    var result = job(name, registered: registered)
    do {
        let schedule = try Schedule.once(
            at(text).rfc3339(in: .utc), registeredAt: at(registered), zone: .utc, allowPast: true)
        result.schedules = [
            JobSchedule(
                type: "once", text: text,
                timetable: try Timetable(schedule: schedule, zone: .utc, anchor: at(registered)))
        ]
    } catch {
        Issue.record("\(error)")
    }
    result.scheduleKey = "once \(text)"
    change(&result)
    return result
}

func retry(_ attempts: Int, _ delay: Duration = .seconds(60), with change: (inout RetryPolicy) -> Void = { _ in })
    -> RetryPolicy
{
    var policy = RetryPolicy()
    policy.maxAttempts = attempts
    policy.delay = delay
    change(&policy)
    return policy
}

/// Central European time for all years, as a zone file that holds no more than the rule.
let parisRules: TimeZoneRules? = {
    var file = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
    // Counts of version 1: none but one type and its abbreviation, and the same for version 2.
    let counts: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4]
    let type: [UInt8] = [0, 0, 0x0E, 0x10, 0, 0] + Array("CET\0".utf8)
    file += counts + type
    file += Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + counts + type
    file += Array("\nCET-1CEST,M3.5.0,M10.5.0/3\n".utf8)
    return try? TimeZoneRules(name: "Europe/Paris", tzif: file)
}()
