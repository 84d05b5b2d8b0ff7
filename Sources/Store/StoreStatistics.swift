public import Scheduling

/// How many runs there ever were, by what became of them.
public struct StoreStatistics: Sendable, Equatable {
    private var counts: [Run.Status: Int]
    /// Keys that were forgotten before their time, because there were too many (`StoreBounds.usedKeysMax`).
    public var keysDropped: Int

    public init(counts: [Run.Status: Int], keysDropped: Int = 0) {
        self.counts = counts.filter { $0.value != 0 }
        self.keysDropped = keysDropped
    }

    /// Runs that have this status now, or had it when retention removed them.
    public func count(of status: Run.Status) -> Int { counts[status, default: 0] }

    /// Every record ever made: executed or not, ended or not.
    public var recorded: Int { counts.values.reduce(0, +) }
    /// Executions that came to an end.
    public var total: Int { successful + failed }
    public var successful: Int { count(of: .success) }
    /// Executions that ended otherwise: `Run.Status.isFailure`.
    public var failed: Int { counts.reduce(0) { $1.key.isFailure ? $0 + $1.value : $0 } }
    /// Queued, running or retrying.
    public var active: Int { counts.reduce(0) { $1.key.isActive ? $0 + $1.value : $0 } }
}
