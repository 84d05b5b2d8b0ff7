/// What a *fixed* cron or calendar schedule does where the wall clock of its zone jumps.
///
/// A *wildcard* schedule keeps its rhythm whatever this says: nominal times in a gap do not exist, and in an overlap
/// both passes fire. The default is what cron(8) of Debian promises: a nightly job is neither lost nor doubled.
public struct DSTPolicy: Sendable, Hashable {
    /// A nominal time that the zone skips.
    public enum Gap: String, Sendable, Hashable, CaseIterable {
        /// It fires at the first instant after the gap; several make one fire.
        case runAfter = "run_after"
        /// It does not fire.
        case skip
    }

    /// A nominal time that the zone shows twice.
    public enum Overlap: String, Sendable, Hashable, CaseIterable {
        /// It fires on the first pass only.
        case first
        /// It fires on both passes.
        case both
    }

    public var gap: Gap
    public var overlap: Overlap

    public init(gap: Gap = .runAfter, overlap: Overlap = .first) {
        self.gap = gap
        self.overlap = overlap
    }
}
