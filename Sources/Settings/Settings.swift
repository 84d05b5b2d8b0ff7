public import Configuration
public import EventLoop
internal import JSON
public import Performing
public import Schedules
public import Scheduling
public import Store

/// What is in force: config.json or the last good text of it, state.json, the definitions that came over the bus, and
/// the history of an older program.
///
/// It reads files and keeps notes in the store; what follows from them the core decides. Each part owns its state:
/// `ConfigurationInForce` what config.json says, `BusDefinitions` what no longer reads, `StateFileSync` the overrides,
/// `HistoryTakeOver` what is still to be handed over.
///
/// ```swift
/// let settings = Settings(configurationPath: path, home: home, zones: zones, store: store, loop: loop, log: log)
/// let engine = Engine(source: settings, …)              // asks for `coreInputs`
/// settings.begin(intake: engine, reading: engine)       // watches from now on
/// ```
///
/// Sharp edges:
/// - Nothing is read before `coreInputs` is asked for the first time: what the store remembers of the jobs is needed
///   to read them. Until then no job is in force.
/// - No file stops a daemon from starting: what is wrong is in `configurationFault`.
public final class Settings: CoreSource, CommitObserver {
    public let configurationPath: String
    /// What is in force: of config.json as it stands, or as it last was good; with every refused definition.
    public private(set) var configuration: Configuration
    /// Called when `configuration` or `configurationFault` may be others.
    public var onChange: () -> Void = {}

    let zones: ZoneDatabase
    let home: String
    let store: any Store
    let loop: EventLoop
    let log: Log
    let clock: () -> Instant
    private let inForce: ConfigurationInForce
    private let definitions = BusDefinitions()
    private let stateFile: StateFileSync
    private var takeOver: HistoryTakeOver?
    /// Tells the core, in a turn of its own, what files say beyond what the store held.
    private var settling: DeferredSource?
    /// Whether it was told once: after that, cores are built anew.
    private var hasSettled = false
    private var watches: FileWatches?
    /// Weak, because the engine holds this as its source.
    private weak var intake: (any Intake)?
    private(set) weak var reading: (any SchedulerReading)?

    /// - Parameters:
    ///   - configurationPath: config.json; state.json and cron_history.json are looked for beside it.
    ///   - home: what `~` stands for.
    ///   - clock: the wall clock; the loop's where none is given.
    public init(
        configurationPath: String, home: String, zones: ZoneDatabase, store: any Store, loop: EventLoop, log: Log,
        clock: (() -> Instant)? = nil
    ) {
        self.configurationPath = configurationPath
        self.home = home
        self.zones = zones
        self.store = store
        self.loop = loop
        self.log = log
        self.clock = clock ?? { Instant(microseconds: Int64(loop.now(.realtime))) }
        zones.fallBackToUTC()
        inForce = ConfigurationInForce(path: configurationPath, zones: zones, store: store, log: log)
        configuration = inForce.configuration
        stateFile = StateFileSync(path: configurationPath.folderOfPath + "/state.json", store: store, log: log)
        if let zoneFault = zones.localFault {
            log.error(
                "the machine's time zone cannot be read; UTC is in its place", [("BOTCRON_ERROR", "\(zoneFault)")])
        }
    }

    // MARK: - What is in force

    /// Why config.json as it stands is not in force; nil while it is.
    public var configurationFault: ConfigurationError? { inForce.fault }

    /// Why TZ, or the machine's zone, cannot be read; UTC is in its place then. Nil where it can.
    public var zoneFault: ScheduleError? { zones.localFault }

    /// Whether a text of config.json that is not the file's is in force.
    public var isUsingLastGood: Bool { inForce.isUsingLastGood }

    /// Names that stand in the configuration, or came over the bus, with a definition that is refused.
    public var refusedNames: Set<String> { Set(configuration.refused.map(\.name)) }

    /// Whether a definition that came over the bus no longer reads, and can be forgotten
    /// (`Event.definitionForgotten`).
    public func isRefusedDefinition(of name: String) -> Bool { definitions.isRefused(name) }

