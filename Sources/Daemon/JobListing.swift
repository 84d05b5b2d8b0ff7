internal import Configuration
internal import Contract
internal import EventLoop
internal import Schedules
internal import Scheduling

/// The jobs of a configuration and their next fire times, a line for each, without a daemon.
///
/// - Throws: `StartError` where the configuration cannot be read.
public func jobListing(options: DaemonOptions, environment: [String: String]) throws(StartError) -> String {
    let path = options.configurationPath ?? ConfigurationFile.defaultPath(environment: environment)
    let zones = ZoneDatabase()
    let now = Instant(microseconds: Int64(EventLoop.Clock.realtime.nowUSec))
    let reader = ConfigurationReader(
        zones: zones, home: ConfigurationFile.homeFolder(environment: environment), now: now)
    let configuration: Configuration
    do throws(ConfigurationError) {
        switch try ConfigurationFile.load(path: path) {
        case .absent: return "# there is no \(path): no jobs until it is written"
        case .bytes(let bytes):
            configuration = try reader.read(document: try ConfigurationFile.parse(bytes, path: path))
        }
    } catch {
        throw StartError(exitCode: ExitCode.failure, message: "\(error)")
    }
    var lines = configuration.warnings.map { "# \($0)" }
    let width = (configuration.jobs.map(\.name) + configuration.refused.map(\.name)).map(\.count).max() ?? 0
    func line(_ name: String, _ text: String) {
        lines.append(name + String(repeating: " ", count: max(0, width - name.count)) + "  " + text)
    }
    for job in configuration.jobs {
        let next = job.schedules.compactMap { $0.timetable.next(after: now) }.min()
        let schedule = job.schedules.map(\.text).joined(separator: "; ")
        let when = job.isEnabled ? next.map { $0.rfc3339(in: job.zone) } ?? "not scheduled" : "disabled"
        line(job.name, "\(when)  \(schedule)")
    }
    for refused in configuration.refused { line(refused.name, "error: \(refused.error)") }
    return lines.joined(separator: "\n")
}
