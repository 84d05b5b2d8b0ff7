internal import Configuration
internal import Contract
internal import Control
internal import DBus
internal import Desktop
internal import EventLoop
internal import Execution
internal import Glibc
internal import Machine
internal import Performing
internal import Processes
internal import SQLiteStore
internal import Schedules
internal import Scheduling
internal import Settings
internal import Store

/// The daemon: the rooms, wired. What each does is told in its own room; here is who knows whom, and when what begins.
///
/// ```swift
/// let daemon = try Daemon(options: options, environment: environment)     // throws StartError
/// exit(daemon.run())
/// ```
public final class Daemon {
    /// The daemon's life.
    private enum Life {
        /// The bus has not answered yet: neither is the name ours, nor is it known whether there is a user manager.
        case arriving
        /// The name is ours.
        case named
        /// It is known whether there is a user manager: runs that start have their scopes from the first one on.
        case attended
        /// Both: what is decided is performed.
        case serving
    }

    private let loop: EventLoop
    private let log: Log
    private let opening: StoreOpening
    private let settings: Settings
    private let engine: Engine
    private let attempts: Attempts
    private let messages: Messages
    private let retention: Retention
    private let session: SessionManager
    private let sessionBus: BusLink
    private let machine: Machine
    private let presence: BusPresence
    private let control: Control
    private let ending: Stop
    private var life = Life.arriving
    private var statusLine = StatusLine()
    /// Names that were refused when it was last looked.
    private var refused: Set<String> = []
    private var signals: [EventSource] = []

    /// Takes the state folder, opens the store, reads the configuration, and connects to the bus.
    ///
    /// - Throws: `StartError` with what was tried, what is wrong, and the exit code that says so to scripts.
    public init(options: DaemonOptions, environment: [String: String]) throws(StartError) {
        OpenFileLimit.raise()
        let home = ConfigurationFile.homeFolder(environment: environment)
        log = Log(identifier: "botcrond", threshold: options.isVerbose ? .debug : .info)
        let address: BusAddress = options.busAddress.map { .address($0) } ?? .session
        opening = try StoreOpening(
            in: options.statePath ?? ConfigurationFile.defaultStateDirectory(environment: environment), log)
        do {
            loop = try EventLoop()
            settings = Settings(
                configurationPath: options.configurationPath
                    ?? ConfigurationFile.defaultPath(environment: environment),
                home: home, zones: ZoneDatabase(), store: opening.store, loop: loop, log: log)
            engine = try Engine(
                loop: loop, log: log, store: opening.store, source: settings, seed: UInt64.random(in: 0 ... .max))
            let runner = try Runner(
                loop: loop, folder: opening.folder.path + "/" + StatePaths.runsName,
                credentialsFolder: environment["XDG_RUNTIME_DIR"].map { $0 + "/" + StatePaths.credentialsName })
            runner.sweepCredentials()
            presence = try Self.presence(address, loop, log)
            session = SessionManager(environment: environment)
            attempts = try Attempts(
                loop: loop, log: log, runner: runner, session: session, settings: settings, intake: engine, home: home)
            sessionBus = BusLink(presence.connection)
            messages = try Messages(
                loop: loop, log: log, settings: settings, intake: engine, store: opening.store, attempts: attempts,
                sessionBus: sessionBus)
            retention = try Retention(loop: loop, attempts: attempts, scheduler: engine, store: opening.store)
            ending = try Stop(loop: loop, log: log, engine: engine, attempts: attempts)
            machine = Machine(
                systemBus: BusLink(systemBus: environment["DBUS_SYSTEM_BUS_ADDRESS"], loop: loop),
                sessionBus: sessionBus, loop: loop, log: log, home: home)
            let facts = Facts(
                machine: machine, session: session,
                notifications: ServicePresence("org.freedesktop.Notifications", on: sessionBus), settings: settings,
                messages: messages)
            let service = Service(
                settings: settings, ending: ending, messages: messages, presence: presence, loop: loop,
                statePath: opening.folder.path)
            control = try Control(
                Control.Needs(
                    loop: loop, log: log, intake: engine, scheduler: engine, runs: attempts,
                    settings: settings,
                    machine: facts, service: service, store: opening.store))
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError(exitCode: ExitCode.failure, message: "\(error)")
        }
    }

    private static func presence(_ address: BusAddress, _ loop: EventLoop, _ log: Log) throws(StartError) -> BusPresence
    {
        do {
            return try BusPresence(address, name: BusName(trusted: Address.busName), loop: loop, log: log)
        } catch {
            throw StartError(
                exitCode: ExitCode.unavailable,
                message:
                    "\(error)\nLog in to a desktop session, or start one for a command: dbus-run-session -- botcrond")
        }
    }

    /// Runs until it is told to stop.
    ///
    /// - Returns: the exit code of the program.
    public func run() -> Int32 {
        defer {
            try? opening.store.checkpoint()
            opening.store.close()
            opening.folder.close()
        }
        do {
            try wire()
            return try loop.run()
        } catch {
            log.error("the daemon failed", [("BOTCRON_ERROR", "\(error)")])
            return ExitCode.failure
        }
    }

    // MARK: - Who tells whom

