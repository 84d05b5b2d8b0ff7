internal import DBus
internal import EventLoop
internal import Glibc

/// logind, as a client of the system bus: it says when the machine sleeps, wakes and shuts down, gives us a moment
/// before it does, and keeps it awake where a run asks for it.
///
/// Two delay locks, on sleep and on shutdown, are held all the time (one for both is refused to a user). While they are
/// held, logind announces `PrepareForSleep(true)` and waits until the sleep lock is given back, or its own patience
/// (`InhibitDelayMaxUSec`) is at an end.
///
/// ```swift
/// let login = LoginManager(systemBus, who: "BotCron", why: "brings running jobs in order")
/// login.onSleep = { commitEverything(); login.releaseSleepLock() }
/// login.onWake = { catchUp() }
/// login.onChange = { log($0) }
/// systemBus.connect()
/// ```
///
/// Sharp edges:
/// - logind and the system bus may be absent, come late, or restart: that is a state (`isWatching`), not an error. The
///   locks survive a restart of logind, so one that is still held is not taken a second time.
/// - After a wake-up a new lock is taken by itself.
/// - A logind that goes away during a sleep does not tell its end, not even when it is back: so we are awake when it
///   goes, and when one that comes back knows of no sleep.
public final class LoginManager {
    /// The machine is about to sleep. Do what is needed, then `releaseSleepLock()`.
    public var onSleep: () -> Void = {}
    /// The machine is awake again, or did not go to sleep after all.
    public var onWake: () -> Void = {}
    /// The machine is about to shut down. Do what is needed, then `releaseShutdownLock()`.
    public var onShutdown: () -> Void = {}
    /// logind has come, gone, or refuses a lock: one sentence for the log.
    public var onChange: (String) -> Void = { _ in }
    /// The machine cannot be kept awake for somebody, and why: for who asked by `keepAwake`.
    public var onRefusal: (_ holder: String, _ reason: String) -> Void = { _, _ in }

    /// Whether logind answers: without it a sleep is found out only afterwards.
    public private(set) var isWatching = false
    /// Whether it has announced a sleep whose end it has not told.
    public private(set) var isAsleep = false
    public var holdsSleepLock: Bool { sleepLock != nil }
    public var holdsShutdownLock: Bool { shutdownLock != nil }

    private let link: BusLink
    private let who: String
    private let why: String
    private var logind: Peer?
    /// Whether it is known by now if logind is there.
    private var isFound = false
    private var subscriptions: [Subscription] = []
    private var sleepLock: UnixFD?
    private var shutdownLock: UnixFD?
    private var blocks: [String: Block] = [:]
    /// The last sentence told, so that nothing is told twice in a row.
    private var told = ""
    /// How long logind waits for delay locks; when it began to.
    private var delayMaxUSec: UInt64?
    private var sleepToldAtUSec: UInt64 = 0

    /// Somebody for whom the machine is kept awake.
    private struct Block {
        let why: String
        var lock: UnixFD?
    }

    private static let logind: BusName = "org.freedesktop.login1"
    private static let path: ObjectPath = "/org/freedesktop/login1"
    private static let interface: InterfaceName = "org.freedesktop.login1.Manager"

    /// - Parameters:
    ///   - who: shown by `systemd-inhibit --list`, as `why` is.
    public init(_ link: BusLink, who: String, why: String) {
        self.link = link
        self.who = who
        self.why = why
        // The peer is this object's own, and goes with it.
        logind = Peer(Self.logind, on: link) { [unowned self] connection in
            isFound = true
            if let connection { begin(connection) } else { logindIsGone() }
        }
    }

    public func releaseSleepLock() {
        guard sleepLock != nil else { return }
        sleepLock = nil
        let took = EventLoop.Clock.monotonic.nowUSec - sleepToldAtUSec
        guard let delayMaxUSec, took > delayMaxUSec / 2 else { return }
        tell("getting ready for sleep took \(took / 1000) ms of the \(delayMaxUSec / 1000) ms that logind waits")
    }

    public func releaseShutdownLock() { shutdownLock = nil }

    // MARK: - Keeping the machine awake

    /// Keeps the machine from going to sleep until `letSleep`, where logind permits it: `onRefusal` says where not.
    ///
    /// - Parameter why: a sentence that users read in `systemd-inhibit --list`.
    public func keepAwake(for holder: String, why: String) {
        guard blocks[holder] == nil else { return }
        blocks[holder] = Block(why: why)
        if isFound, logind?.connection == nil { return onRefusal(holder, "logind is away") }
        block(holder, why)
    }

    public func letSleep(for holder: String) { blocks[holder] = nil }

