public import Configuration
public import Control
public import Performing
public import Settings

/// What rooms that Settings does not know need of it.
extension Settings: SettingsControl {}

extension Settings: AttemptSettings {
    public var failureClassifier: FailureClassifier { configuration.failureClassifier }
    public var remediation: [String: [String]] { configuration.remediation }
}
