internal import EventLoop
internal import Execution
internal import Processes
public import Schedules
internal import Scheduling

/// Supervisors that are there before their runs.
///
/// To start one takes two or three milliseconds, and to have it put into a scope ten or twenty: the kernel lets a
/// moment pass before it moves a process. So a little before the next fire time the supervisors of the runs that it
/// will most likely start are started, and held at their gates. The run is decided and on record when its time has
/// come, as ever; only then is its supervisor told what to run, with the environment of that moment. One that no run
/// comes for has started nothing, and ends; so it does where this daemon is killed.
final class Preparation {
    enum Limits {
        /// So long before the fire time.
        static let leadUSec: Int64 = 200_000
        /// With less time left it would be no help.
        static let leastUSec: Int64 = 20_000
        /// So many at a time: of those that are due at once the others start when they are due.
        static let runsMax = 8
    }

    /// Called when it is time to prepare.
    var onDue: () -> Void = {}
    /// By run.
    private var gated: [String: GatedSupervisor] = [:]
    /// When they are due.
    private var due: Instant?
    private var timer: TimerSource?

    init(loop: EventLoop) throws(EventLoopError) {
        // The timer goes with its owner, this object.
        timer = try loop.timer(.realtime, accuracyUSec: 1000) { [unowned self] in onDue() }
    }

    var isEmpty: Bool { gated.isEmpty }

    func holds(_ run: String) -> Bool { gated[run] != nil }

    /// What was prepared for the run is the caller's from now on. Where it ends nobody is told, unless he asks to be.
    func take(_ run: String) -> GatedSupervisor? {
        let supervisor = gated.removeValue(forKey: run)
        supervisor?.onEnd = nil
        return supervisor
    }

    /// What was prepared is for this instant, for one that comes after it, or for nothing.
    func expect(_ instant: Instant?, now: Instant) {
        if let due, instant.map({ $0 > due }) ?? true {
            self.due = nil
            abandonAll()
        }
        guard let instant, instant.microseconds - now.microseconds >= Limits.leastUSec else {
            timer?.disarm()
            return
        }
        timer?.arm(atUSec: UInt64(max(0, instant.microseconds - Limits.leadUSec)))
    }

    func add(_ supervisor: GatedSupervisor, for run: String, due: Instant, ended: @escaping () -> Void) {
        gated[run] = supervisor
        self.due = due
        // The supervisor is held by this object.
        supervisor.onEnd = { [unowned self] _ in
            gated[run] = nil
            ended()
        }
    }

    func abandonAll() {
        for supervisor in gated.values { supervisor.abandon() }
    }
}

extension Attempts {
    public func expect(_ instant: Instant?) { preparation.expect(instant, now: intake.now) }

    func prepareExpected() {
        for expected in intake.expectedRuns(atMost: Preparation.Limits.runsMax) where !isOwned(expected.id) {
            guard expected.due.microseconds - intake.now.microseconds >= Preparation.Limits.leastUSec else { return }
            let supervisor = startGated(Self.request(run: expected.id, attempt: 1, expected.job), expected.job)
            // The supervisor goes with this object.
            preparation.add(supervisor, for: expected.id, due: expected.due) { [unowned self] in
                runner.removeOutput(run: expected.id, attempt: 1)
                emptyScopes.lookSoon()
                onProgress()
            }
        }
    }

    /// A daemon that stops leaves nothing behind that waits for a run: folders, and scopes that they may be on their
    /// way into.
    ///
    /// - Returns: whether there is nothing left.
    public func endPrepared() -> Bool {
        preparation.abandonAll()
        return preparation.isEmpty
    }
}