    /// Every closure is kept by a part that this object owns, and goes with it.
    private func wire() throws {
        try engine.attach(
            Engine.Performers(
                attempts: attempts, machine: machine, clocks: machine,
                observers: [attempts, settings, control, retention], sink: control, messages: messages))
        messages.runText = { [control] in control.runText($0) }
        // See above, here and below.
        engine.onTurnEnd = { [unowned self] in turnEnded() }
        engine.onConditions = { [control] in control.conditionsChanged() }
        engine.onRebuilt = { [control] in control.coreWasRebuilt() }
        // As above: this object owns who calls.
        engine.onFolderLost = { [unowned self] error in
            log.error("another daemon has taken the state folder", [("BOTCRON_ERROR", "\(error)")])
            leave(ExitCode.unavailable)
        }
        // As above: this object owns who calls.
        attempts.onProgress = { [unowned self] in ending.endIfDone() }
        // As above: this object owns who calls.
        settings.onChange = { [unowned self] in settingsChanged() }
        // As above: this object owns who calls.
        ending.onDone = { [unowned self] code in leave(code) }
        try machine.begin(
            intake: engine, settle: { [engine] in engine.settleNow() },
            // As above: this object owns who calls.
            shutDown: { [unowned self] reason in stop(because: reason) })
        presence.onConnection = { [control] connection in control.serve(on: connection) }
        // As above: this object owns who calls.
        presence.onGreeted = { [unowned self] connection in greeted(connection) }
        // As above: this object owns who calls.
        presence.onOwned = { [unowned self] in arrive(.named) }
        // As above: this object owns who calls.
        presence.onLost = { [unowned self] in busIsLost() }
        // As above: this object owns who calls.
        presence.onRefused = { [unowned self] message in fail(ExitCode.unavailable, message) }
        // As above: this object owns who calls.
        presence.onLeft = { [unowned self] reason in stop(because: reason, exitCode: ExitCode.unavailable) }
        for signal in [SIGTERM, SIGINT] {
            // As above: this object owns who calls.
            signals.append(try loop.signal(signal) { [unowned self] in stop(because: "signal \(signal)") })
        }
        signals.append(try loop.signal(SIGHUP) { [settings] in settings.reloadFromDisk() })
        if loop.enableWatchdog() { log.debug("the service watchdog is fed") }
        try presence.begin()
    }

    /// Of what is refused only the file and the bus tell; what is scheduled the core tells itself.
    private func settingsChanged() {
        let now = settings.refusedNames
        control.definitionsChanged(Array(refused.union(now)))
        refused = now
        messages.settingsChanged()
        turnEnded()
    }

    private func turnEnded() {
        if case .serving = life {
            statusLine.update(engine, settings.configuration.timezone, fault: settings.configurationFault)
        }
        ending.endIfDone()
    }

    // MARK: - The start

    /// What is due at the start is decided before the name is taken, because the first calls come with it; it is
    /// performed when the name is ours.
    private func greeted(_ connection: Connection) {
        sessionBus.move(to: connection)
        // The manager goes with the connection, which this object owns.
        session.move(to: UserManager(connection: connection)) { [unowned self] in arrive(.attended) }
        // A bus that is back, later: what runs is under way already.
        guard case .arriving = life else { return }
        // Without it each run on record would be judged as one of an earlier boot, and what it did be lost.
        guard !ProcessIdentity.currentBootID.isEmpty else {
            return fail(
                ExitCode.unavailable, "cannot read \(ProcessIdentity.bootIDPath), which says what can still run")
        }
        do {
            try loop.meter.exempting(TurnMeter.start) { try engine.prepareStart(bootID: ProcessIdentity.currentBootID) }
        } catch {
            fail(ExitCode.failure, "cannot take over the runs of an earlier daemon: \(error)")
        }
    }

    private func arrive(_ news: Life) {
        switch (life, news) {
        case (.arriving, _): life = news
        case (.named, .attended), (.attended, .named): serve()
        default: break
        }
    }

    private func serve() {
        life = .serving
        loop.meter.exempting(TurnMeter.start) {
            engine.begin()
            control.begin()
            settings.begin(intake: engine, reading: engine)
            ServiceManager.ready()
            machine.connect()
            retention.begin()
            messages.begin()
        }
        log.info(
            "ready",
            [("BOTCRON_JOBS", "\(engine.jobCount)"), ("BOTCRON_CONFIGURATION", settings.configurationPath)])
        turnEnded()
    }

    private func fail(_ code: Int32, _ message: String) {
        log.error("cannot start", [("BOTCRON_ERROR", message)])
        loop.exit(code)
    }

    // MARK: - The end

    private func busIsLost() {
        control.busIsLost()
        session.lose()
        sessionBus.move(to: nil)
    }

    private func stop(because reason: String, exitCode: Int32 = ExitCode.success) {
        // Nothing may be done before the name is ours: what was decided is decided again by the next daemon.
        guard case .serving = life else { return leave(exitCode) }
        ending.begin(because: reason, exitCode: exitCode, patience: settings.configuration.stopTimeout)
    }

    private func leave(_ exitCode: Int32) {
        engine.end()
        control.stop()
        presence.close()
        loop.exit(exitCode)
    }
}
