import Configuration
import Glibc
import Schedules

/// A variable of the environment; nil where it is not set.
func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// The variables that say where a user's files are.
func userEnvironment() -> [String: String] {
    var environment: [String: String] = [:]
    for name in ["HOME", "XDG_CONFIG_HOME"] { environment[name] = variable(name) }
    return environment
}

extension Context {
    /// Reads definitions as the daemon would, now and for this user.
    var configurationReader: ConfigurationReader { configurationReader(at: now) }

    func configurationReader(at now: Instant) -> ConfigurationReader {
        ConfigurationReader(
            zones: zones, home: ConfigurationFile.homeFolder(environment: userEnvironment()), now: now)
    }
}
