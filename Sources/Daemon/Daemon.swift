internal import Configuration
internal import DBus
internal import Desktop
internal import EventLoop
internal import Execution
internal import Glibc
internal import JSON
internal import SQLiteStore
internal import Store
internal import Processes
internal import Schedules
internal import Scheduling

/// The shell around the pure core: it hears what happens, asks the scheduler, and performs what it says.
///
/// Everything runs on one loop. An event goes in by `submit`; its effects gather in the outbox, and at the end of the
/// turn of the loop they are performed in the one order that makes every promise durable before it is visible: one
/// commit, then stops and starts of processes, the timer, signals, replies.
///
/// ```swift
/// let daemon = try Daemon(options: options, environment: environment)     // throws StartError
/// exit(daemon.run())
/// ```
public final class Daemon {
    let environment: [String: String]
    let home: String
    let log: Log
    let loop: EventLoop
    let zones: ZoneDatabase
    let folder: StateFolder
    let store: any Store
    let scheduler: Scheduler
    let runner: Runner
    let systemBus: BusLink
    /// Another one after the bus was lost.
    var connection: Connection
    let busAddress: BusAddress
    var busLostAtUSec: UInt64 = 0
    var reconnectDelayUSec: UInt64 = 0
    var reconnectTimer: TimerSource?
    let login: LoginManager
    var userManager: UserManager
    /// The session bus, for those who follow others on it.
    let sessionBus: BusLink
    /// What runs wait for, and the commands that are being asked, by run.
    lazy var surroundings = SurroundingsWatch(
        systemBus: systemBus, session: sessionBus, loop: loop, home: home
    ) { [unowned self] surroundings in
        log.debug("the surroundings are known", [("BOTCRON_FACTS", "\(surroundings.answered.count)")])
        submit(.surroundingsChanged(surroundings))
    }
    var checks: [String: AttemptHandle] = [:]
    /// Runs for which the machine is kept awake, and those for which that was refused.
    var heldAwake: Set<String> = []
    var awakeRefused: Set<String> = []
    /// The alarm that wakes the machine; why there can be none.
    var wakeTimer: TimerSource?
    var wakeFault: String?
    var isWakeFaultTold = false
    let notificationServer: ServicePresence
    let startedAtUSec: UInt64
    var clocks: ClockComparison

    let configurationPath: String
    var configuration: Configuration
    /// Definitions made over the bus that no longer read, listed among `configuration.refused`.
    var refusedDefinitions: [StoredState.StoredDefinition]
    /// Why config.json as it stands is not in force; the last good one is.
    var configurationFault: String?

    /// What is decided and not yet performed.
    var outbox = Outbox()
    /// Why the last commit failed: what is not durable waits in the outbox.
    var storeFault: StoreError?
    var storeRetryDelayUSec: UInt64 = 0
    /// What the replies of the core are for.
    var calls: [Ticket: (Reply) -> Void] = [:]
    private var lastTicket: Ticket = 0
    var waiters: [String: [RunWaiter]] = [:]
    var callers = Callers()
    /// The attempts that are under way, by run.
    var attempts: [String: RunningAttempt] = [:]
    /// Supervisors of runs that are about to be due, by run, and when they will be.
    var prepared: [String: HeldAttempt] = [:]
    var preparedInstant: Instant?
    /// When the runs are due for which one was prepared: for each once, as the name of its scope is then used up.
    var preparedRuns: [String: Instant] = [:]
    /// By run, whether the remedy before the attempt that is under way succeeded.
    var remedies: [String: Bool] = [:]
    /// Whether the store holds something to tell that is told by now, or is about to be.
    var hasUntold = false
    /// What was committed since the bus was lost, for the next daemon to tell.
    var untoldWithoutBus: String?
    var announcedNextRun = ""
    private(set) lazy var typedFace = TypedFace(daemon: self)
    var serviceStatus = ""

