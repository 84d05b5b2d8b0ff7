import Desktop
import EventLoop
import Execution
import Processes
import Schedules
import Scheduling

/// Supervisors that are there before their runs.
///
/// To start one takes two or three milliseconds, and to have it put into a scope ten or twenty: the kernel lets a moment
/// pass before it moves a process. So a little before the next fire time the supervisors of the runs that it will most
/// likely start are started, and held at their gates. The run is decided and on record when its time has come, as ever;
/// only then is its supervisor told what to run, with the environment of that moment. One that no run comes for has
/// started nothing, and ends; so it does where this daemon is killed.
extension Daemon {
    private enum Preparation {
        /// So long before the fire time.
        static let leadUSec: Int64 = 200_000
        /// With less time left it would be no help.
        static let leastUSec: Int64 = 20_000
        /// Of many that are due at once the others start when they are due.
        static let runsMax = 8
        /// So long after the fire time the manager is rid of the scope of one that was abandoned.
        static let scopeUSec: Int64 = 1_000_000
    }

    /// What was prepared is for this instant, for one that comes after it, or for nothing.
    func prepare(for instant: Instant?) {
        if let due = preparedInstant, instant.map({ $0 > due }) ?? true {
            preparedInstant = nil
            for held in prepared.values { held.abandon() }
        }
        let now = now
        guard let instant, instant.microseconds - now.microseconds >= Preparation.leastUSec else {
            preparationTimer?.disarm()
            return
        }
        preparationTimer?.arm(atUSec: UInt64(max(0, instant.microseconds - Preparation.leadUSec)))
    }

    func prepareExpected() {
        guard isReady, storeFault == nil else { return }
        let now = now
        preparedRuns = preparedRuns.filter { now.microseconds - $0.value.microseconds < Preparation.scopeUSec }
        for expected in scheduler.expectedRuns(atMost: Preparation.runsMax) where preparedRuns[expected.id] == nil {
            guard expected.due.microseconds - self.now.microseconds >= Preparation.leastUSec else { return }
            let held = hold(Self.request(run: expected.id, attempt: 1, expected.job), expected.job)
            held.onEnd = { [unowned self] _ in
                prepared[expected.id] = nil
                runner.removeOutput(run: expected.id, attempt: 1)
                exitIfDone()
            }
            prepared[expected.id] = held
            preparedRuns[expected.id] = expected.due
            preparedInstant = expected.due
        }
    }

    // MARK: - One supervisor

    /// What a supervisor is given when it starts, and nothing can change afterwards.
    static func request(run: String, attempt: Int, _ job: Job) -> AttemptRequest {
        var request = AttemptRequest(run: run, attempt: attempt, arguments: [], environment: [:], workingDirectory: "/")
        request.outputLimit = job.outputLimit
        if let input = job.standardInput { request.standardInput = .bytes(Array(input.utf8)) }
        return request
    }

    /// Starts a supervisor that is held, on its way into its scope where there is a user manager.
    ///
    /// - Parameter isAgain: the name of the scope has been used for this attempt before.
    func hold(_ request: AttemptRequest, _ job: Job, isAgain: Bool = false) -> HeldAttempt {
        let held = HeldAttempt(runner, request, job, isPlaced: userManager.isPresent)
        follow(held.handle, job.name)
        // Without one its end is about to be reported.
        guard held.isPlaced, let pid = held.handle.supervisorPID else { return held }
        let isFirst = request.attempt == 1 && !isAgain
        var scope = Scope(job: job.name, id: isFirst ? request.run : "\(request.run).\(request.attempt)")
        scope.memoryMaxBytes = job.resources.memoryMaxBytes.map { UInt64($0) }
        scope.cpuQuotaUSec = job.resources.cpuQuotaPercent.map { UInt64(min($0, 1e9) * 10_000) }
        scope.tasksMax = job.resources.tasksMax.map { UInt64($0) }
        userManager.place(pid, in: scope) { held.placed($0) }
        return held
    }
}
