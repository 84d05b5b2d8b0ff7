public import Schedules

/// The pure core: it decides everything, and does nothing.
///
/// A scheduler is a state and one function, `handle(_:at:)`: an event and the instant at which it happened give a list
/// of effects for somebody else to perform. It reads no clock, opens no file and starts no process, so a year of
/// sleeps, crashes and clock steps can be simulated in a second, and a bug is reproduced from a list of events.
///
/// ```swift
/// let scheduler = Scheduler(jobs: jobs, stored: store.load(), settings: settings, isEnabled: true,
///                           register: store, seed: seed, now: now)
/// perform(scheduler.handle(.started(situation), at: now))
/// // … the armed instant has come:
/// perform(scheduler.handle(.tick, at: now))
/// // … a process has ended:
/// perform(scheduler.handle(.attemptEnded(run: id, attempt: 1, outcome), at: now))
/// ```
///
/// What makes the promises hold:
/// - Each job has one watermark, `JobState.decidedThrough`. Every fire time up to it has its one outcome on record;
///   the next to decide is the first after it. It moves in the same transaction as the records, so a crash at any
///   point either repeats the whole decision or none of it.
/// - The effects of an event come in a fixed order (see `Effect`), commit first.
/// - Same state, same events, same seed: same effects.
///
/// The sharp edge: `handle` must see every event in the order in which it happened, and each answer must be performed
/// (or at least committed) before the next is visible to anyone.
public final class Scheduler {
    public internal(set) var settings: SchedulerSettings
    /// Whether the schedules are in force, as the user or config.json says.
    public internal(set) var isEnabled: Bool
    /// The user's word on it, which wins over config.json.
    var schedulerOverride: Bool?
    var isAsleep = false
    var isStopping = false

    var jobs: [String: JobEntry] = [:]
    var runs: [String: ActiveRun] = [:]
    var ready = ReadyQueue()
    /// Attempts whose process is there.
    public internal(set) var runningCount = 0
    /// When attempts were started in the last minute, oldest first; kept where there is a launch rate.
    var recentLaunches: [Instant] = []

    var timers = TimerQueue()
    var owners: ContiguousArray<TimerOwner?> = []
    var armed: Instant?
    var isArmedStale = true
    /// The next run of each job, whether or not anything fires at present.
    var calendar = TimerQueue()
    var places: ContiguousArray<JobEntry?> = []
    /// All jobs, in about the order in which they lie in memory: to walk over a hundred thousand of them by name takes
    /// twice as long.
    var entries: some Sequence<JobEntry> { places.lazy.compactMap(\.self) }
    var launchRateTimer: TimerQueue.Owner?
    var cleanup = Cleanup()
    var conditions = ConditionWatch()
    var groups = GroupWatch()
    /// What all jobs together have used up of the budget over all, in one day.
    var budgetUse = BudgetUse()
    /// Active runs that have not started: each will spend one of its runs.
    var unstartedRuns = 0
    var machine = MachineSleep()
    /// Nil until somebody asks for a queue.
    var queueLedger: QueueLedger?
    var queueWatch = QueueWatch()
    var pollWatch = PollWatch()
    var post = Post()

    let register: any ExecutionRegister
    var random: RandomSource
    var sequence = 0
    /// Of the last change to a job that is on record.
    var changeSequence: Int64
    /// Ids created since the last commit: the register does not know them yet.
    var uncommittedIDs: Set<String> = []
    /// Records with a key or a fire time that were finished since the last commit.
    var uncommittedRecords: [Run] = []

    var bootID = ""
    /// Before this instant nothing of ours was there to run anything.
    var startedAt: Instant
    /// From the start until this instant the daemon was there; what it did not decide then could not be recorded.
    var rebuiltAt: Instant?
    /// The latest instant that was ever seen: later than now where the clock was set back.
    var latest: Instant
    /// When this scheduler last heard, or found, that the clock was set back, by the clock as it was after it; and by
    /// how much, or how much at least.
    public internal(set) var clockSetBack: (at: Instant, by: Duration)?
    /// The last time during which the user had paused all schedules; `until` is nil while it lasts.
    var pause: (since: Instant, until: Instant?)?
    /// What is remembered of jobs whose definition is refused at present.
    var retainedStates: [String: JobState] = [:]
    /// By the names of jobs that were removed, fire times ahead that clients had taken: a new job of the name does not
    /// run them again.
    var orphanedClaims: [String: [Instant]] = [:]
    var sharing = JobSharing()
    /// Removed jobs that still have processes.
    var departed: [String: JobEntry] = [:]
    /// Names of the jobs of which something is to be said or done beside their runs.
    var attended: Set<String> = []
    /// By job, the names of the jobs that run after it.
    var followers: [String: [String]] = [:]
    var turn = Turn()

