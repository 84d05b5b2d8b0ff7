import EventLoop
import Execution
import Store
import Scheduling

/// What runs leave in the state folder goes with their records.
///
/// The store removes old runs by itself (a job's `history_limit`, `retention_days`); their folders are found by looking
/// which of them no run owns any more. That is done in small steps while nothing else is to do, some time after
/// a commit that may have removed runs, and never while nothing has run.
extension Daemon {
    private enum Sweep {
        /// After the first commit that may have removed runs, so that the next ones are of the same sweep.
        static let delayUSec: UInt64 = 60_000_000
        /// Folders of one step: a look at the store for each, some 10 µs.
        static let stepMax = 100
    }

    func sweepSoon(_ changes: [StoreChange]) {
        let mayRemove = changes.contains { change in
            switch change {
            case .prune, .pruneEnded: true
            default: false
            }
        }
        guard mayRemove, !isSweepArmed else { return }
        isSweepArmed = true
        sweepTimer?.arm(atUSec: loop.now(.monotonic) + Sweep.delayUSec)
    }

    func beginSweep() {
        isSweepArmed = false
        sweepWalk = runner.attemptsKept()
        sweepStep?.schedule()
    }

    /// One step; the next follows when nothing else is to do.
    func sweep() {
        for _ in 0..<Sweep.stepMax {
            guard let (run, attempt) = sweepWalk?.next() else {
                sweepWalk = nil
                return
            }
            guard attempts[Self.owner(of: run)] == nil, prepared[run] == nil, checks[run] == nil,
                (try? isOnRecord(run)) == false
            else { continue }
            runner.removeOutput(run: run, attempt: attempt)
        }
        sweepStep?.schedule()
    }

    private func isOnRecord(_ run: String) throws(StoreError) -> Bool {
        if scheduler.activeRun(id: run) != nil { return true }
        return try store.run(id: run) != nil
    }
}
