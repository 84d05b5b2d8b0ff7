internal import Configuration
internal import DBus
internal import EventLoop
internal import JSON
internal import Schedules
internal import Scheduling

/// The daemon that runs on the bus, as `botcrond` itself asks it: for scripts that know nothing but this program.
public final class RunningDaemon {
    private let connection: Connection

    /// - Throws: `StartError` 69 where there is no bus.
    public init(options: DaemonOptions) throws(StartError) {
        do {
            connection = try Connection(
                to: options.busAddress.map { .address($0) } ?? .session, loop: try EventLoop())
        } catch {
            throw StartError(exitCode: .unavailable, message: "\(error)")
        }
    }

    /// - Returns: the run as JSON.
    public func runJob(_ name: String) throws(StartError) -> String { try ask("run_job", [.string(name)]) }

    /// - Returns: `GetStatus`, as JSON for people.
    public func status() throws(StartError) -> String {
        let text = try ask("GetStatus")
        return (try? JSONValue(parsing: text))?.prettyText(indent: 2) ?? text
    }

    /// - Returns: the answer of `Shutdown`.
    public func stop() throws(StartError) -> String { try ask("Shutdown") }

    private func ask(_ member: MemberName, _ arguments: [DBusValue] = []) throws(StartError) -> String {
        let call = RemoteCall(
            Daemon.busName, Daemon.objectPath, Daemon.interfaceName, member, arguments, startsService: false)
        switch connection.callAndWait(call) {
        case .success(let values):
            return values.first?.asString ?? ""
        case .failure(let error):
            let isAway = error.name == .serviceUnknown || error.name == .nameHasNoOwner || error.name == .disconnected
            throw StartError(
                exitCode: isAway ? .unavailable : .failure,
                message: isAway
                    ? "no daemon runs on this bus; start it: systemctl --user start bot-cron.service" : error.message)
        }
    }
}

/// Prints the jobs of a configuration and their next fire times, without a daemon.
///
/// - Throws: `StartError` 78 where the configuration cannot be read.
public func printJobs(options: DaemonOptions, environment: [String: String]) throws(StartError) {
    let path = options.configurationPath ?? ConfigurationFile.defaultPath(environment: environment)
    let zones = ZoneDatabase()
    let now = Instant(microseconds: wallClockUSec())
    let reader = ConfigurationReader(
        zones: zones, home: ConfigurationFile.homeFolder(environment: environment), now: now)
    let configuration: Configuration
    do {
        configuration = try ConfigurationFile.read(path, reader, zones)
    } catch {
        throw StartError(exitCode: .configuration, message: "\(error)")
    }
    for warning in configuration.warnings { print("# \(warning)") }
    let width = (configuration.jobs.map(\.name) + configuration.refused.map(\.name)).map(\.count).max() ?? 0
    func line(_ name: String, _ text: String) {
        print(name + String(repeating: " ", count: max(0, width - name.count)) + "  " + text)
    }
    for job in configuration.jobs {
        let next = job.schedules.compactMap { $0.timetable.next(after: now) }.min()
        let schedule = job.schedules.map(\.text).joined(separator: "; ")
        let when = job.isEnabled ? next.map { $0.rfc3339(in: job.zone) } ?? "not scheduled" : "disabled"
        line(job.name, "\(when)  \(schedule)")
    }
    for refused in configuration.refused { line(refused.name, "error: \(refused.error)") }
}