    public func coreInputs(from stored: StoredState, now: Instant) -> CoreInputs {
        var finder = StateFinder(stored.jobs)
        let states = stored.jobs
        let reader = ConfigurationReader(zones: zones, home: home, now: now) { job in
            finder.place(of: job).map {
                Registration(scheduleKey: states[$0].scheduleKey, registeredAt: states[$0].registeredAt)
            }
        }
        if !inForce.isLoaded {
            inForce.load(with: reader)
            offerHistory(stored, now: now)
        }
        let restored = definitions.restore(stored.definitions, with: reader, in: inForce.configuration)
        publish()
        // Of a hundred thousand there is one array then.
        let jobs = restored.isEmpty ? inForce.configuration.jobs : inForce.configuration.jobs + restored
        var stored = stored
        stateFile.layOver(&stored, jobs: jobs)
        // A core that is built anew is told once it has begun.
        settling?.schedule()
        if settling == nil { sayRefused() }
        return CoreInputs(
            jobs: jobs, retained: refusedNames,
            unscheduled: definitions.unscheduled(stored.activeRuns, with: reader, in: configuration), stored: stored,
            settings: configuration.settings, isEnabled: configuration.isEnabled)
    }

    /// The core is there: what files say beyond what the store holds is told to it, and files are watched from now on.
    public func begin(intake: any Intake, reading: any SchedulerReading) {
        self.intake = intake
        self.reading = reading
        do {
            settling = try loop.deferred { [weak self] in self?.settle() }
            settling?.schedule()
            watches = try FileWatches(
                configuration: configurationPath, stateFile: stateFile.path, zones: zones.directory, loop: loop,
                log: log
            ) { [weak self] change in self?.fileChanged(change) }
            try takeOver?.begin(intake: intake, loop: loop)
        } catch {
            log.error("files are not watched; SIGHUP reloads them", [("BOTCRON_ERROR", "\(error)")])
        }
    }

    private func fileChanged(_ change: FileWatches.Change) {
        switch change {
        case .configuration: reloadIfChanged()
        case .stateFile:
            guard let intake, let reading else { return }
            loop.meter.exempting(TurnMeter.reload) {
                stateFile.takeUp(intake, reading, isEnabledByDefault: configuration.isEnabled)
            }
        case .zones: reloadFromDisk()
        }
    }

    public func committed(_ changes: [StoreChange]) {
        guard let reading else { return }
        if definitions.committed(changes) { publish() }
        stateFile.committed(changes, reading)
        inForce.keepLastGood()
    }

    private func settle() {
        guard let intake, let reading else { return }
        loop.meter.exempting(hasSettled ? TurnMeter.rebuild : TurnMeter.start) {
            stateFile.settle(intake, reading, isEnabledByDefault: configuration.isEnabled)
            intake.whenDurable { [weak self] in self?.inForce.keepLastGood() }
        }
        hasSettled = true
    }

    private func publish() {
        configuration = inForce.configuration
        configuration.refused += definitions.refusals
        if let zoneFault { configuration.warnings.append("UTC is in place of the machine's zone: \(zoneFault)") }
        onChange()
    }

    // MARK: - Reloading

    /// Takes up config.json as it stands, by difference.
    ///
    /// - Throws: where the file cannot be read or understood as a whole; then nothing has changed.
    @discardableResult
    public func reload() throws(SettingsError) -> ReloadResult {
        try inForce.isUnchanged() && definitions.refusals.isEmpty ? whatStands() : readAnew()
    }

    /// What a reload of the bytes that were read last comes to: nobody waits for the reading of a file in vain, which
    /// may be large.
    private func whatStands() throws(SettingsError) -> ReloadResult {
        if let fault = inForce.fault { throw .configuration(fault) }
        var result = ReloadResult()
        result.refused = configuration.refused
        return result
    }

