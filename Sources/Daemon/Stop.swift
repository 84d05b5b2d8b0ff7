import Contract
import EventLoop
import Performing
import Schedules
import Scheduling

/// How the daemon ends. Runs go on under their supervisors, and the next daemon takes them over; but those whose job
/// says `kill` are ended, and those whose job says `finish` are waited for.
final class Stop {
    private enum State {
        case none
        /// Decided; what is to end or finish is waited for.
        case underWay(exitCode: Int32)
    }

    /// Beyond what runs are given to finish: for their grace after it, and for recording them.
    private static var reserve: Duration { .seconds(30) }

    private let loop: EventLoop
    private let log: Log
    private let engine: Engine
    private let attempts: Attempts
    private var state = State.none
    /// Armed while runs that are to finish are waited for.
    private var timer: TimerSource?
    /// Called when everything is done that a stopping daemon has to do.
    var onDone: (_ exitCode: Int32) -> Void = { _ in }

    init(loop: EventLoop, log: Log, engine: Engine, attempts: Attempts) throws(EventLoopError) {
        self.loop = loop
        self.log = log
        self.engine = engine
        self.attempts = attempts
        timer = try loop.timer(.monotonic, accuracyUSec: 1000) { engine.submit(.stopping) }
    }

    /// Ends in good order; a second wish changes nothing.
    ///
    /// - Parameter patience: what runs that are to finish are given.
    func begin(because reason: String, exitCode: Int32 = ExitCode.success, patience: Duration) {
        guard case .none = state else { return }
        state = .underWay(exitCode: exitCode)
        log.info("stopping", [("BOTCRON_REASON", reason)])
        ServiceManager.stopping()
        if attempts.endingAtStop > 0 {
            ServiceManager.notify("EXTEND_TIMEOUT_USEC=\((patience + Self.reserve).wholeMicroseconds)")
            timer?.arm(atUSec: loop.now(.monotonic) + UInt64(max(0, patience.wholeMicroseconds)))
        }
        engine.submit(.stopping)
        endIfDone()
    }

    /// To be called whenever something that is waited for may be over.
    func endIfDone() {
        guard case .underWay(let exitCode) = state else { return }
        let awaited = attempts.awaitedAtStop
        // A store that cannot be written keeps nobody: the supervisors keep how their runs ended.
        guard awaited == 0, engine.isSettled else {
            ServiceManager.status("stopping, \(awaited) runs to finish")
            return
        }
        guard attempts.endPrepared() else { return }
        onDone(exitCode)
    }
}