    var flushSource: DeferredSource?
    var timer: TimerSource?
    var preparationTimer: TimerSource?
    var storeRetryTimer: TimerSource?
    var reloadTimer: TimerSource?
    /// Armed while a stopping daemon waits for runs that are to finish.
    var stopTimer: TimerSource?
    /// Armed when the bus was lost.
    var busLossTimer: TimerSource?
    /// What retention left in the state folder is looked for: when, whether that is to be, what is still to look at.
    var sweepTimer: TimerSource?
    var sweepStep: DeferredSource?
    var isSweepArmed = false
    var sweepWalk: KeptAttempts?
    var configurationWatch: FileWatch?
    /// What state.json says, as far as we wrote or read it; the store has a note of it, which may be behind.
    var overrides: Overrides
    var isNoteStale = false
    /// Runs of an older program, to be recorded with the first commit.
    private var historyTakenOver: [StoreChange]
    /// Those that the store held at the start.
    var storedOverrides: [StoreChange]
    /// Overrides whose entry in state.json was taken away: the core holds them, the file is not to.
    var unsaid = Overrides()
    /// What `list_jobs` answers, kept for the next time.
    var jobList = JobListText()
    /// Nil until somebody asks for one.
    var queues: Queues?
    var stateFileWatch: FileWatch?
    var stateFileTimer: TimerSource?
    /// When the mirror of the state is written again, and when it was last.
    var mirrorTimer: TimerSource?
    var mirroredAtUSec: UInt64 = 0
    var isMirrorBroken = false
    /// When nothing has run for a moment, memory that only runs need is given back.
    var quietTimer: TimerSource?
    /// What has been said once about runs without a scope.
    var isScopeMissed = false
    var areLimitsWarned = false
    /// Whether files of time zones have changed since they were read.
    var areZonesStale = false
    private var sources: [EventSource] = []
    var isNameOwned = false
    /// Whether it is known if there is a user manager: runs that start have their scopes from the first one on.
    private var isManagerKnown = false
    /// Whether the name is ours, and all is known that the first runs need.
    private(set) var isReady = false
    /// What the program ends with, once everything is done.
    var exitCode = ExitCode.success

    static let busName: BusName = "com.aiworkflow.BotCron"
    static let objectPath: ObjectPath = "/com/aiworkflow/BotCron"
    static let interfaceName: InterfaceName = "com.aiworkflow.BotCron"

    /// Takes the state folder, opens the store, reads the configuration, and connects to the bus.
    ///
    /// - Throws: `StartError` with what was tried, what is wrong, and the exit code that says so to scripts.
    public init(options: DaemonOptions, environment: [String: String]) throws(StartError) {
        self.environment = environment
        home = ConfigurationFile.homeFolder(environment: environment)
        log = Log(identifier: "botcrond", threshold: options.isVerbose ? .debug : .info)
        do {
            loop = try EventLoop()
        } catch {
            throw StartError(exitCode: .failure, message: "\(error)")
        }
        startedAtUSec = loop.now(.boottime)
        zones = ZoneDatabase()
        configurationPath = options.configurationPath ?? ConfigurationFile.defaultPath(environment: environment)

        var opened: StoredState
        do {
            folder = try StateFolder(
                path: options.statePath ?? ConfigurationFile.defaultStateDirectory(environment: environment))
            (store, opened) = try Self.openStore(in: folder, log)
        } catch {
            throw StartError(exitCode: error.isLocked ? .unavailable : .cannotCreate, message: "\(error)")
        }

        let now = Instant(microseconds: Int64(loop.now(.realtime)))
        clocks = ClockComparison(ClockComparison.Reading(loop))
        let reader = ConfigurationReader(zones: zones, home: home, now: now, registrations: opened.registrations)
        do {
            configuration = try ConfigurationFile.read(configurationPath, reader, zones)
        } catch {
            throw StartError(exitCode: .configuration, message: "\(error)")
        }
        let restored = reader.restore(opened.definitions, in: configuration)
        overrides = Overrides()
        do {
            let last = Overrides(text: try store.note(.stateFile) ?? "")
            overrides = last
            if let file = try Self.readStateFile(Self.stateFilePath(beside: configurationPath)) {
                overrides = Overrides(file)
                overrides.apply(since: last, to: &opened, configuration.jobs + restored.jobs)
                isNoteStale = overrides != last
            }
        } catch {
            log.warning("state.json is not in force", [("BOTCRON_ERROR", "\(error)")])
        }
        configuration.refused += restored.refused
        refusedDefinitions = restored.refusedDefinitions
        historyTakenOver = Self.takeOverHistory(
            beside: configurationPath, store, configuration.timezone, jobs: configuration.jobs + restored.jobs,
            into: &opened, log)
        storedOverrides =
            [.schedulerOverride(opened.schedulerOverride)]
            + opened.jobs.filter { $0.isEnabledOverride != nil }.map { .jobState($0) }
        scheduler = Scheduler(
            jobs: configuration.jobs + restored.jobs, retained: Set(configuration.refused.map(\.name)), stored: opened,
            settings: configuration.settings, isEnabled: configuration.isEnabled, register: store, seed: randomSeed(),
            now: now)
        do {
            runner = try Runner(
                loop: loop, folder: folder.path + "/" + StatePaths.runsName,
                credentialsFolder: environment["XDG_RUNTIME_DIR"].map { $0 + "/" + StatePaths.credentialsName })
        } catch {
            throw StartError(exitCode: .failure, message: "\(error)")
        }
        systemBus = BusLink(systemBus: environment["DBUS_SYSTEM_BUS_ADDRESS"], loop: loop)
        login = LoginManager(systemBus, who: "BotCron", why: "Jobs are brought in order before the machine sleeps")
        busAddress = options.busAddress.map { .address($0) } ?? .session
        do {
            connection = try Connection(to: busAddress, loop: loop)
        } catch {
            throw StartError(
                exitCode: .unavailable,
                message:
                    "\(error)\nLog in to a desktop session, or start one for a command: dbus-run-session -- botcrond")
        }
        sessionBus = BusLink(connection)
        userManager = UserManager(connection: connection)
        notificationServer = ServicePresence("org.freedesktop.Notifications", on: sessionBus)
    }