    /// Who waits for an instant.
    enum TimerOwner {
        case job(JobEntry)
        case run(ActiveRun)
        case launchRate
        case cleanup
        /// An item that somebody had comes again.
        case queues
        /// A poll is to be asked.
        case polls
        /// The hold of a group ends.
        case groups
        /// The machine may sleep again.
        case nap
        case message(ActiveMessage)
        /// It is late then.
        case lateness(ActiveRun)
        /// Something is to be said or done of it.
        case upkeep(JobEntry)
    }

    /// Takes up what a store holds. Nothing is decided before `.started`; what the taking up itself changes is
    /// committed with that event.
    ///
    /// - Parameters:
    ///   - jobs: their names are unique. A stored state of a job that is not among them is dropped, unless `retained`.
    ///   - retained: names whose definition is refused at present: what is remembered of them is kept.
    ///   - unscheduled: by run, the definitions of stored runs whose job is not scheduled (`Run.definition`). A run
    ///     that is missing here starts no further attempt, and ends as cancelled: its definition is gone.
    ///   - stored: what the store holds, with what state.json says laid over it.
    ///   - isEnabled: what config.json says; the stored override wins.
    ///   - register: the same store, for what is asked of the committed past.
    ///   - seed: of trace ids and the jitter of retries.
    ///   - now: by the wall clock, as in `handle`.
    public init(
        jobs definitions: [Job], retained: Set<String> = [], unscheduled: [String: Job] = [:], stored: StoredState,
        settings: SchedulerSettings, isEnabled: Bool, register: any ExecutionRegister, seed: UInt64, now: Instant
    ) {
        self.settings = settings
        self.schedulerOverride = stored.schedulerOverride
        self.isEnabled = stored.schedulerOverride ?? isEnabled
        self.register = register
        self.random = RandomSource(seed: seed)
        self.changeSequence = stored.lastChange
        self.startedAt = now
        // Here and below by their places: to walk over a hundred thousand states by value copies each.
        self.latest = stored.jobs.indices.reduce(max(now, stored.latestRunAt ?? now)) {
            max($0, stored.jobs[$1].decidedThrough)
        }

        var finder = StateFinder(stored.jobs)
        var isTaken = [Bool](repeating: false, count: stored.jobs.count)
        jobs.reserveCapacity(definitions.count)
        for index in definitions.indices {
            let place = finder.place(of: definitions[index].name)
            if let place { isTaken[place] = true }
            add(definitions[index], state: place.map { stored.jobs[$0] }, now: now)
        }
        let left = stored.jobs.indices.filter { !isTaken[$0] }.map { stored.jobs[$0] }
        for state in left.sorted(by: { $0.job < $1.job }) {
            if retained.contains(state.job) {
                retainedStates[state.job] = state
            } else {
                dropState(state, now: now)
            }
        }
        budgetUse = stored.budgetUse
        if !stored.groupHolds.isEmpty { restoreGroups(stored.groupHolds) }
        restore(stored.activeRuns, unscheduled: unscheduled, now: now)
        if !stored.messages.isEmpty { restorePost(stored.messages, now: now) }
    }

    deinit {
        // A job and its active runs hold each other.
        for entry in [jobs, departed].joined().map(\.value) { (entry.occupying, entry.waiting) = ([], []) }
        for active in runs.values { active.entry = nil }
    }

    /// The one function: what is to be done about an event that happened at `now`.
    ///
    /// - Returns: effects in the order in which they are to be performed; empty where nothing changes.
    public func handle(_ event: Event, at now: Instant) -> [Effect] {
        latest = max(latest, now)
        if isStopping, let ticket = event.ticketOfNewWork {
            reply(ticket, .refused(.stopping))
        } else {
            decide(event, now: now)
        }
        fireDue(now: now)
        serveQueues(now: now)
        askPolls(now: now)
        examineConditions(now: now)
        launchReady(now: now)
        lookAfterDue(now: now)
        tellStretches(now: now)
        sendReady(now: now)
        return finishTurn(now: now)
    }

