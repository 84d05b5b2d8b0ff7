import Execution
import Processes
import Scheduling

/// One attempt that is on record and not over, as this daemon performs it.
final class LiveAttempt {
    enum Life {
        /// It is on record, and waits for its launch.
        case claimed
        /// A command runs that is to mend what the last attempt failed of.
        case mending
        /// Its supervisor is there and waits at its gate: on its way into its scope, or to hear what to run.
        case gated(GatedSupervisor)
        /// Past the gate.
        case begun(AttemptHandle)
        /// It has ended, and that is not committed yet.
        case over(AttemptOutcome)
    }

    let run: String
    let number: Int
    let job: String
    let onStop: StopAction
    /// What is to be started; nil for one that was taken over from an earlier daemon.
    let launch: Launch?
    var life = Life.claimed
    /// The supervisor that is there ahead of its launch.
    var prepared: GatedSupervisor?
    /// Its supervisor was killed before it began, and it has been launched once more.
    var isLaunchedAgain = false
    /// Somebody wants its end.
    var isEnding = false
    /// Whether the remedy before it succeeded; nil where there was none.
    var remedySucceeded: Bool?

    init(_ launch: Launch) {
        run = launch.run.id
        number = launch.run.attempt
        job = launch.job.name
        onStop = launch.job.onStop
        self.launch = launch
    }

    /// One that an earlier daemon started.
    init(adopting run: Run, onStop: StopAction) {
        self.run = run.id
        number = max(1, run.attempt)
        job = run.job
        self.onStop = onStop
        launch = nil
    }

    /// The supervisor that was prepared, to be used or ended; nil where there is none, or no longer.
    func takePrepared() -> GatedSupervisor? {
        defer { prepared = nil }
        return prepared.flatMap { $0.handle.isActive ? $0 : nil }
    }

    var handle: AttemptHandle? { if case .begun(let handle) = life { handle } else { nil } }

    /// Whether a daemon that stops waits for it: those that are to finish, those whose end somebody was promised, and
    /// those that are about to begin.
    var isAwaitedAtStop: Bool {
        switch life {
        case .claimed, .gated: true
        case .mending: isEnding
        case .begun: onStop != .leave || isEnding
        case .over: false
        }
    }

    var fields: [(String, String)] {
        [("BOTCRON_JOB", job), ("BOTCRON_EXECUTION_ID", run), ("BOTCRON_ATTEMPT", "\(number)")]
    }
}
