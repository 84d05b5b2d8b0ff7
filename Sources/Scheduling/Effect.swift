public import Schedules

/// Something that the scheduler wants done.
///
/// The effects of one event come, and are performed, in this order: commit, stop, start, answer, check, poll,
/// machine, arm, announce, send and withdraw, reply. So nothing can be seen that is not durable. Each `arm` replaces
/// the one before.
/// The first effects of a scheduler state all that it wants of the machine, and what it waits for. Where the effects of
/// several events are performed as one, the end of a run that starts among them comes after its start.
///
/// The large ones are indirect: a minute in which a thousand jobs fire makes long lists of them.
public enum Effect: Sendable, Equatable {
    /// One transaction. When it fails, nothing that follows in the same answer may be performed until it succeeds.
    case commit([StoreChange])
    /// End the process tree of a run's attempt: TERM, after `grace` KILL.
    case stop(run: String, grace: Duration)
    /// Start the process of an attempt.
    indirect case start(Launch)
    /// Run a command that a run waits for, and tell its answer by `Event.conditionChecked`. It is given
    /// `Scheduler.commandPatience` at most.
    indirect case check(run: String, command: Job.Action, job: Job)
    /// Run a command that says whether there is something to do, and tell its answer by `Event.polled`. It is given
    /// `Scheduler.commandPatience` at most.
    indirect case poll(PollSubject, command: Job.Action, job: Job)
    /// Tell the process of an attempt what it asked for. Said again where it may not have been heard.
    case answer(run: String, attempt: Int, question: Int, AnswerLine)
    /// See that the machine serves: of each kind the last wish holds.
    indirect case machine(MachineWish)
    /// Send `Event.tick` at this instant (now, where it has passed); nil: nothing to wait for.
    case arm(Instant?)
    /// Tell everybody.
    indirect case announce(Announcement)
    /// Give a message to its target, and tell what becomes of it by `Event.messageSent`. One that is on its way already
    /// may come again, with the same id.
    indirect case send(Message)
    /// What asks a person for this run says nothing any more: what is shown of it is taken away, and a message of it
    /// that nobody has begun to send is not sent, which `Event.messageSent` tells.
    case withdraw(run: String)
    /// Answer one client.
    indirect case reply(Ticket, Reply)
}

/// The start of an attempt: all that is needed to build its argv, its environment and its limits.
public struct Launch: Sendable, Equatable {
    public var run: Run
    public var job: Job
    /// The run before, for a chained one; nil where its record is not kept any more, and `run.previous` names it.
    public var previous: Run?

    public init(run: Run, job: Job, previous: Run? = nil) {
        self.run = run
        self.job = job
        self.previous = previous
    }
}

/// A run that keeps the machine from sleeping, because its job says `keep_awake` or `on_sleep: wait`.
public struct AwakeRun: Sendable, Equatable {
    public var run: String
    public var job: String
}

/// What everybody may know.
public enum Announcement: Sendable, Equatable {
    case jobStarted(Run)
    case jobCompleted(Run)
    case jobFailed(Run)
    case jobRetrying(Run, nextAttempt: Int, delay: Duration)
    /// A fire time that was not run; of a long stretch, the record says how many it stands for.
    case jobMissed(Run)
    /// So many failed runs in a row, this one the last, have paused their job: somebody has to look at it.
    case jobPaused(Run, failures: Int)
    /// A run needs a person.
    case questionAsked(Run, Question)
    case schedulerToggled(Bool)
    case jobsChanged(added: [String], changed: [String], removed: [String])
    case statusChanged(SchedulerStatus)
    /// How many items a queue holds now, those that somebody has included; once a turn.
    case queueChanged(String, items: Int)
}

/// What the scheduler as a whole is doing.
public enum SchedulerStatus: String, Sendable {
    /// Fire times are run.
    case running
    /// The user paused all schedules.
    case paused
    /// The machine is about to sleep, or sleeps.
    case sleeping
    /// The daemon is about to end.
    case stopping
}

/// The answer to a request.
public enum Reply: Sendable, Equatable {
    /// The run as it stands, new or the one that an earlier request made.
    case run(Run)
    case scheduled(job: String, next: Instant?)
    case skipped(fireTime: Instant?, next: Instant?)
    case done
    /// The item of a queue that was pushed, or taken.
    case item(QueueItem)
    /// The run that an earlier request with the same key has made, and whose record is not kept any more.
    case removedRun(RemovedRun)
    /// The ids of the runs that were made, oldest fire time first; none for a question.
    case backfilled(runs: [String], fireTimes: [Instant])
    case refused(Refusal)
}

/// Why a request is not carried out.
public enum Refusal: Error, Sendable, Equatable {
    case jobNotFound(String)
    case runNotFound(String)
    /// The run has ended.
    case runEnded(String, Run.Status)
    /// The name belongs to a job of config.json.
    case jobExists(String)
    /// No job has this hold group; those that some have.
    case groupNotFound(String, known: [String])
    /// A job of config.json is not removed over the bus.
    case notPermitted(String)
    /// An upsert with a lower version than the one in force.
    case olderVersion(job: String, found: Int, inForce: Int)
    case limitExceeded(String)
    /// These jobs would follow one another for ever: each the one before it, and the first the last.
    case circle([String])
    /// The key was used for a run of another job.
    case keyTaken(run: String, job: String)
    /// The run asks nothing at present.
    case noQuestion(run: String)
    /// The question has no such choice.
    case noSuchChoice(String, choices: [String])
    /// Nobody has an item of this queue to take.
    case queueEmpty(String)
    /// No item of the queue that is not acknowledged yet has this id.
    case noSuchItem(id: String, queue: String)
    case stopping
}
