public import Schedules

/// One reason why a job ran, did not run, is not running, or when it will.
public enum Explanation: Sendable, Equatable {
    case unknownJob(String)

    // What holds for the job as a whole.

    case allPaused
    case asleep
    case stopping
    case disabled(until: Instant?, reason: String? = nil)
    case pausedAfterFailures(Int)
    case finished(executions: Int)
    /// It runs by hand or by a chain only.
    case noSchedule
    /// It has none, but runs when another job has ended so.
    case follows(String, on: Job.Chain.Outcome)
    /// It runs when all of them have; these have since its own last run.
    case followsAll([String], on: Job.Chain.Outcome, ended: [String])
    /// It runs for each item of a queue, which holds so many.
    case servesQueue(String, items: Int)
    /// Its poll was asked so often, is asked again then (nil: it is being asked), and failed last time, where it did.
    case polls(count: Int, next: Instant?, fault: String?)
    case budgetUsedUp(Scheduler.BudgetScope)
    /// A run waits for its hold group, until then where that is known; nil: no run waits, but one would.
    case groupHold(run: String?, GroupHold)
    /// There is no success since then, and one is expected so often, or by such a time of day.
    case late(since: Instant, every: Duration?, by: String?)

    // What it is doing.

    case running(run: String, attempt: Int, since: Instant)
    case retrying(run: String, nextAttempt: Int, at: Instant)
    /// It goes on for longer than is expected.
    case lateRun(run: String, within: Duration)
    /// What it has to do without.
    case caveat(run: String, String)
    /// It waits for its turn within the job, behind others.
    case waiting(run: String, behind: [String])
    /// It waits for an instant: catch-up runs that are spread, or held after a wake-up.
    case held(run: String, until: Instant)
    /// It has its turn, and waits for its conditions; until then at most, and then it is skipped or starts, as its job
    /// says.
    case conditions(run: String, unmet: [Condition], until: Instant?)
    /// It has its turn, and the limits of the scheduler hold it back.
    case limited(run: String, running: Int, limit: Int)
    case next(Instant)
    case neverAgain
    /// So long after the end of what is active: an interval as it was written.
    case afterEnd(interval: String)
    /// It runs once at each start of the machine.
    case atBoot
    /// The clock was set back, by so much or more, and what that means for the job; when, where this daemon knows.
    case clockSetBack(by: Duration, at: Instant?, ClockEffect)
    /// Its last run was no success.
    case lastFailed(Run)

    // One instant.

    case noFireTime(Instant, previous: Instant?, next: Instant?)
    case beforeRegistration(Instant, registeredAt: Instant)
    case ran(Run)
    /// It was not run, and the record says why.
    case notRun(Run)
    /// A run, or the record of a longer stretch, stands for it.
    case covered(by: Run)
    case willRun(Instant)
    case willBeSkipped(Instant)
    case willBeExcluded(Instant)
    /// A client has taken it for a run of its own.
    case taken(Instant)
    case dueAfterJitter(Instant, due: Instant)
    case waitingAfterWake(Instant, until: Instant)
    /// It has passed, and is decided as soon as what holds everything up is over.
    case undecided(Instant)
    /// It is decided, and its record is not kept any more.
    case forgotten(Instant)

    /// What a clock that was set back means for a job.
    public enum ClockEffect: Sendable, Equatable {
        /// It was first seen by the clock that was ahead: its schedule counts from the step.
        case registeredAnew
        /// It goes on under the clock as it is; only what has a record up to this instant is not run again.
        case goesOn(recordsThrough: Instant)
        /// What ran for a time of day up to this instant is not run again.
        case notTwice(through: Instant)
    }