    private func decide(_ event: Event, now: Instant) {
        switch event {
        case .started(let situation): start(situation, now: now)
        case .tick: isArmedStale = true
        case .runRequested(let request, let ticket): requestRun(request, ticket: ticket, now: now)
        case .runOnce(let job, let request, let ticket): runOnce(job, request, ticket: ticket, now: now)
        case .backfillRequested(let request, let ticket): backfill(request, ticket: ticket, now: now)
        case .attemptEnded(let run, let attempt, let outcome): endAttempt(of: run, attempt, outcome, now: now)
        case .surroundingsChanged(let surroundings): surroundingsChanged(surroundings)
        case .conditionChecked(let run, let holds): conditionChecked(run, holds: holds, now: now)
        case .polled(let subject, let answer): polled(subject, answer, now: now)
        case .caveat(let run, let text): note(text, ofRun: run)
        case .stalled(let run, let attempt): noteStall(ofRun: run, attempt: attempt, now: now)
        case .holdSaid(let run, let attempt, let saidAt, let words):
            hearHold(words, saidAt: saidAt, ofRun: run, attempt: attempt, now: now)
        case .asked(let run, let attempt, let number, let at, let words):
            hearQuestion(words, number: number, askedAt: at, ofRun: run, attempt: attempt, now: now)
        case .questionAnswered(let run, let choice, let author, let ticket):
            answerQuestion(ofRun: run, choice, by: author, ticket: ticket, now: now)
        case .groupToggled(let group, let isWaiting, let until, let author, let ticket):
            toggleGroup(group, isWaiting: isWaiting, until: until, by: author, ticket: ticket, now: now)
        case .messageSent(let id, let outcome): messageSent(id, outcome, now: now)
        case .cancelRequested(let run, let ticket): cancel(run, ticket: ticket, now: now)
        case .schedulerToggled(let isEnabled, let author, let ticket):
            toggle(isEnabled, by: author, now: now)
            if let ticket { reply(ticket, .done) }
        case .jobToggled(let job, let isEnabled, let until, let reason, let author, let ticket):
            toggle(job, isEnabled, until: until, reason: reason, by: author, ticket: ticket, now: now)
        case .skipRequested(let job, let reason, let author, let ticket):
            skipNext(job, reason: reason, by: author, ticket: ticket, now: now)
        case .configurationChanged(let jobs, let retained, let settings, let isEnabled):
            reconfigure(jobs, retained: retained, settings: settings, isEnabled: isEnabled, now: now)
        case .jobUpserted(let job, let author, let ticket): upsert(job, by: author, ticket: ticket, now: now)
        case .jobCancelled(let job, let reason, let author, let ticket):
            removeJob(job, reason: reason, by: author, ticket: ticket, now: now)
        case .definitionForgotten(let job, let author, let ticket):
            forgetDefinition(of: job, by: author, ticket: ticket, now: now)
        case .queuePushed(let queue, let json, let ticket): pushItem(json, to: queue, ticket: ticket, now: now)
        case .queuePopped(let queue, let ticket): popItem(from: queue, ticket: ticket, now: now)
        case .queueAcknowledged(let queue, let id, let ticket): acknowledgeItem(id, of: queue, ticket: ticket)
        case .historyTakenOver(let runs): takeOver(runs)
        case .sleep: fallAsleep(now: now)
        case .wake: wakeUp(now: now)
        case .clockChanged(let step): clockStepped(by: step, now: now)
        case .stopping: stop(now: now)
        }
    }

    /// Says that everything answered so far is in the store: what was created until now is found by the register.
    public func didCommit() {
        uncommittedIDs.removeAll(keepingCapacity: true)
        uncommittedRecords.removeAll(keepingCapacity: true)
        queueLedger?.didCommit()
    }

    // MARK: - What holds

    public var status: SchedulerStatus {
        isStopping ? .stopping : isAsleep ? .sleeping : isEnabled ? .running : .paused
    }

    /// Whether fire times are decided now.
    var isFiring: Bool { isEnabled && !isAsleep && !isStopping }
}
