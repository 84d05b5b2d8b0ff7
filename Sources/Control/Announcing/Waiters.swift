internal import DBus
internal import JSON
internal import Scheduling

/// Clients that wait for the end of a run. A client that leaves costs nothing any more.
final class Waiters {
    private struct Waiter {
        let call: MethodCall
        /// Forgets the client when it leaves the bus.
        var vanishing: Subscription?
    }

    private var waiters: [String: [Waiter]] = [:]
    private var bounds = CallerBounds(each: Bounds.waitsPerCaller, all: Bounds.waits)

    var count: Int { bounds.total }

    /// - Throws: `LimitsExceeded`.
    func wait(for run: String, _ call: MethodCall) throws(ErrorReply) {
        guard bounds.hasRoom(for: call.sender) else {
            throw ErrorReply(
                .limitsExceeded,
                "cannot wait: \(bounds.count(of: call.sender)) calls of wait_run of this client are pending and "
                    + "\(bounds.total) in all; at most \(Bounds.waitsPerCaller) and \(Bounds.waits)")
        }
        bounds.add(call.sender)
        var waiter = Waiter(call: call)
        if let sender = call.sender {
            waiter.vanishing = call.connection.watch(peer: sender) { [weak self] in self?.forget(sender, run) }
        }
        waiters[run, default: []].append(waiter)
    }

    /// The run has ended.
    ///
    /// - Parameter text: what is answered, JSON; made only where somebody waits.
    func ended(_ run: String, _ text: () -> String) {
        guard let waiting = take(run) else { return }
        let text = text()
        for waiter in waiting where !waiter.call.isAnswered { waiter.call.reply([.string(text)]) }
    }

    /// The daemon ends: each is told that its run goes on, and how to ask again.
    func stop() {
        for run in waiters.keys.sorted() {
            for waiter in take(run) ?? [] where !waiter.call.isAnswered {
                waiter.call.fail(.busy(whileWaitingFor: run))
            }
        }
    }

    /// Those who waited are on a bus that is gone.
    func busIsLost() {
        for run in waiters.keys.sorted() {
            for waiter in take(run) ?? [] { waiter.call.abandon() }
        }
    }

    private func forget(_ sender: BusName, _ run: String) {
        guard let waiting = waiters[run] else { return }
        for waiter in waiting where waiter.call.sender == sender {
            bounds.remove(sender)
            waiter.call.abandon()
        }
        let others = waiting.filter { $0.call.sender != sender }
        waiters[run] = others.isEmpty ? nil : others
    }

    private func take(_ run: String) -> [Waiter]? {
        guard let waiting = waiters.removeValue(forKey: run) else { return nil }
        for waiter in waiting {
            waiter.vanishing?.cancel()
            bounds.remove(waiter.call.sender)
        }
        return waiting
    }
}