    /// A stable word for programs.
    public var code: String {
        switch self {
        case .unknownJob: "unknown_job"
        case .allPaused: "all_paused"
        case .asleep: "asleep"
        case .stopping: "stopping"
        case .disabled: "disabled"
        case .pausedAfterFailures: "paused_after_failures"
        case .finished: "finished"
        case .noSchedule: "no_schedule"
        case .follows: "follows"
        case .followsAll: "follows_all"
        case .servesQueue: "serves_queue"
        case .polls: "polls"
        case .budgetUsedUp: "budget"
        case .groupHold: "hold_group"
        case .late: "late"
        case .running: "running"
        case .retrying: "retrying"
        case .lateRun: "late_run"
        case .caveat: "caveat"
        case .waiting: "waiting"
        case .held: "held"
        case .conditions: "condition"
        case .limited: "limited"
        case .next: "next"
        case .neverAgain: "never_again"
        case .afterEnd: "after_end"
        case .atBoot: "at_boot"
        case .clockSetBack: "clock_set_back"
        case .lastFailed: "last_failed"
        case .noFireTime: "no_fire_time"
        case .beforeRegistration: "before_registration"
        case .ran: "ran"
        case .notRun: "not_run"
        case .covered: "covered"
        case .willRun: "will_run"
        case .willBeSkipped: "will_be_skipped"
        case .willBeExcluded: "will_be_excluded"
        case .taken: "taken"
        case .dueAfterJitter: "jitter"
        case .waitingAfterWake: "held_after_wake"
        case .undecided: "undecided"
        case .forgotten: "forgotten"
        }
    }

