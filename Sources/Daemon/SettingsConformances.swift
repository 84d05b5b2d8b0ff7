public import Configuration
public import Control
public import Performing
public import Settings

/// What rooms that Settings does not know need of it.
extension Settings: SettingsControl {
    public func reading(_ section: String, _ key: String) throws(SettingsError) -> ValueStep {
        var reading: ValueReading = try self.reading(section, key)
        return { () throws(SettingsError) in
            try reading.goOn() ? .underWay(bytes: reading.writtenBytes) : .done(reading.text)
        }
    }
}

extension Settings: AttemptSettings {
    public var failureClassifier: FailureClassifier { configuration.failureClassifier }
    public var remediation: [String: [String]] { configuration.remediation }
}
