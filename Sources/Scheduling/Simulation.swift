public import Schedules

/// What a configuration would do over a stretch of time: the core itself, run without a daemon.
///
/// ```swift
/// let night = Simulation.Sleep(from: elevenPM, until: sevenAM)
/// for outcome in Simulation(jobs: jobs, settings: settings).run(from: now, to: nextWeek, asleep: [night]) {
///     print(outcome.at, outcome.job, outcome.fate)       // … run, catch-up for 8, missed: asleep
/// }
/// ```
///
/// Sharp edges: every run succeeds after `runLength`, and all conditions hold; nobody toggles, asks or cancels; nothing
/// is remembered of what the jobs did before `from`.
public struct Simulation: Sendable {
    public var jobs: [Job]
    public var settings: SchedulerSettings
    public var isEnabled: Bool
    /// How long each run takes.
    public var runLength: Duration = .zero

    public init(jobs: [Job], settings: SchedulerSettings, isEnabled: Bool = true) {
        self.jobs = jobs
        self.settings = settings
        self.isEnabled = isEnabled
    }

    /// A stretch in which the machine sleeps.
    public struct Sleep: Sendable, Equatable {
        public var from: Instant
        public var until: Instant

        public init(from: Instant, until: Instant) {
            self.from = from
            self.until = until
        }
    }

    /// What becomes of a fire time, or of several.
    public struct Outcome: Sendable, Equatable {
        public enum Fate: Sendable, Equatable {
            /// It starts at `at`, on time or late within its grace time.
            case run
            /// It starts at `at`, for so many fire times that had passed.
            case catchUp(covering: Int)
            /// It is not run; the record says so at `at`, for so many fire times.
            case missed(Run.Reason, covering: Int)
        }

        public var job: String
        /// The newest of the fire times that it is about; nil for a chained run or one at boot.
        public var fireTime: Instant?
        public var at: Instant
        public var fate: Fate
    }

    /// What happens from an instant to another, both inclusive, in the order in which it does.
    ///
    /// - Parameter asleep: ascending, and not overlapping.
    public func run(from: Instant, to: Instant, asleep: [Sleep] = []) -> [Outcome] {
        var stored = StoredState()
        stored.jobs = jobs.map { job in
            JobState(
                job: job.name, scheduleKey: job.scheduleKey, registeredAt: min(job.registeredAt, from),
                decidedThrough: from - .microseconds(1))
        }
        var settings = settings
        settings.isCleanupEnabled = false
        let register = NoRegister()
        let scheduler = Scheduler(
            jobs: jobs, stored: stored, settings: settings, isEnabled: isEnabled, register: register, seed: 0, now: from
        )
        var course = Course(scheduler: scheduler, runLength: runLength, now: from)
        course.handle(.started(Situation(origin: .start, bootID: "simulated", processStartedAt: from)))
        for sleep in asleep where sleep.from < to && sleep.until > from {
            course.advance(to: min(sleep.from, to))
            course.handle(.sleep)
            course.now = max(course.now, sleep.until)
            guard course.now <= to else { return course.outcomes }
            course.handle(.wake)
        }
        course.advance(to: to)
        return course.outcomes
    }

    /// Nothing was ever run before.
    private final class NoRegister: ExecutionRegister {
        func isTaken(executionID: String) -> Bool { false }
        func isDecided(job: String, fireTime: Instant) -> Bool { false }
    }

    /// A simulation under way.
    private struct Course {
        let scheduler: Scheduler
        let runLength: Duration
        var now: Instant
        var armed: Instant?
        /// In the order in which they end.
        var ending: [(at: Instant, launch: Launch)] = []
        var outcomes: [Outcome] = []

        mutating func advance(to end: Instant) {
            while let next = [armed, ending.first?.at].compactMap({ $0 }).min(), next <= end {
                now = max(now, next)
                guard let first = ending.first, first.at <= now else {
                    handle(.tick)
                    continue
                }
                ending.removeFirst()
                let outcome = AttemptOutcome(
                    ending: .exited(0), startedAt: first.launch.run.startedAt ?? first.at, endedAt: first.at)
                handle(.attemptEnded(run: first.launch.run.id, attempt: first.launch.run.attempt, outcome))
            }
            now = max(now, end)
        }

        mutating func handle(_ event: Event) {
            var answers: [Event] = []
            for effect in scheduler.handle(event, at: now) {
                switch effect {
                // Nobody knows: every condition holds.
                case .machine(.watch(let watch)): answers.append(.surroundingsChanged(Surroundings(unknown: watch)))
                case .check(let run, _, _): answers.append(.conditionChecked(run: run, holds: nil))
                case .arm(let instant): armed = instant
                case .send(let message): answers.append(.messageSent(id: message.id, .sent))
                case .start(let launch):
                    ending.append((now + runLength, launch))
                    let run = launch.run
                    // A run that is on time may stand for misfires, too.
                    let catchesUp = run.trigger == .catchUp || run.coveredCount > 1
                    let fate = catchesUp ? Outcome.Fate.catchUp(covering: run.coveredCount) : .run
                    outcomes.append(Outcome(job: run.job, fireTime: run.scheduledFor, at: now, fate: fate))
                case .announce(.jobMissed(let run)):
                    let fate = Outcome.Fate.missed(run.reason ?? .asleep, covering: run.coveredCount)
                    outcomes.append(Outcome(job: run.job, fireTime: run.scheduledFor, at: now, fate: fate))
                default: break
                }
            }
            scheduler.didCommit()
            for answer in answers { handle(answer) }
        }
    }
}