    /// A sentence for people, with instants in a zone.
    public func sentence(in zone: TimeZoneRules) -> String {
        func text(_ instant: Instant) -> String { instant.rfc3339(in: zone) }
        switch self {
        case .unknownJob(let name): return "there is no job named \(name)"
        case .allPaused: return "all schedules are paused"
        case .asleep: return "the machine is asleep"
        case .stopping: return "the daemon is stopping"
        case .disabled(let until, let reason):
            return "the job is disabled" + (until.map { " until \(text($0))" } ?? "") + (reason.map { ": \($0)" } ?? "")
        case .pausedAfterFailures(let count): return "the job was paused after \(count) failed runs in a row"
        case .finished(let count): return "the job is finished: its schedule has run it \(count) times"
        case .follows(let job, let outcome):
            return "it runs after \(job)" + (outcome == .any ? " has ended" : " ends with \(outcome.rawValue)")
        case .followsAll(let jobs, let outcome, let ended):
            let how = outcome == .any ? "have ended" : "have ended with \(outcome.rawValue)"
            let so = ended.isEmpty ? "none of them has" : "\(ended.joined(separator: ", ")) did"
            return "it runs when \(jobs.joined(separator: ", ")) \(how) since its own last run; so far \(so)"
        case .servesQueue(let queue, let items):
            return "it runs for each item of the queue \(queue), which holds \(items == 0 ? "none" : "\(items)")"
        case .noSchedule: return "the job has no schedule: it runs by hand or by a chain"
        case .polls(let count, let next, let fault):
            let asked = count == 1 ? "its poll was asked once" : "its poll was asked \(count) times"
            let failed = fault.map { ", and failed: \($0)" } ?? ""
            return asked + failed + (next.map { "; it is asked next at \(text($0))" } ?? "; it is being asked now")
        case .budgetUsedUp(let scope):
            let whose = scope == .job ? "the job" : "all jobs together"
            return "the budget of \(whose) is used up for the day: until it ends, fire times are skipped"
        case .groupHold(let run, let hold):
            let who = hold.run.map { ", as \($0) said" } ?? ""
            let until = hold.until.map { " until \(text($0))" } ?? " until it is released"
            return (run.map { "\($0) waits" } ?? "a run would wait") + ": the group \(hold.group) is held\(until)\(who)"
        case .late(let since, let every, let by):
            let often = [every.map { "every \($0.inSeconds.shortText) s" }, by.map { "each day by \($0)" }]
            let expected = often.compactMap(\.self).joined(separator: " and ")
            return "it is late: no success since \(text(since)), and one is expected \(expected)"
        case .lateRun(let run, let within):
            return "\(run) is late: it is still under way after \(within.inSeconds.shortText) s"
        case .running(let run, let attempt, let since): return "\(run) runs since \(text(since)), attempt \(attempt)"
        case .retrying(let run, let next, let at): return "\(run) waits for attempt \(next) at \(text(at))"
        case .caveat(let run, let text): return "\(run): \(text)"
        case .waiting(let run, let others): return "\(run) waits for its turn behind \(others.joined(separator: ", "))"
        case .held(let run, let until): return "\(run) waits until \(text(until))"
        case .conditions(let run, let unmet, let until):
            let what = unmet.isEmpty ? "its conditions" : unmet.map(\.text).joined(separator: " and for ")
            return "\(run) waits for \(what)" + (until.map { ", until \(text($0))" } ?? "")
        case .limited(let run, let running, let limit):
            return "\(run) waits for a limit: \(running) of \(limit) processes run, or the launch rate is reached"
        case .next(let instant): return "the next run is due at \(text(instant))"
        case .afterEnd(let interval): return "its interval, \(interval), counts from the end of the run that is active"
        case .neverAgain: return "the schedule has no fire time left"
        case .atBoot: return "it runs at the next start of the machine"
        case .clockSetBack(let step, let at, let effect):
            return "the clock was set back by \(step.inSeconds.shortText) s or more"
                + (at.map { " at \(text($0))" } ?? "") + ": "
                + Self.meaning(effect, in: zone)
        case .lastFailed(let run):
            let when = run.endedAt.map { " at \(text($0))" } ?? ""
            return "its last run, \(run.id), ended\(when): \(run.status.rawValue)" + (run.error.map { ", \($0)" } ?? "")
        case .noFireTime(let instant, let previous, let next):
            let around = [previous.map { "the one before is \(text($0))" }, next.map { "the next one is \(text($0))" }]
            return (["\(text(instant)) is no fire time"] + around.compactMap { $0 }).joined(separator: ", ")
        case .beforeRegistration(let instant, let registeredAt):
            return "\(text(instant)) was before the job had this schedule, since \(text(registeredAt))"
        case .ran(let run):
            let more = [run.error, run.caveat].compactMap { $0 }.map { ", \($0)" }
            return "\(run.id) ran for it: \(run.status.rawValue)" + more.joined()
        case .notRun(let run): return "it was not run: \(Self.meaning(run.reason))"
        case .covered(let run):
            let fate = run.status.isExecuted ? "ran" : "is the record"
            return "\(run.id) \(fate) for it and \(run.coveredCount - 1) others"
        case .willRun(let instant): return "it will be run at \(text(instant))"
        case .willBeSkipped(let instant): return "\(text(instant)) is to be skipped, at a user's wish"
        case .willBeExcluded(let instant): return "\(text(instant)) is excluded"
        case .taken(let instant): return "a client has run the job for \(text(instant)) already"
        case .dueAfterJitter(_, let due): return "it is due at \(text(due)), after its jitter"
        case .waitingAfterWake(_, let until): return "it is held until \(text(until)), while the machine wakes up"
        case .undecided(let instant):
            return "\(text(instant)) has passed, and is dealt with as soon as schedules are in force"
        case .forgotten(let instant): return "the record of \(text(instant)) is not kept any more"
        }
    }

    private static func meaning(_ effect: ClockEffect, in zone: TimeZoneRules) -> String {
        switch effect {
        case .registeredAnew: "the job was first seen by the clock that was ahead, and its schedule counts from then on"
        case .goesOn(let last):
            "the job goes on by the clock as it is, and what is on record up to \(last.rfc3339(in: zone)) is not run again"
        case .notTwice(let last):
            "what ran for a time of day up to \(last.rfc3339(in: zone)) is not run again"
        }
    }

    private static func meaning(_ reason: Run.Reason?) -> String {
        switch reason {
        case .overlap: "the run before was still active"
        case .condition: "its conditions did not hold in time"
        case .excluded: "it is excluded"
        case .budget: "the budget of the day was used up"
        case .asleep: "the machine was asleep, or its clock leapt over it"
        case .down: "no daemon ran"
        case .paused: "all schedules were paused"
        case .expired: "it was older than the catch-up window"
        case .limit: "a limit was reached"
        case .user: "a user asked to skip it"
        case .nothingToDo: "its precheck found nothing to do"
        case .store: "the store could not be written"
        case nil: "no reason is on record"
        }
    }
}
