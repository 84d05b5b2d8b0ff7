internal import DBus
public import EventLoop
internal import Glibc

/// logind, as a client of the system bus: it says when the machine sleeps, wakes and shuts down, and gives us a moment
/// before it does.
///
/// Two delay locks, on sleep and on shutdown, are held all the time (one for both is refused to a user). While they are
/// held, logind announces `PrepareForSleep(true)` and waits until the sleep lock is given back, or its own patience
/// (`InhibitDelayMaxUSec`) is at an end.
///
/// ```swift
/// let login = LoginManager(loop: loop, who: "BotCron", why: "brings running jobs in order")
/// login.onSleep = { commitEverything(); login.releaseSleepLock() }
/// login.onWake = { catchUp() }
/// login.onChange = { log($0) }
/// login.connect()
/// ```
///
/// Sharp edges:
/// - logind and the system bus may be absent, come late, or restart: that is a state (`isWatching`), not an error. The
///   locks survive a restart of logind, so one that is still held is not taken a second time.
/// - After a wake-up a new lock is taken by itself.
public final class LoginManager {
    /// The machine is about to sleep. Do what is needed, then `releaseSleepLock()`.
    public var onSleep: () -> Void = {}
    /// The machine is awake again, or did not go to sleep after all.
    public var onWake: () -> Void = {}
    /// The machine is about to shut down. Do what is needed, then `releaseShutdownLock()`.
    public var onShutdown: () -> Void = {}
    /// logind has come, gone, or refuses a lock: one sentence for the log.
    public var onChange: (String) -> Void = { _ in }

    /// Whether logind answers: without it a sleep is found out only afterwards.
    public private(set) var isWatching = false
    public var holdsSleepLock: Bool { sleepLock != nil }

    private let loop: EventLoop
    private let address: BusAddress
    /// The file of the system bus's socket; nil where the address names none.
    private let socket: String?
    private let who: String
    private let why: String
    private var connection: Connection?
    private var subscriptions: [Subscription] = []
    private var sleepLock: UnixFD?
    private var shutdownLock: UnixFD?
    private var isAsleep = false
    private var retryTimer: TimerSource?
    private var retryDelayUSec = Retry.firstUSec
    /// The last sentence told, so that nothing is told twice in a row.
    private var told = ""

    /// Tells when the socket of the system bus may have come.
    private var socketWatch: FileWatch?

    /// How long the system bus is left alone after it could not be reached, where it is there.
    private enum Retry {
        static let firstUSec: UInt64 = 1_000_000
        static let longestUSec: UInt64 = 300_000_000
    }

    private static let logind: BusName = "org.freedesktop.login1"
    private static let path: ObjectPath = "/org/freedesktop/login1"
    private static let interface: InterfaceName = "org.freedesktop.login1.Manager"

    /// - Parameters:
    ///   - address: of the system bus; another one in tests.
    ///   - who: shown by `systemd-inhibit --list`, as `why` is.
    public init(loop: EventLoop, systemBus address: String? = nil, who: String, why: String) {
        self.loop = loop
        let address = address ?? "unix:path=/run/dbus/system_bus_socket"
        self.address = .address(address)
        let path = "unix:path="
        socket = address.hasPrefix(path) ? String(address.dropFirst(path.count).prefix { $0 != "," && $0 != ";" }) : nil
        self.who = who
        self.why = why
    }

    /// Connects to the system bus, now and whenever it was lost.
    public func connect() {
        do {
            let connection = try Connection(to: address, loop: loop)
            self.connection = connection
            connection.onFault = { [unowned self] in tell("a fault on the system bus: \($0)") }
            connection.onConnected = { [unowned self] in begin() }
            connection.onDisconnected = { [unowned self] reason in lost("the system bus is lost: \(reason)") }
        } catch {
            lost("the system bus cannot be reached, so a sleep of the machine is found out only afterwards: \(error)")
        }
    }

    public func releaseSleepLock() { sleepLock = nil }

    public func releaseShutdownLock() { shutdownLock = nil }

    // MARK: - Coming and going