    private func block(_ holder: String, _ why: String) {
        inhibit("sleep", why, "block") { [weak self] result in
            switch result {
            // It may have ended meanwhile; the lock is dropped then.
            case .success(let lock): self?.blocks[holder]?.lock = lock
            case .failure(let error): self?.onRefusal(holder, "\(error)")
            }
        }
    }

    // MARK: - Sending the machine to sleep

    /// Sends the machine to sleep, where nobody has used it since an instant and nobody holds a lock on its sleep.
    ///
    /// - Parameters:
    ///   - usedSinceUSec: in µs since 1970.
    ///   - done: told why not; nil where it goes to sleep.
    public func suspend(unlessUsedSince usedSinceUSec: UInt64, _ done: @escaping (String?) -> Void) {
        guard logind?.connection != nil else { return done("logind is away") }
        askAll { [weak self] all in
            guard let self, let all else { return done("logind does not answer") }
            let locks = all["BlockInhibited"]?.asString ?? ""
            guard !locks.split(separator: ":").contains("sleep") else { return done("a lock on its sleep is held") }
            guard all["IdleHint"]?.asBool ?? false else { return done("it is in use") }
            guard all["IdleSinceHint"]?.asUInt64 ?? 0 <= usedSinceUSec else { return done("it was used") }
            // Not interactive: nobody is there to be asked.
            logind?.call(Self.path, Self.interface, "Suspend", [.bool(false)]) { result in
                if case .failure(let error) = result { done("\(error)") } else { done(nil) }
            }
        }
    }

    // MARK: - Coming and going

    private func begin(_ connection: Connection) {
        subscriptions = [
            // The subscription is this object's own, and goes with it.
            watch("PrepareForSleep", connection) { [unowned self] in $0 ? fallAsleep() : wakeUp() },
            // So is this one.
            watch("PrepareForShutdown", connection) { [unowned self] in if $0 { onShutdown() } },
        ]
        takeLocks()
        for (holder, block) in blocks where !isAlive(block.lock) { self.block(holder, block.why) }
        askHowItIs()
    }

    private func watch(
        _ member: MemberName, _ connection: Connection, _ handler: @escaping (Bool) -> Void
    ) -> Subscription {
        let rule = MatchRule(sender: Self.logind, path: Self.path, interface: Self.interface, member: member)
        return connection.subscribe(rule) { handler($0.arguments.first?.asBool ?? false) }
    }

    /// Takes the locks that are not held.
    private func takeLocks() {
        guard !isAsleep else { return }
        if !isAlive(sleepLock) { takeLock(on: "sleep") { $0.sleepLock = $0.isAsleep ? nil : $1 } }
        if !isAlive(shutdownLock) { takeLock(on: "shutdown") { $0.shutdownLock = $1 } }
    }

    private func takeLock(on what: String, _ take: @escaping (LoginManager, UnixFD) -> Void) {
        inhibit(what, why, "delay") { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let lock):
                take(self, lock)
                tell("logind is watched for sleep and shutdown")
            case .failure(let error):
                tell("logind gives no lock on \(what): \(error)")
            }
        }
    }

    private func inhibit(
        _ what: String, _ why: String, _ mode: String, _ done: @escaping (Result<UnixFD, ErrorReply>) -> Void
    ) {
        let arguments: [DBusValue] = [.string(what), .string(who), .string(why), .string(mode)]
        logind?.call(Self.path, Self.interface, "Inhibit", arguments) { result in
            done(
                result.flatMap { values in
                    values.first?.asUnixFD.map { .success($0) }
                        ?? .failure(ErrorReply(.failed, "Inhibit answered \(values)"))
                })
        }
    }

    /// Asks whether a sleep or a shutdown is being prepared: a signal that came before us is not repeated.
    public func askHowItIs() {
        askAll { [weak self] all in
            guard let self else { return }
            guard let all else { return logindIsGone() }
            isWatching = true
            delayMaxUSec = all["InhibitDelayMaxUSec"]?.asUInt64
            if all["PreparingForSleep"]?.asBool ?? false { fallAsleep() } else { wakeUp() }
            if all["PreparingForShutdown"]?.asBool ?? false { onShutdown() }
        }
    }

    private func askAll(_ done: @escaping (DBusValue?) -> Void) {
        logind?.call(Self.path, "org.freedesktop.DBus.Properties", "GetAll", [.string(Self.interface.text)]) { result in
            done((try? result.get())?.first)
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
        // That the bus itself is away has been told.
        if link.connection != nil {
            tell("logind is away, so a sleep of the machine is found out only afterwards")
        } else {
            told = ""
        }
        wakeUp()
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
        sleepToldAtUSec = EventLoop.Clock.monotonic.nowUSec
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
