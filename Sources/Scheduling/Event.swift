public import Schedules

/// Something that happened, told to the scheduler with the instant at which it did.
public enum Event: Sendable {
    /// The first event of a scheduler: what holds now, and what was found of the attempts that the store calls running.
    case started(Situation)
    /// The instant of the last `Effect.arm` has come (or the loop woke up early: that is harmless).
    case tick
    /// A client asks for a run.
    case runRequested(RunRequest, ticket: Ticket)
    /// A client asks for one run of a definition that is not to be scheduled.
    case runOnce(Job, RunRequest, ticket: Ticket)
    /// A client asks for runs of fire times that have passed without one.
    case backfillRequested(BackfillRequest, ticket: Ticket)
    /// An attempt's process has ended, or could not be started.
    case attemptEnded(run: String, attempt: Int, AttemptOutcome)
    /// What is known of the surroundings now; the answer to `MachineWish.watch`, and whenever a watched fact changes.
    case surroundingsChanged(Surroundings)
    /// What the command of `Effect.check` says: whether the run may start. Nil where it could not be run or did not
    /// answer in time: then it may.
    case conditionChecked(run: String, holds: Bool?)
    /// What a command of `Effect.poll` says.
    case polled(PollSubject, PollAnswer)
    /// Something that its job wants of a run cannot be had, and why: it runs all the same, and its record says so.
    case caveat(run: String, String)
    /// An attempt that goes on has written nothing for its `stallTimeout`.
    case stalled(run: String, attempt: Int)
    /// The process of an attempt has said on its context socket, then, that the hold group of its job is to wait.
    case holdSaid(run: String, attempt: Int, at: Instant, words: String)
    /// The process of an attempt has asked a person something, then: the so-and-so-many-th question of the attempt.
    case asked(run: String, attempt: Int, question: Int, at: Instant, words: String)
    /// What became of the message of `Effect.send`.
    case messageSent(id: String, MessageOutcome)
    case cancelRequested(run: String, ticket: Ticket)
    case schedulerToggled(Bool, by: ChangeAuthor = .unknown, ticket: Ticket? = nil)
    /// A user's override of a job's `enabled`; `until` is when a disabled job resumes by itself, `reason` why it was
    /// asked for.
    case jobToggled(
        job: String, isEnabled: Bool, until: Instant?, reason: String? = nil, by: ChangeAuthor = .unknown,
        ticket: Ticket? = nil)
    /// Somebody answers the question that a run asks.
    case questionAnswered(run: String, choice: String, by: String, ticket: Ticket)
    /// A hold group is to wait, until then or until it is released; or it is released.
    case groupToggled(group: String, isWaiting: Bool, until: Instant?, by: ChangeAuthor = .unknown, ticket: Ticket)
    /// The next fire time of a job is not to be run.
    case skipRequested(job: String, reason: String? = nil, by: ChangeAuthor = .unknown, ticket: Ticket)
    /// The configuration was read anew. `retained` are names that stand in it with a definition that was refused:
    /// what is remembered of them is kept.
    case configurationChanged(jobs: [Job], retained: Set<String>, settings: SchedulerSettings, isEnabled: Bool)
    /// A job is created or replaced over the bus.
    case jobUpserted(Job, by: ChangeAuthor = .unknown, ticket: Ticket)
    /// A job that was created over the bus is removed.
    case jobCancelled(job: String, reason: String? = nil, by: ChangeAuthor = .unknown, ticket: Ticket)
    /// A definition that came over the bus and no longer reads is to be forgotten; the scheduler does not know its job.
    case definitionForgotten(job: String, by: ChangeAuthor = .unknown, ticket: Ticket)
    /// An item is put at the end of a queue.
    case queuePushed(queue: String, json: String, ticket: Ticket)
    /// A client takes the oldest item that nobody has.
    case queuePopped(queue: String, ticket: Ticket)
    /// A client says that an item is dealt with. The id is as the client gave it.
    case queueAcknowledged(queue: String, id: String, ticket: Ticket)
    /// Ended runs that an older program has recorded, oldest first, none of which this store has: they become history.
    case historyTakenOver([Run])
    /// The machine is about to sleep: nothing new starts.
    case sleep
    case wake
    /// The wall clock was set, by so much: deadlines that count from an earlier reading move with it.
    case clockChanged(by: Duration)
    /// The daemon stops: nothing new starts, and what runs is dealt with as its job's `on_stop` says. Said again: the
    /// time for those that were to finish is over.
    case stopping
}

extension Event {
    /// The ticket of a request; nil for a fact, and for a request whose reply nobody waits for.
    public var ticket: Ticket? {
        switch self {
        case .runRequested(_, let ticket), .runOnce(_, _, let ticket), .backfillRequested(_, let ticket),
            .cancelRequested(_, let ticket), .skipRequested(_, _, _, let ticket), .jobUpserted(_, _, let ticket),
            .jobCancelled(_, _, _, let ticket), .definitionForgotten(_, _, let ticket), .queuePushed(_, _, let ticket),
            .queuePopped(_, let ticket),
            .queueAcknowledged(_, _, let ticket), .groupToggled(_, _, _, _, let ticket),
            .questionAnswered(_, _, _, let ticket):
            ticket
        case .schedulerToggled(_, _, let ticket), .jobToggled(_, _, _, _, _, let ticket): ticket
        case .started, .tick, .attemptEnded, .surroundingsChanged, .conditionChecked, .polled, .caveat, .stalled,
            .holdSaid, .asked, .messageSent, .configurationChanged, .historyTakenOver, .sleep, .wake, .clockChanged,
            .stopping:
            nil
        }
    }

    /// The ticket of a request that a scheduler which stops refuses: all but the cancel of a run, which a stop may wait
    /// for.
    var ticketOfNewWork: Ticket? {
        if case .cancelRequested = self { nil } else { ticket }
    }
}

/// Joins a reply to the call that it answers; the one who performs effects knows what it stands for.
public typealias Ticket = Int

/// What a client asks for when it wants a run.
public struct RunRequest: Sendable, Equatable {
    public var job: String
    /// In place of the job's inputs: a JSON object as text.
    public var inputs: String?
    /// The fire time that the run stands for: the same one again is the same run.
    public var scheduledFor: Instant?
    /// The same key again is the same run.
    public var idempotencyKey: String?
    /// Whatever the limits say.
    public var isForced = false

    public init(job: String) { self.job = job }
}
