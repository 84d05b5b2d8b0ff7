public import Processes

/// How an attempt ended. Whatever a process does is a report, never an error.
public struct AttemptReport: Sendable {
    public enum Ending: Equatable, Sendable {
        /// With this exit status, 0…255.
        case exited(Int32)
        case signaled(Int32, coreDumped: Bool)
        /// No process came to be: the text says what was tried and what would be right.
        case couldNotStart(String)
        /// Somebody else took the exit status.
        case lost
    }

    public let ending: Ending
    /// It was still running when its time was up. What it then did with the TERM is in `ending`.
    public let isTimedOut: Bool
    /// It was still running when it was cancelled. Never true beside `isTimedOut`: what came first counts.
    public let isCancelled: Bool
    /// By the wall clock, in µs since 1970. Equal where no process came to be.
    public let startedUSec: Int64
    public let endedUSec: Int64
    /// Standard output and standard error together, in the order in which they were written.
    public let output: OutputCapture
    /// Why the output file could not be written; nil where it was, or none was to be.
    public let outputFileError: String?
    /// Of the process and those of its descendants that it waited for; 0 where no process came to be.
    public let userCPUUSec: Int64
    public let systemCPUUSec: Int64
    /// Of the largest of them, never less than the daemon's own (see `ProcessExit.maxRSSKiB`).
    public let maxRSSKiB: Int64
}
