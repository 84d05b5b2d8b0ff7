/// The one question that the core asks of the committed past: which execution ids and fire times are taken.
///
/// It is part of the state, not of the world: the same store gives the same answers. A scheduler remembers by itself
/// what it created since the last commit.
public protocol ExecutionRegister: AnyObject {
    /// Whether a run has ever had this id.
    func isTaken(executionID: String) -> Bool
}