    /// Runs until it is told to stop.
    ///
    /// - Returns: the exit code of the program.
    public func run() -> Int32 {
        do {
            try arrangeSources()
        } catch {
            log.error("cannot set up the event loop", [("BOTCRON_ERROR", "\(error)")])
            return ExitCode.failure.rawValue
        }
        exportInterface()
        connection.onDisconnected = { [unowned self] reason in busIsLost(reason) }
        connection.onConnected = { [unowned self] in
            decideStart()
            // Both at once: a start takes as long as the slower answer.
            userManager.watch { [unowned self] in
                isManagerKnown = true
                becomeReady()
            }
            takeName()
        }
        defer {
            try? store.checkpoint()
            store.close()
            folder.close()
        }
        do {
            return try loop.run()
        } catch {
            log.error("the event loop failed", [("BOTCRON_ERROR", "\(error)")])
            return ExitCode.failure.rawValue
        }
    }

    /// Opens the store; a damaged one is set aside, said loudly, and the daemon starts with what config.json says.
    private static func openStore(in folder: StateFolder, _ log: Log) throws(StoreError) -> (any Store, StoredState) {
        let path = folder.path + "/" + StatePaths.storeName
        func open() throws(StoreError) -> (any Store, StoredState) {
            let store = try SQLiteStore(path: path)
            store.onRescue = {
                log.error("the store was taken away while it was open, and is written anew", [("BOTCRON_STORE", path)])
            }
            return (store, try store.load())
        }
        do {
            return try open()
        } catch  where error.kind == .damaged {
            let date = Instant(microseconds: wallClockUSec()).rfc3339(in: .utc)
            let kept = try SQLiteStore.setAside(path: path, date: date)
            log.error(
                "the store is damaged and was set aside; history, toggles and jobs made over the bus begin anew",
                [("BOTCRON_ERROR", "\(error)"), ("BOTCRON_KEPT", kept)])
            return try open()
        }
    }

