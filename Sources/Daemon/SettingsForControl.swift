public import Configuration
import Control
import JSON
public import Performing
import Scheduling
public import Settings

/// Settings, as clients may see and change it by Control.
final class SettingsForControl: SettingsControl {
    private let settings: Settings

    init(_ settings: Settings) {
        self.settings = settings
    }

    var configuration: Configuration { settings.configuration }
    var configurationPath: String { settings.configurationPath }
    var configurationFault: ConfigurationError? { settings.configurationFault }

    func value(_ section: String, _ key: String) throws(SettingsFailure) -> JSONValue? {
        do throws(SettingsError) { return try settings.value(section, key) } catch { throw SettingsFailure(error) }
    }

    func update(_ section: String, _ key: String, _ value: JSONValue) throws(SettingsFailure) {
        do throws(SettingsError) { try settings.update(section, key, value) } catch { throw SettingsFailure(error) }
    }

    func reload() throws(SettingsFailure) -> ReloadOutcome {
        do throws(SettingsError) {
            let done = try settings.reload()
            var result = ReloadOutcome()
            (result.added, result.changed, result.removed) = (done.added, done.changed, done.removed)
            result.refused = done.refused
            return result
        } catch {
            throw SettingsFailure(error)
        }
    }

    func readJob(_ value: JSONValue, madeUpName: String) throws(JobError) -> Job {
        try settings.readJob(value, madeUpName: madeUpName)
    }

    func readPreview(_ text: String) throws(JobError) -> SchedulePreview { try settings.readPreview(text) }

    func isRefusedDefinition(of name: String) -> Bool { settings.isRefusedDefinition(of: name) }
}

extension SettingsFailure {
    fileprivate init(_ error: SettingsError) {
        switch error {
        case .configuration(let error): self = .configuration(error)
        case .argument(let name, let found, let expected): self = .argument(name, found: found, expected: expected)
        case .tooLong(let name, let bytes, let bytesMax): self = .tooLong(name, bytes: bytes, bytesMax: bytesMax)
        }
    }
}

extension Settings: AttemptSettings {
    public var failureClassifier: FailureClassifier { configuration.failureClassifier }
    public var remediation: [String: [String]] { configuration.remediation }
}