    private func begin() {
        retryDelayUSec = Retry.firstUSec
        watch("PrepareForSleep") { [unowned self] isAhead in isAhead ? fallAsleep() : wakeUp() }
        watch("PrepareForShutdown") { [unowned self] isAhead in if isAhead { onShutdown() } }
        let rule = MatchRule(
            sender: .bus, path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged",
            firstArgument: Self.logind.text)
        if let connection {
            subscriptions.append(
                connection.subscribe(rule) { [unowned self] signal in
                    signal.arguments.last?.asString == "" ? logindIsGone() : takeLocks()
                })
        }
        takeLocks()
    }

    private func watch(_ member: MemberName, _ handler: @escaping (Bool) -> Void) {
        guard let connection else { return }
        let rule = MatchRule(sender: Self.logind, path: Self.path, interface: Self.interface, member: member)
        subscriptions.append(connection.subscribe(rule) { handler($0.arguments.first?.asBool ?? false) })
    }

    /// Takes the locks that are not held, then asks whether the machine is preparing for sleep already: a signal that
    /// came before us is not repeated.
    private func takeLocks() {
        guard !isAsleep else { return }
        if !isAlive(sleepLock) {
            inhibit("sleep") { [unowned self] in sleepLock = $0 }
        }
        if !isAlive(shutdownLock) {
            inhibit("shutdown") { [unowned self] in shutdownLock = $0 }
        }
        let get = RemoteCall(
            Self.logind, Self.path, "org.freedesktop.DBus.Properties", "Get",
            [.string(Self.interface.text), .string("PreparingForSleep")], startsService: false)
        connection?.call(get) { [unowned self] result in
            guard case .success(let values) = result else { return logindIsGone() }
            isWatching = true
            if values.first?.unwrapped.asBool ?? false { fallAsleep() }
        }
    }

    private func inhibit(_ what: String, _ taken: @escaping (UnixFD) -> Void) {
        let call = RemoteCall(
            Self.logind, Self.path, Self.interface, "Inhibit",
            [.string(what), .string(who), .string(why), .string("delay")], startsService: false)
        connection?.call(call) { [unowned self] result in
            switch result {
            case .success(let values):
                guard let lock = values.first?.asUnixFD else { return }
                taken(lock)
                tell("logind is watched for sleep and shutdown")
            case .failure(let error):
                tell("logind gives no lock on \(what): \(error)")
            }
        }
    }

    /// A lock is a pipe to logind: it is dead when the other end was closed for good.
    private func isAlive(_ lock: UnixFD?) -> Bool {
        guard let lock else { return false }
        var entry = pollfd(fd: lock.borrowed, events: 0, revents: 0)
        return poll(&entry, 1, 0) >= 0 && entry.revents & Int16(POLLERR | POLLNVAL) == 0
    }

    private func logindIsGone() {
        isWatching = false
        tell("logind is away, so a sleep of the machine is found out only afterwards")
    }

    private func lost(_ reason: String) {
        isWatching = false
        subscriptions = []
        connection?.close()
        connection = nil
        tell(reason)
        connectLater()
    }

    /// A bus that is there is tried again after a while; one that is not is waited for without a wake-up.
    private func connectLater() {
        if let socket, access(socket, F_OK) != 0 {
            socketWatch = try? FileWatch(socket, on: loop) { [unowned self] in
                guard access(socket, F_OK) == 0 else { return }
                socketWatch = nil
                connect()
            }
            if socketWatch != nil, access(socket, F_OK) != 0 { return }
            // It cannot be watched, or has come meanwhile.
            socketWatch = nil
        }
        if retryTimer == nil {
            retryTimer = try? loop.timer(.monotonic, accuracyUSec: 1_000_000) { [unowned self] in connect() }
        }
        retryTimer?.arm(atUSec: loop.now(.monotonic) + retryDelayUSec)
        retryDelayUSec = min(retryDelayUSec * 2, Retry.longestUSec)
    }

    private func tell(_ sentence: String) {
        guard sentence != told else { return }
        told = sentence
        onChange(sentence)
    }

    // MARK: - Sleep

    private func fallAsleep() {
        guard !isAsleep else { return }
        isAsleep = true
        onSleep()
    }

    private func wakeUp() {
        guard isAsleep else { return }
        isAsleep = false
        sleepLock = nil
        takeLocks()
        onWake()
    }
}
