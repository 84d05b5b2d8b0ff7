import DBus
import Scheduling

/// What clients have asked for and not got yet, and how much of it there may be, so that one of them cannot use up what
/// the others need.
struct Callers {
    /// Beyond each the call is refused with `LimitsExceeded`.
    enum Limits {
        /// Calls of `wait_run` that are pending, of all clients and of one.
        static let waits = 1_000
        static let waitsPerCaller = 250
        /// Runs that one client has asked for and that have not ended.
        static let runsPerCaller = 5_000
        /// Jobs made over the bus.
        static let jobs = 20_000
        /// Of a JSON text that a method takes.
        static let jsonBytes = 4 << 20
        /// Of an idempotency key.
        static let keyBytes = 1_024
    }

    private var waits: [BusName: Int] = [:]
    private var waitCount = 0
    private var runs: [BusName: Int] = [:]
    /// Who asked for a run that has not ended.
    private var owners: [String: BusName] = [:]

    // MARK: - Waits

    mutating func beginWait(_ caller: BusName?) throws(ErrorReply) {
        let own = caller.map { waits[$0, default: 0] } ?? 0
        guard waitCount < Limits.waits, own < Limits.waitsPerCaller else {
            throw ErrorReply(
                .limitsExceeded,
                "cannot wait: \(own) calls of wait_run of this client are pending and \(waitCount) in all; at most "
                    + "\(Limits.waitsPerCaller) and \(Limits.waits)")
        }
        waitCount += 1
        if let caller { waits[caller, default: 0] += 1 }
    }

    mutating func endWait(_ caller: BusName?) {
        waitCount -= 1
        guard let caller else { return }
        waits[caller, default: 1] -= 1
        if waits[caller] == 0 { waits[caller] = nil }
    }

    // MARK: - Runs

    func admitRun(_ caller: BusName?) throws(ErrorReply) {
        let own = caller.map { runs[$0, default: 0] } ?? 0
        guard own < Limits.runsPerCaller else {
            throw ErrorReply(
                .limitsExceeded,
                "cannot start a run: \(own) runs that this client asked for have not ended; at most "
                    + "\(Limits.runsPerCaller)")
        }
    }

    /// A run was made for a client; one that an earlier request made stays with whoever asked first.
    mutating func asked(_ run: Run, _ caller: BusName?) {
        guard let caller, run.status.isActive, owners[run.id] == nil else { return }
        owners[run.id] = caller
        runs[caller, default: 0] += 1
    }

    mutating func recorded(_ changes: [StoreChange]) {
        guard !owners.isEmpty else { return }
        for change in changes {
            guard case .run(let run) = change, !run.status.isActive, let caller = owners.removeValue(forKey: run.id)
            else { continue }
            runs[caller, default: 1] -= 1
            if runs[caller] == 0 { runs[caller] = nil }
        }
    }
}
