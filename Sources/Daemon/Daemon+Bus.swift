import DBus
import Desktop
import EventLoop
import Scheduling

/// The daemon's place on the bus: its name, and what it does when the bus goes away.
///
/// Under a service manager the daemon ends when the bus is lost, with the exit code on which it is started anew: what
/// runs lives on under its supervisors, and a start is the one way back that is taken every day. Started by hand nobody
/// would start it again, so it keeps its schedule, and connects again as soon as there is a bus.
extension Daemon {
    enum Reconnection {
        static let firstUSec: UInt64 = 100_000
        static let longestUSec: UInt64 = 5_000_000
        /// A bus that is not back by then is gone with its session, and so is the daemon.
        static let patienceUSec: UInt64 = 300_000_000
        /// From the loss of the bus to the end of a service. A user manager (252) that is told of our end before it knows
        /// of the bus's connects to the socket of a bus that nobody serves, and stands still for 90 s.
        static let pauseUSec: UInt64 = 1_000_000
    }

    /// Asks for the name; what is decided is performed once it is ours.
    func takeName() {
        connection.onNameLost = { [unowned self] _ in
            isNameOwned = false
            log.warning("another program has taken the name on the bus; trying to take it again")
            takeNameSoon()
        }
        connection.requestName(Self.busName, .doNotQueue) { [unowned self] result in
            switch result {
            case .primaryOwner, .alreadyOwner:
                isNameOwned = true
                reconnectDelayUSec = 0
                if isReady { log.info("the name on the bus is ours again") } else { becomeReady() }
            case .exists, .inQueue:
                connection.owner(of: Self.busName) { [unowned self] owner in
                    let who = owner.map { $0.uniqueName.text + ($0.pid.map { ", process \($0)" } ?? "") }
                    nameIsRefused(
                        "it belongs to \(who ?? "another connection"); "
                            + "stop that daemon first (systemctl --user stop bot-cron.service, or botcrond --stop)")
                }
            case .failed(let error):
                // Said by whoever hears that the bus is gone.
                if connection.isOpen { nameIsRefused("\(error)") }
            }
        }
    }

    private func nameIsRefused(_ why: String) {
        let message = "cannot take the name \(Self.busName) on the bus: \(why)"
        guard isReady else { return fail(.unavailable, message) }
        // Said once, not at every try.
        if reconnectDelayUSec < Reconnection.longestUSec { log.warning(message) }
        takeNameSoon()
    }

    private func takeNameSoon() {
        reconnectTimer?.arm(atUSec: loop.now(.monotonic) + nextReconnectDelay())
    }

    private func nextReconnectDelay() -> UInt64 {
        reconnectDelayUSec = min(
            max(reconnectDelayUSec * 2, Reconnection.firstUSec), Reconnection.longestUSec)
        return reconnectDelayUSec
    }

    // MARK: - A bus that is gone

    func busIsLost(_ reason: String) {
        let message = "the connection to the bus is lost: \(reason)"
        guard isReady else { return fail(.unavailable, message) }
        isNameOwned = false
        forgetAllWaiters()
        // Nobody is asked for a scope any more whose answer nobody would hear.
        userManager.lose()
        sessionBus.move(to: nil)
        guard scheduler.status != .stopping else { return }
        guard !ServiceManager.isManaged else {
            log.error(message)
            exitCode = .unavailable
            busLossTimer?.arm(atUSec: loop.now(.monotonic) + Reconnection.pauseUSec)
            return
        }
        log.error(message + "; jobs are kept on time, and the bus is looked for")
        busLostAtUSec = loop.now(.monotonic)
        reconnectTimer?.arm(atUSec: loop.now(.monotonic) + nextReconnectDelay())
    }

    private func leaveForTheBus() {
        exitCode = .unavailable
        stop(because: "no bus")
    }

    /// Tries once; on a bus that is there, takes the name again.
    func reconnect() {
        guard scheduler.status != .stopping else { return }
        guard !connection.isOpen else { return takeName() }
        if loop.now(.monotonic) > busLostAtUSec + Reconnection.patienceUSec { return leaveForTheBus() }
        connection.close()
        do throws(DBusError) {
            connection = try Connection(to: busAddress, loop: loop)
        } catch {
            log.debug("there is no bus yet", [("BOTCRON_ERROR", "\(error)")])
            return takeNameSoon()
        }
        userManager = UserManager(connection: connection)
        exportInterface()
        connection.onDisconnected = { [unowned self] _ in takeNameSoon() }
        connection.onConnected = { [unowned self] in
            connection.onDisconnected = { [unowned self] reason in busIsLost(reason) }
            userManager.watch {}
            sessionBus.move(to: connection)
            takeName()
        }
    }
}
