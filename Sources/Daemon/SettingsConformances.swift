public import Configuration
public import Control
public import Performing
public import Settings

/// What rooms that Settings does not know need of it.
extension Settings: SettingsControl {
    public func reading(_ section: String, _ key: String) throws(SettingsError) -> ValueStep {
        var reading: ValueReading = try self.reading(section, key)
        var isRead = false
        return { () throws(SettingsError) in
            if !isRead {
                isRead = try !reading.goOn()
                // A long text takes as long to be handed over as its last piece took: it has a turn of its own.
                guard isRead, reading.writtenBytes <= ValueReading.pieceBytes else {
                    return .underWay(bytes: reading.writtenBytes)
                }
            }
            return .done(reading.text)
        }
    }
}

extension Settings: MessageSettings {
    public var targets: MessageTargets { configuration.targets }
    public var heartbeat: Heartbeat? { configuration.heartbeat }

    public func isWithheld(_ target: String) -> Bool {
        isUsingLastGood && configuration.targets.withheld.contains(target)
    }

    public var toastPath: String { configurationPath.folderOfPath + "/notifications.json" }
}

extension Settings: AttemptSettings {
    public var failureClassifier: FailureClassifier { configuration.failureClassifier }
    public var remediation: [String: [String]] { configuration.remediation }
    public var surroundings: CommonEnvironment { configuration.surroundings }
}
