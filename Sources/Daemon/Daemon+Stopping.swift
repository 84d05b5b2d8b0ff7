import Configuration
import DBus
import EventLoop
import Execution
import Scheduling

/// An attempt that is under way, and what is to become of it when the daemon stops.
struct RunningAttempt {
    let handle: AttemptHandle
    let onStop: StopAction
    /// Whether its supervisor still waits to be told what to run. Nobody could tell it after this daemon.
    var isBeginning = false
}

/// How the daemon ends.
extension Daemon {
    /// Beyond what runs are given to finish: for their grace after it, and for recording them.
    private static var stopReserve: Duration { .seconds(30) }

    /// Ends in good order. Runs go on under their supervisors, and the next daemon takes them over; but those whose job
    /// says `kill` are ended, and those whose job says `finish` are waited for.
    func stop(because reason: String) {
        guard scheduler.status != .stopping else { return }
        log.info("stopping", [("BOTCRON_REASON", reason)])
        ServiceManager.stopping()
        let isWaiting = attempts.values.contains { $0.onStop != .leave }
        if isWaiting {
            let patience = configuration.stopTimeout
            ServiceManager.notify("EXTEND_TIMEOUT_USEC=\((patience + Self.stopReserve).wholeMicroseconds)")
            stopTimer?.arm(atUSec: loop.now(.monotonic) + UInt64(max(0, patience.wholeMicroseconds)))
        }
        submit(.stopping)
    }

    /// Whether everything is done that a stopping daemon has to do.
    func exitIfDone() {
        guard scheduler.status == .stopping else { return }
        // Those that are being cancelled have been promised to somebody, and those that begin are on record.
        let awaited = attempts.values.count { $0.onStop != .leave || $0.handle.isEnding || $0.isBeginning }
        // A store that cannot be written does not keep a stopping daemon: the supervisors keep how their runs ended.
        guard awaited == 0, outbox.isEmpty || storeFault != nil else {
            ServiceManager.status("stopping, \(awaited) runs to finish")
            return
        }
        // With what they have: folders, and scopes that they may be on their way into.
        guard prepared.isEmpty else {
            for held in prepared.values { held.abandon() }
            return
        }
        connection.flush()
        loop.exit(exitCode.rawValue)
    }
}
