public import Configuration
public import EventLoop
internal import DBus
internal import Execution
internal import Glibc
internal import JSON
internal import Persistence
internal import Scheduling
internal import Schedules

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
    let connection: Connection
    let startedAtUSec: UInt64

    let configurationPath: String
    var configuration: Configuration
    /// Why config.json as it stands is not in force; the last good one is.
    var configurationFault: String?

    var outbox = Outbox()
    /// Why the last commit failed; everything that is not durable waits in the outbox.
    var storeFault: StoreError?
    var storeRetryDelay: UInt64 = 0
    private var flushSource: DeferredSource?
    private var timer: TimerSource?
    var storeRetryTimer: TimerSource?
    private var sources: [EventSource] = []
    var reloadTimer: TimerSource?

    /// What the replies of the core are for.
    var calls: [Ticket: (Reply) -> Void] = [:]
    private var lastTicket: Ticket = 0
    var waiters: [String: [RunWaiter]] = [:]
    /// The attempts whose processes are ours, by run.
    var handles: [String: AttemptHandle] = [:]
    var announcedNextRun = ""
    var isNameOwned = false

    static let busName: BusName = "com.aiworkflow.BotCron"
    static let objectPath: ObjectPath = "/com/aiworkflow/BotCron"
    static let interfaceName: InterfaceName = "com.aiworkflow.BotCron"

    /// Reads the configuration, takes the state folder and opens the store. The bus comes with `run`.
    ///
    /// - Throws: `StartError` with what was tried, what is wrong and the exit code that says so to scripts.
    public init(options: DaemonOptions, environment: [String: String]) throws(StartError) {
        self.environment = environment
        home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/"
        log = Log(identifier: "botcrond", threshold: options.isVerbose ? .debug : .info)
        do {
            loop = try EventLoop()
        } catch {
            throw StartError(exitCode: .failure, message: "\(error)")
        }
        startedAtUSec = loop.now(.boottime)
        let now = Instant(microseconds: Int64(loop.now(.realtime)))
        zones = ZoneDatabase()
        configurationPath = options.configurationPath ?? ConfigurationFile.defaultPath(environment: environment)

        let statePath = options.statePath ?? StateFolder.defaultPath(environment: environment)
        let stored: StoredState
        do {
            folder = try StateFolder(path: statePath)
            store = try SQLiteStore(path: folder.path + "/botcron.db")
            stored = try store.load()
        } catch {
            throw StartError(exitCode: error.isLocked ? .unavailable : .cannotCreate, message: "\(error)")
        }

        let reader = ConfigurationReader(
            zones: zones, home: home, now: now, registrations: Self.registrations(of: stored.jobs))
        do {
            configuration = try Self.read(configurationPath, reader, log)
        } catch {
            throw StartError(exitCode: .configuration, message: "\(error)")
        }
        let (busJobs, busRefused) = Self.restoreDefinitions(stored.definitions, reader, configuration)
        configuration.refused += busRefused
        scheduler = Scheduler(
            jobs: configuration.jobs + busJobs, retained: Set(configuration.refused.map(\.name)), stored: stored,
            settings: configuration.settings, isEnabled: configuration.isEnabled, register: store as! SQLiteStore,
            seed: Self.seed(), now: now)
        runner = Runner(loop: loop)

        let address: BusAddress = options.busAddress.map { .address($0) } ?? .session
        do {
            connection = try Connection(to: address, loop: loop)
        } catch {
            throw StartError(exitCode: .unavailable, message: "\(error)\n\(Self.busAdvice)")
        }
    }
}
