internal import Configuration
internal import Contract
internal import DBus
internal import EventLoop
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling
internal import Store

/// `cron_state.json`, a mirror of the state for readers such as `jq`: written by rename at most once a second, and
/// never read back.
final class StateMirror {
    private static let intervalUSec: UInt64 = 1_000_000
    /// Runs in the mirror.
    private static let runs = 20
    /// Jobs whose shapes are made in one step: 5 ms.
    private static let jobsPerStep = 100

    private let scheduler: any SchedulerReading
    private let settings: any SettingsControl
    private let intake: any Intake
    private let telling: RunTelling
    private let catalogue: Catalogue
    private let steps: Steps
    private let loop: EventLoop
    private let log: Log
    private var timer: TimerSource?
    private var writtenAtUSec: UInt64 = 0
    /// Whether the last write failed: it is said once, not every second.
    private var isBroken = false

    init(
        _ needs: Control.Needs, telling: RunTelling, catalogue: Catalogue, steps: Steps
    ) throws(EventLoopError) {
        scheduler = needs.scheduler
        settings = needs.settings
        intake = needs.intake
        loop = needs.loop
        log = needs.log
        self.telling = telling
        self.catalogue = catalogue
        self.steps = steps
        timer = try loop.timer(.monotonic, accuracyUSec: 100_000) { [weak self] in self?.writeWhenDurable() }
    }

    /// Beside config.json.
    var path: String { settings.configurationPath.folderOfPath + "/cron_state.json" }

    /// Something changed: the mirror follows, as soon as a second has passed since it was last written.
    func followSoon() { timer?.arm(atUSec: max(loop.now(.monotonic), writtenAtUSec + Self.intervalUSec)) }

    func stop() { timer?.cancel() }

    /// Writes the mirror as things stand when it is its turn (`Steps`); `done` gets why it could not, if so:
    /// `StoreFailed` where the store cannot be read, `InvalidConfig` where the file cannot be written.
    ///
    /// - Throws: `LimitsExceeded`.
    func write(_ done: @escaping (ErrorReply?) -> Void) throws(ErrorReply) {
        writtenAtUSec = loop.now(.monotonic)
        try state { [path] result in
            do throws(ErrorReply) {
                let text = try result.get().prettyText(indent: 2) + "\n"
                do throws(ConfigurationError) {
                    // It can be made anew at any time, so nobody waits for the disk.
                    try FileReplacement.replace(path, with: Array(text.utf8), isDurable: false)
                } catch {
                    throw ErrorReply(.invalidConfig, error.description)
                }
                done(nil)
            } catch {
                done(error)
            }
        }
    }

    private func writeWhenDurable() {
        intake.whenDurable { [weak self] in
            do throws(ErrorReply) {
                try self?.write { [weak self] in self?.ended($0) }
            } catch {
                // Too many wait for answers; it is not forgotten.
                self?.followSoon()
            }
        }
    }

    private func ended(_ error: ErrorReply?) {
        if let error, !isBroken {
            log.warning("the mirror of the state cannot be written", [("BOTCRON_ERROR", error.message)])
        }
        isBroken = error != nil
    }

    /// STATE, as the older clients read it. Of more than `Bounds.statusJobs` jobs the first ones are in it, and
    /// `jobs_omitted` says how many are not.
    ///
    /// - Throws: `LimitsExceeded`.
    func state(_ done: @escaping (Result<JSONValue, ErrorReply>) -> Void) throws(ErrorReply) {
        var rest = jobs(settings.configuration)[...]
        var shapes: [JSONValue] = []
        try steps.begin { [weak self] in
            guard let self else { return false }
            for name in rest.prefix(Self.jobsPerStep) {
                if let view = scheduler.job(named: name) { shapes.append(.object(shape(of: view))) }
            }
            rest = rest.dropFirst(Self.jobsPerStep)
            guard rest.isEmpty else { return true }
            do throws(ErrorReply) { done(.success(try state(with: shapes))) } catch { done(.failure(error)) }
            return false
        }
    }

    private func state(with jobs: [JSONValue]) throws(ErrorReply) -> JSONValue {
        let configuration = settings.configuration
        var shape: JSONObject = [
            "enabled": .bool(scheduler.isEnabled),
            "timezone": .string(configuration.timezone.name),
            "execution_mode": .string(configuration.executionMode),
            "jobs": .array(jobs),
            "history": .array(try telling.ended(Self.runs).map { telling.json(of: $0) }),
            "total_history": .number(try telling.statistics().recorded),
            "updated_at": .instant(scheduler.now, configuration.timezone),
        ]
        let omitted = scheduler.jobCount - jobs.count
        if omitted > 0 { shape["jobs_omitted"] = .number(omitted) }
        return .object(shape)
    }

    /// In the order of the configuration, then those that were made over the bus.
    private func jobs(_ configuration: Configuration) -> [String] {
        let configured = configuration.jobs.prefix(Bounds.statusJobs).map(\.name)
        guard configured.count < min(Bounds.statusJobs, scheduler.jobCount) else { return configured }
        let known = Set(configured)
        let others = catalogue.names.lazy.filter { !known.contains($0) }
        return configured + others.prefix(Bounds.statusJobs - configured.count)
    }

    private func shape(of view: Scheduler.JobView) -> JSONObject {
        var shape = JobShape.json(view, of: scheduler)
        // These three words are all that older clients know.
        if view.active.contains(where: { scheduler.activeRun(id: $0)?.status == .running }) {
            shape["last_status"] = "running"
        } else if view.state.lastStatus?.isFailure ?? false {
            shape["last_status"] = "failed"
        }
        return shape
    }
}

extension String {
    /// The folder of a path; of a bare name it is `.`.
    fileprivate var folderOfPath: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }
}
