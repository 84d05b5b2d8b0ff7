public import EventLoop
internal import Execution
public import Scheduling
public import Store

/// What runs leave in the state folder goes with their records.
///
/// The store removes old runs by itself (a job's `history_limit`, `retention_days`); their folders are found by looking
/// which of them no run owns any more. That is done in small steps while nothing else is to do, some time after
/// a commit that may have removed runs, and never while nothing has run.
public final class Retention {
    private enum Limits {
        /// After the first commit that may have removed runs, so that the next ones are of the same sweep.
        static let delayUSec: UInt64 = 60_000_000
        /// Folders of one step: a look at the store for each, some 10 µs.
        static let stepMax = 100
    }

    private enum Sweep {
        case none
        /// One is due.
        case awaited
        case underWay(KeptAttempts)
    }

    private let loop: EventLoop
    private let attempts: Attempts
    private let scheduler: any SchedulerReading
    private let store: any Store
    private var sweep = Sweep.none
    private var timer: TimerSource?
    private var step: DeferredSource?

    public init(
        loop: EventLoop, attempts: Attempts, scheduler: any SchedulerReading, store: any Store
    ) throws(EventLoopError) {
        self.loop = loop
        self.attempts = attempts
        self.scheduler = scheduler
        self.store = store
        // Both sources go with their owner, this object.
        timer = try loop.timer(.monotonic, accuracyUSec: 1_000_000) { [unowned self] in begin() }
        // As above.
        step = try loop.deferred(priority: .idle) { [unowned self] in goOn() }
    }

    /// Looks through all folders, from now on.
    public func begin() {
        sweep = .underWay(attempts.runner.attemptsKept())
        step?.schedule()
    }

    /// One step; the next follows when nothing else is to do.
    private func goOn() {
        guard case .underWay(let walk) = sweep else { return }
        for _ in 0..<Limits.stepMax {
            guard let (run, attempt) = walk.next() else {
                sweep = .none
                return
            }
            guard !attempts.isOwned(run), (try? isOnRecord(run)) == false else { continue }
            // One that an earlier daemon left running (an errand that nobody waits for) is ended first.
            attempts.runner.endLeftover(run: run, attempt: attempt) { [attempts] in
                guard !attempts.isOwned(run) else { return }
                attempts.runner.removeOutput(run: run, attempt: attempt)
            }
        }
        step?.schedule()
    }

    private func isOnRecord(_ run: String) throws(StoreError) -> Bool {
        if scheduler.activeRun(id: run) != nil { return true }
        return try store.run(id: run) != nil
    }
}

extension Retention: CommitObserver {
    public func committed(_ changes: [StoreChange]) {
        guard case .none = sweep else { return }
        let mayRemove = changes.contains { change in
            switch change {
            case .prune, .pruneEnded: true
            default: false
            }
        }
        guard mayRemove else { return }
        sweep = .awaited
        timer?.arm(atUSec: loop.now(.monotonic) + Limits.delayUSec)
    }
}
