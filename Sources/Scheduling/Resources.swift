/// How much of the machine an attempt may use; nil where the definition does not say.
public struct Resources: Sendable, Equatable {
    public enum Memory: Sendable, Equatable {
        case bytes(Int64)
        /// Percent of the machine's.
        case share(Int)
        case unlimited
    }

    public enum IOClass: String, Sendable, CaseIterable {
        case realtime
        case bestEffort = "best-effort"
        case idle
    }

    public var memoryMax: Memory?
    /// Percent of one processor: 200 is two of them.
    public var cpuQuotaPercent: Double?
    /// Processes and threads.
    public var tasksMax: Int?
    /// −20 (first) … 19 (last).
    public var nice: Int?
    public var ioClass: IOClass?

    public init() {}
}