    private func readAnew() throws(SettingsError) -> ReloadResult {
        try exemptAsReload { () throws(SettingsError) in try takeUpConfiguration() }
    }

    /// Does what takes long where a file has changed (`TurnMeter`).
    func exemptAsReload<Value>(_ body: () throws(SettingsError) -> Value) throws(SettingsError) -> Value {
        try loop.meter.exempting(TurnMeter.reload) {
            do throws(SettingsError) { return Result<Value, SettingsError>.success(try body()) } catch {
                return .failure(error)
            }
        }.get()
    }

    func takeUpConfiguration() throws(SettingsError) -> ReloadResult {
        guard let intake, let reading else { return ReloadResult() }
        let reader = currentReader()
        var next: Configuration
        do {
            next = try inForce.read(with: reader)
        } catch {
            onChange()
            watches?.lookAgain()
            throw .configuration(error)
        }
        let old = Dictionary(inForce.configuration.jobs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let hasNamesakes = definitions.refuseNamesakes(in: &next, reading)
        let (retried, renewed) = definitions.retry(with: reader, in: next, reading)
        inForce.take(next, hasNamesakes: hasNamesakes)
        publish()
        intake.submit(
            .configurationChanged(
                jobs: next.jobs, retained: refusedNames, settings: next.settings, isEnabled: next.isEnabled))
        // What state.json says of them held before they were there.
        stateFile.apply(to: next.jobs.map(\.name).filter { old[$0] == nil }, intake, reading)
        for job in retried + renewed { intake.ask({ .jobUpserted(job, ticket: $0) }, then: { _ in }) }
        intake.whenDurable { [weak self] in self?.inForce.keepLastGood() }
        sayRefused()

        var result = ReloadResult()
        let after = Set(next.jobs.map(\.name))
        result.added = after.filter { old[$0] == nil }.sorted()
        result.removed = old.keys.filter { !after.contains($0) }.sorted()
        result.changed = next.jobs.filter { job in old[job.name].map { $0 != job } ?? false }.map(\.name).sorted()
        result.refused = configuration.refused
        return result
    }

    /// Takes up every file as it stands, zone files too, and says in the log what came of it: SIGHUP.
    public func reloadFromDisk() {
        let changed = zones.reload()
        if !changed.isEmpty {
            log.info("time zones changed", [("BOTCRON_ZONES", changed.sorted().joined(separator: " "))])
        }
        if changed.isEmpty { reloadAndSay { () throws(SettingsError) in try reload() } } else { readAnewAndSay() }
    }

    private func reloadIfChanged() {
        if inForce.isUnchanged() { onChange() } else { readAnewAndSay() }
    }

    private func readAnewAndSay() { reloadAndSay { () throws(SettingsError) in try readAnew() } }

    func reloadAndSay(_ reload: () throws(SettingsError) -> ReloadResult) {
        do throws(SettingsError) {
            let result = try reload()
            log.info(
                "configuration reloaded",
                [
                    ("BOTCRON_ADDED", "\(result.added.count)"), ("BOTCRON_CHANGED", "\(result.changed.count)"),
                    ("BOTCRON_REMOVED", "\(result.removed.count)"), ("BOTCRON_REFUSED", "\(result.refused.count)"),
                ])
        } catch {
            log.error(
                "the configuration was not reloaded; the last good one stays in force", [("BOTCRON_ERROR", "\(error)")])
        }
    }

    private func sayRefused() {
        for warning in configuration.warnings { log.warning("a remark on config.json", [("BOTCRON_WARNING", warning)]) }
        for refused in configuration.refused {
            log.warning("a job was refused", [("BOTCRON_JOB", refused.name), ("BOTCRON_ERROR", refused.error)])
        }
    }

    // MARK: - The older history

    private func offerHistory(_ stored: StoredState, now: Instant) {
        takeOver = HistoryTakeOver(
            path: configurationPath.folderOfPath + "/cron_history.json", zone: inForce.configuration.timezone,
            now: now, store: store, log: log)
    }
}