    private func arrangeSources() throws(EventLoopError) {
        flushSource = try loop.deferred { [unowned self] in flush() }
        timer = try loop.timer(.realtime, accuracyUSec: 1) { [unowned self] in submit(.tick) }
        preparationTimer = try loop.timer(.realtime, accuracyUSec: 1000) { [unowned self] in prepareExpected() }
        storeRetryTimer = try loop.timer(.monotonic, accuracyUSec: 1000) { [unowned self] in flush() }
        reloadTimer = try loop.timer(.monotonic, accuracyUSec: 1000) { [unowned self] in reloadFromDisk() }
        sweepTimer = try loop.timer(.monotonic, accuracyUSec: 1_000_000) { [unowned self] in beginSweep() }
        sweepStep = try loop.deferred(priority: .idle) { [unowned self] in sweep() }
        busLossTimer = try loop.timer(.monotonic, accuracyUSec: 1000) { [unowned self] in stop(because: "no bus") }
        stopTimer = try loop.timer(.monotonic, accuracyUSec: 1000) { [unowned self] in submit(.stopping) }
        reconnectTimer = try loop.timer(.monotonic, accuracyUSec: 1000) { [unowned self] in reconnect() }
        stateFileTimer = try loop.timer(.monotonic, accuracyUSec: 1000) { [unowned self] in takeUpStateFile() }
        mirrorTimer = try loop.timer(.monotonic, accuracyUSec: 100_000) { [unowned self] in writeMirrorOrSay() }
        quietTimer = try loop.timer(.monotonic, accuracyUSec: 1_000_000) { releaseIdleMemory() }
        for signal in [SIGTERM, SIGINT] {
            sources.append(try loop.signal(signal) { [unowned self] in stop(because: "signal \(signal)") })
        }
        sources.append(try loop.signal(SIGHUP) { [unowned self] in reloadFromDisk() })
        sources.append(
            try loop.clockChange { [unowned self] in noticeLostTime(isClockSet: true) })
        sources += watchFiles()
        if loop.enableWatchdog() { log.debug("the service watchdog is fed") }
    }

    // MARK: - The name on the bus

    /// What is due at the start is decided before the name is taken, because the first calls come with it; it is
    /// performed when the name is ours.
    private func decideStart() {
        logConfiguration()
        outbox.changes += historyTakenOver
        historyTakenOver = []
        runner.onTrouble = { [unowned self] error in
            log.error("cannot read how a run ended; trying again", [("BOTCRON_ERROR", error)])
        }
        do {
            submit(try adoptAttempts())
        } catch {
            fail(.failure, "cannot take over the runs of an earlier daemon: \(error)")
        }
    }

    func becomeReady() {
        guard !isReady, isNameOwned, isManagerKnown else { return }
        isReady = true
        typedFace.begin()
        tellUntold()
        flush()
        // What a daemon that was killed had committed and not written.
        writeOverrides(storedOverrides)
        storedOverrides = []
        noteOverrides()
        do throws(StoreError) {
            try store.returnQueueItems()
        } catch {
            log.warning("items of queues that were taken come again late", [("BOTCRON_ERROR", "\(error)")])
        }
        ServiceManager.ready()
        watchSleep()
        beginSweep()
        releaseIdleMemory()
        log.info("ready", [("BOTCRON_JOBS", "\(scheduler.jobCount)"), ("BOTCRON_CONFIGURATION", configurationPath)])
    }

    func fail(_ code: ExitCode, _ message: String) {
        log.error(message)
        loop.exit(code.rawValue)
    }

    // MARK: - Events

    var now: Instant { Instant(microseconds: Int64(loop.now(.realtime))) }

    /// Asks the core about an event; what it decides is performed at the end of this turn of the loop.
    func submit(_ event: Event) {
        noticeLostTime()
        decide(event)
    }

    func decide(_ event: Event) {
        outbox.add(scheduler.handle(event, at: now))
        switch event {
        case .surroundingsChanged, .conditionChecked: typedFace.touchWaitingJobs()
        default: break
        }
        flushSource?.schedule()
    }

    /// Calls back at the end of this turn, when everything decided so far is durable, or cannot be made so.
    func acknowledge(_ handler: @escaping (StoreError?) -> Void) {
        outbox.acknowledgements.append(handler)
        flushSource?.schedule()
    }

    /// A ticket for a request whose reply is to be passed on.
    func ticket(_ handler: @escaping (Reply) -> Void) -> Ticket {
        lastTicket += 1
        calls[lastTicket] = handler
        return lastTicket
    }

}

extension Daemon {
    func exportInterface() {
        connection.onFault = { [unowned self] fault in log.error("a fault on the bus", [("BOTCRON_ERROR", fault)]) }
        connection.export(ExportedObject(.root, [], isObjectManager: true))
        connection.export(
            ExportedObject(
                Self.objectPath, [ControlInterface(daemon: self).interface, typedFace.manager], isObjectManager: true))
        typedFace.export()
        connection.export(ExportedObject(LogControl.path, [LogControl(log: log).interface]), announces: false)
    }
}

extension StoreError {
    var isLocked: Bool { if case .locked = kind { true } else { false } }
}
