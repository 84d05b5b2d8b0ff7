/// What became of an attempt that an earlier runner was told to start, from what can be seen of it: its folder, the
/// lock on it, what its supervisor wrote. What follows from it is for others to decide.
public enum AttemptFinding: Sendable {
    /// Its supervisor lives, at its gate or past it: `Runner.adopt` follows it.
    case held
    /// It ended, and how is on record.
    case ended(AttemptReport)
    /// A process of it may have been, and how it ended is not known. What was left of it has been killed.
    case begun
    /// It was claimed, and no process of it has ever been. `Runner.start` takes the folder.
    case notBegun
    /// There is no folder. Where its supervisor was there all the same, that has been killed, with all it had started.
    case gone
}

/// An attempt, and what was found of it.
public struct SurveyedAttempt: Sendable {
    public let run: String
    public let attempt: Int
    public let finding: AttemptFinding
}
