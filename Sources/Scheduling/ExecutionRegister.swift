public import Schedules

/// What the core asks of the committed past: which execution ids are taken, and which fire times have their record.
///
/// It is part of the state, not of the world: the same store gives the same answers. A scheduler remembers by itself
/// what it created since the last commit.
public protocol ExecutionRegister: AnyObject {
    /// Whether a run has ever had this id.
    func isTaken(executionID: String) -> Bool

    /// Whether there is a record of this fire time, of a run or of why there was none: the one that
    /// `StoreChange.run` would make again with the triggers schedule, catch-up and manual.
    ///
    /// Asked only where the watermark cannot know: after a clock that was far ahead was set right, and for instants
    /// before the registration of their job.
    func isDecided(job: String, fireTime: Instant) -> Bool

    /// The earliest fire time after an instant that has a record, where there are `count` records of the job at least: so
    /// many are kept, and what is earlier may have had its own. Nil where there are fewer, or none after it.
    ///
    /// Asked only after a clock that had fallen back was set right.
    func firstKept(job: String, after instant: Instant, ofAtLeast count: Int) -> Instant?
}

extension ExecutionRegister {
    /// For a register that keeps no fire times.
    public func isDecided(job: String, fireTime: Instant) -> Bool { false }
    public func firstKept(job: String, after instant: Instant, ofAtLeast count: Int) -> Instant? { nil }
}
