/// Bounds of the interface that both sides of the bus must know; what the daemon does at each stands beside it.
public enum InterfaceLimits {
    /// The most runs in one answer of `get_history` and `query_history`; a larger limit is cut to it.
    public static let historyRuns = 1_000
    /// The runs of one answer where nobody says how many.
    public static let historyRunsStandard = 20
    /// The most instants in one answer of `preview_schedule`; a larger count is cut to it.
    public static let previewInstants = 1_000
    /// The most jobs in one answer of `query_jobs`; a larger limit is cut to it.
    public static let jobsOfPage = 1_000
    /// The most bytes in one answer of `get_output`; a larger limit is cut to it.
    public static let outputBytes = 1 << 20
    /// The bytes of one answer of `get_output` where nobody says how many.
    public static let outputBytesStandard = 1 << 16
}
