public import Processes

/// How an attempt ended. Whatever a process does is a report, never an error.
public struct AttemptReport: Sendable {
    public typealias Ending = SupervisorOutcome.Ending

    /// `lost`: it ran, and how it ended is not known, because the supervisor vanished without a word (the machine went
    /// down, or somebody killed it) or its record did; what was left of its process has been killed.
    public let ending: Ending
    /// It was still running when its time was up. What it then did with the TERM is in `ending`.
    public let isTimedOut: Bool
    /// It was still running when it had written nothing for too long.
    public let isStalled: Bool
    /// It was still running when it was cancelled. Of the three only what came first is true.
    public let isCancelled: Bool
    /// The kernel killed processes of it because they were beyond their memory.
    public let isOutOfMemory: Bool
    /// Its supervisor was killed before anything of the job was: the same attempt may be started again.
    public private(set) var isSupervisorKilledBefore = false
    /// By the wall clock, in µs since 1970. Equal where no process came to be.
    public let startedUSec: Int64
    /// Where the attempt was made to end: when the last of its processes was gone.
    public let endedUSec: Int64
    /// Of standard output and standard error together, in the order in which they were written. The whole of what is
    /// kept may be large, and is read by `Runner.output` in pieces.
    public let output: OutputExcerpt
    /// Tells the whole of it from another output; nil where that is not known.
    public let outputDigest: Int64?
    /// Why less of the output was kept than its bound allows; nil where all is well.
    public let outputError: String?
    /// Which of its limits could not be set, and why.
    public let limitsError: String?
    /// What the process said of itself on its context socket, by word: `progress`, `cost`, `retry-after`, `result`.
    public let remarks: [String: String]
    /// What the process and those of its descendants that had ended have used; 0 where no process came to be.
    public let userCPUUSec: Int64
    public let systemCPUUSec: Int64
    /// What the largest of them had in memory at most.
    public let maxRSSKiB: Int64
    /// The processor time of the attempt: of its scope, else of the process and its descendants; nil where no process
    /// came to be.
    public let cpuUSec: Int64?
    /// What it had in memory at most: of its scope all processes together, else the largest of them; nil as above.
    public let memoryPeakBytes: Int64?
}

extension AttemptReport {
    init(_ outcome: SupervisorOutcome, output: OutputExcerpt) {
        ending = outcome.ending
        isTimedOut = outcome.isTimedOut
        isStalled = outcome.isStalled
        isCancelled = outcome.isCancelled
        isOutOfMemory = outcome.isOutOfMemory
        startedUSec = outcome.startedUSec
        endedUSec = outcome.endedUSec
        self.output = output
        outputDigest = outcome.outputDigest
        outputError = outcome.outputError
        limitsError = outcome.limitsError
        remarks = outcome.remarks
        userCPUUSec = outcome.userCPUUSec
        systemCPUUSec = outcome.systemCPUUSec
        maxRSSKiB = outcome.maxRSSKiB
        // There is no process without memory.
        let hasRun = outcome.maxRSSKiB > 0
        cpuUSec = hasRun ? outcome.scopeCPUUSec ?? outcome.userCPUUSec + outcome.systemCPUUSec : nil
        let (bytes, overflows) = outcome.maxRSSKiB.multipliedReportingOverflow(by: 1024)
        memoryPeakBytes = hasRun ? outcome.scopeMemoryPeakBytes ?? (overflows ? .max : bytes) : nil
    }

    /// One that has no outcome of a supervisor.
    init(
        _ ending: Ending, startedUSec: Int64, endedUSec: Int64,
        output: OutputExcerpt = .empty
    ) {
        var outcome = SupervisorOutcome(ending: ending)
        outcome.startedUSec = startedUSec
        outcome.endedUSec = endedUSec
        self.init(outcome, output: output)
    }

    /// One that no process came to be for, however long its supervisor may have waited.
    init(_ ending: Ending, isSupervisorKilledBefore: Bool = false, at usec: Int64) {
        self.init(ending, startedUSec: usec, endedUSec: usec)
        self.isSupervisorKilledBefore = isSupervisorKilledBefore
    }
}
