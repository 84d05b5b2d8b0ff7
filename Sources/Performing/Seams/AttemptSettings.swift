public import Configuration

/// What of the settings in force attempts need. Given by Settings.
public protocol AttemptSettings: AnyObject {
    var failureClassifier: FailureClassifier { get }
    /// Failure type → the argv of a remedy that may run before the retry.
    var remediation: [String: [String]] { get }
    /// What is laid over the session's environment, for every job.
    var surroundings: CommonEnvironment { get }
}
