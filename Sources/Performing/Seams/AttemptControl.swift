public import Schedules
public import Scheduling

/// How the engine performs starts and stops. `Attempts` is the one that does; the engine's tests have another.
public protocol AttemptControl: AnyObject {
    /// Before the commit that claims them: makes the folder of each, which is the evidence that it has not begun.
    func claim(_ launches: [Launch])
    /// After it: they start, in order, `AttemptLimits.launchMilliseconds` of them a turn.
    func start(_ launches: [Launch])
    /// Ends the process tree of a run's attempt: TERM, after its grace KILL. One that waits to start does not start.
    ///
    /// - Returns: whether there is an attempt that has begun, or is about to.
    @discardableResult
    func stop(_ run: String) -> Bool
    /// Tells the process of an attempt what it has asked for.
    func answer(_ run: String, attempt: Int, question: Int, _ line: AnswerLine)
    /// Runs a condition's command for a run that waits.
    func check(run: String, command: Job.Action, job: Job)
    /// Runs the command of a poll or a precheck, and tells what it says by `Event.polled`.
    func poll(_ subject: PollSubject, command: Job.Action, job: Job)
    /// The instant that is waited for now: supervisors may be prepared for what is due then.
    func expect(_ instant: Instant?)
    /// What is to be known of attempts that the store calls running.
    ///
    /// - Throws: `EvidenceError` where it cannot be known now; nothing may be concluded then about any of them.
    func evidence(of runs: [Run]) throws(EvidenceError) -> [String: AttemptEvidence]
    /// Commands that are asked for runs that do not wait any more are ended.
    func endIdleErrands()
}

/// What became of attempts cannot be known now.
public struct EvidenceError: Error, CustomStringConvertible, Sendable {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// Which runs will most likely start next, for those who prepare for them.
public protocol RunExpecting: AnyObject {
    func expectedRuns(atMost bound: Int) -> [ExpectedRun]
}
