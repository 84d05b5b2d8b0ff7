internal import DBus
internal import EventLoop
internal import Glibc

/// Whether somebody uses the machine, as logind and the screen saver say: watched as long as this object lives.
///
/// Sharp edge: the desktop tells logind when its session is idle. Of a session on a terminal logind finds it out only
/// when it is asked, and says nothing when that changes: it is then as it was when this object was made.
public final class Idleness {
    public enum State: Equatable, Sendable {
        case inUse
        /// In µs since 1970; 0 where it has always been so.
        case idle(sinceUSec: UInt64)
    }

    /// Whether both have answered, or are known to be away.
    public var isKnown: Bool { user?.isKnown ?? false && isSaverKnown }
    /// Nil where neither can tell.
    public private(set) var state: State?

    private let changed: () -> Void
    private var user: RemoteProperties?
    private var saver: Peer?
    private var saverChange: Subscription?
    private var isSaverKnown: Bool
    private var saverState: State?
    private var hasTold = false

    private static let saverName: BusName = "org.freedesktop.ScreenSaver"
    private static let saverPath: ObjectPath = "/org/freedesktop/ScreenSaver"
    private static let saverInterface: InterfaceName = "org.freedesktop.ScreenSaver"

    /// - Parameter changed: called when it is known, and after each change.
    public init(_ systemBus: BusLink, session: BusLink, changed: @escaping () -> Void) {
        self.changed = changed
        isSaverKnown = session.isAway
        // Its real path: under `user/self` it can be asked, but tells nothing.
        guard let path = ObjectPath("/org/freedesktop/login1/user/_\(getuid())") else { return }
        user = RemoteProperties("org.freedesktop.login1", path, "org.freedesktop.login1.User", on: systemBus) {
            // It is this object's own, and calls nobody once it is gone.
            [unowned self] in read()
        }
        // So is this one.
        saver = Peer(Self.saverName, on: session) { [unowned self] in saverChanged($0) }
    }

    private func saverChanged(_ connection: Connection?) {
        guard let connection else {
            saverChange = nil
            return saverIs(nil)
        }
        let rule = MatchRule(
            sender: Self.saverName, path: Self.saverPath, interface: Self.saverInterface, member: "ActiveChanged")
        var hasSpoken = false
        saverChange = connection.subscribe(rule) { [weak self] in
            hasSpoken = true
            let now = EventLoop.Clock.realtime.nowUSec
            self?.saverIs($0.arguments.first?.asBool.map { $0 ? .idle(sinceUSec: now) : .inUse })
        }
        saver?.call(Self.saverPath, Self.saverInterface, "GetActive") { [weak self] result in
            // What it has said since then is newer.
            guard !hasSpoken else { return }
            guard (try? result.get())?.first?.asBool == true else {
                // That it is not active says little: the machine may be idle for a while already.
                self?.saverIs(nil)
                return
            }
            self?.askSince()
        }
    }

    private func askSince() {
        saver?.call(Self.saverPath, Self.saverInterface, "GetActiveTime") { [weak self] result in
            let seconds = UInt64((try? result.get())?.first?.asUInt32 ?? 0)
            let now = EventLoop.Clock.realtime.nowUSec
            self?.saverIs(.idle(sinceUSec: now - min(now, seconds * 1_000_000)))
        }
    }

    private func saverIs(_ state: State?) {
        isSaverKnown = true
        saverState = state
        read()
    }

    private func read() {
        guard isKnown else { return }
        let new = [logindState, saverState].compactMap { $0 }.reduce(nil as State?) { known, other in
            switch (known, other) {
            case (.idle(let one)?, .idle(let two)): .idle(sinceUSec: min(one, two))
            case (.idle(let since)?, .inUse), (_, .idle(let since)): .idle(sinceUSec: since)
            default: .inUse
            }
        }
        guard new != state || !hasTold else { return }
        hasTold = true
        state = new
        changed()
    }

    private var logindState: State? {
        guard let isIdle = user?.values["IdleHint"]?.asBool else { return nil }
        return isIdle ? .idle(sinceUSec: user?.values["IdleSinceHint"]?.asUInt64 ?? 0) : .inUse
    }
}
