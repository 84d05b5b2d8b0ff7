import Contract
import DBus
import EventLoop

/// The daemon's place on the session bus: the connection and the name, and what becomes of both when the bus goes away.
///
/// Under a service manager the daemon ends when the bus is lost, with the exit code on which it is started anew: what
/// runs lives on under its supervisors, and a start is the one way back that is taken every day. Started by hand nobody
/// would start it again, so it keeps its schedule, and connects again as soon as there is a bus.
final class BusPresence {
    enum State {
        /// The bus greets us.
        case connecting
        /// The name is asked for, for the first time.
        case claiming
        case owned
        /// The name was ours; it is asked for again and again.
        case reclaiming(delayUSec: UInt64)
        /// The bus is gone, and looked for.
        case lost(sinceUSec: UInt64, delayUSec: UInt64)
        /// The daemon ends without it.
        case left
    }

    private enum Limits {
        static let firstDelayUSec: UInt64 = 100_000
        static let longestDelayUSec: UInt64 = 5_000_000
        /// A bus that is not back by then is gone with its session, and so is the daemon.
        static let patienceUSec: UInt64 = 300_000_000
        /// From the loss of the bus to the end of a service. A user manager (252) that is told of our end before it
        /// knows of the bus's connects to the socket of a bus that nobody serves, and stands still for 90 s.
        static let pauseUSec: UInt64 = 1_000_000
    }

    /// Somebody has to know the connection before the name is asked for: objects are exported there.
    var onConnection: (Connection) -> Void = { _ in }
    /// The bus has greeted us: others on it can be asked. Called for each connection.
    var onGreeted: (Connection) -> Void = { _ in }
    /// The name is ours; called each time it has become so.
    var onOwned: () -> Void = {}
    /// The bus is gone.
    var onLost: () -> Void = {}
    /// The name, or the bus, cannot be had at the start: why.
    var onRefused: (String) -> Void = { _ in }
    /// The bus is not coming back.
    var onLeft: (String) -> Void = { _ in }

    private(set) var connection: Connection
    private(set) var state = State.connecting
    private let address: BusAddress
    private let name: BusName
    private let loop: EventLoop
    private let log: Log
    private var timer: TimerSource?

    init(_ address: BusAddress, name: BusName, loop: EventLoop, log: Log) throws(DBusError) {
        self.address = address
        self.name = name
        self.loop = loop
        self.log = log
        connection = try Connection(to: address, loop: loop)
    }

    func begin() throws(EventLoopError) {
        // This object owns the timer.
        timer = try loop.timer(.monotonic, accuracyUSec: 1000) { [unowned self] in timeIsUp() }
        use(connection)
    }

    /// Whether clients can reach us.
    var isReachable: Bool { if case .owned = state { connection.isOpen } else { false } }

    /// Everything that was sent is with the bus, as far as it takes it; and the connection is let go.
    func close() {
        connection.flush()
        connection.close()
    }

    private func use(_ connection: Connection) {
        let log = log
        connection.onFault = { fault in log.error("a fault on the bus", [("BOTCRON_ERROR", fault)]) }
        // This object owns the connection; so below.
        connection.onDisconnected = { [unowned self] reason in lost(reason) }
        // The connection goes with this object.
        connection.onConnected = { [unowned self] in
            switch state {
            case .connecting: state = .claiming
            default: state = .reclaiming(delayUSec: 0)
            }
            onGreeted(connection)
            claim()
        }
        // The connection goes with this object.
        connection.onNameLost = { [unowned self] _ in
            log.warning("another program has taken the name on the bus; trying to take it again")
            claimLater()
        }
        onConnection(connection)
    }

    // MARK: - The name

    private func claim() {
        // The connection goes with this object, and with it who is called back.
        connection.requestName(name, .doNotQueue) { [unowned self] result in
            switch result {
            case .primaryOwner, .alreadyOwner:
                if case .reclaiming = state { log.info("the name on the bus is ours again") }
                state = .owned
                onOwned()
            case .exists, .inQueue:
                // As above.
                connection.owner(of: name) { [unowned self] owner in
                    let who = owner.map { $0.uniqueName.text + ($0.pid.map { ", process \($0)" } ?? "") }
                    refused(
                        "it belongs to \(who ?? "another connection"); "
                            + "stop that daemon first (systemctl --user stop bot-cron.service, or botcrond --stop)")
                }
            case .failed(let error):
                // Said by whoever hears that the bus is gone.
                if connection.isOpen { refused("\(error)") }
            }
        }
    }

    private func refused(_ why: String) {
        switch state {
        case .connecting, .claiming: onRefused("cannot take the name \(name) on the bus: \(why)")
        case .owned, .lost, .left: break
        case .reclaiming(let delayUSec):
            // Said once, not at every try.
            if delayUSec < Limits.longestDelayUSec {
                log.warning(
                    "cannot take the name on the bus; trying again",
                    [("BOTCRON_NAME", name.text), ("BOTCRON_ERROR", why)])
            }
            claimLater()
        }
    }

    private func claimLater() {
        let delayUSec: UInt64 = if case .reclaiming(let last) = state { longer(last) } else { Limits.firstDelayUSec }
        state = .reclaiming(delayUSec: delayUSec)
        timer?.arm(atUSec: loop.now(.monotonic) + delayUSec)
    }

    private func longer(_ delayUSec: UInt64) -> UInt64 {
        min(max(delayUSec * 2, Limits.firstDelayUSec), Limits.longestDelayUSec)
    }

    // MARK: - A bus that is gone

    private func lost(_ reason: String) {
        switch state {
        case .connecting, .claiming: return onRefused("the connection to the bus is lost: \(reason)")
        case .left: return
        case .lost: return lookLater()
        case .owned, .reclaiming: break
        }
        onLost()
        guard !ServiceManager.isManaged else {
            log.error("the connection to the bus is lost", [("BOTCRON_ERROR", reason)])
            state = .left
            timer?.arm(atUSec: loop.now(.monotonic) + Limits.pauseUSec)
            return
        }
        log.error(
            "the connection to the bus is lost; jobs are kept on time, and the bus is looked for",
            [("BOTCRON_ERROR", reason)])
        state = .lost(sinceUSec: loop.now(.monotonic), delayUSec: Limits.firstDelayUSec)
        timer?.arm(atUSec: loop.now(.monotonic) + Limits.firstDelayUSec)
    }

    private func lookLater() {
        guard case .lost(let sinceUSec, let delayUSec) = state else { return }
        let next = longer(delayUSec)
        state = .lost(sinceUSec: sinceUSec, delayUSec: next)
        timer?.arm(atUSec: loop.now(.monotonic) + next)
    }

    private func timeIsUp() {
        switch state {
        case .connecting, .claiming, .owned: break
        case .reclaiming: claim()
        case .left: onLeft("no bus")
        case .lost(let sinceUSec, _):
            if loop.now(.monotonic) > sinceUSec + Limits.patienceUSec {
                state = .left
                return onLeft("no bus")
            }
            look()
        }
    }

    /// Tries once; on a bus that is there, the name is asked for again.
    private func look() {
        connection.close()
        do throws(DBusError) {
            connection = try Connection(to: address, loop: loop)
        } catch {
            log.debug("there is no bus yet", [("BOTCRON_ERROR", "\(error)")])
            return lookLater()
        }
        use(connection)
    }
}
