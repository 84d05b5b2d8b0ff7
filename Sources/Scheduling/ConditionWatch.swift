internal import Schedules

extension Scheduler {
    /// Which runs wait for what, and what is known of it.
    struct ConditionWatch {
        /// Runs with conditions that have their turn and no process yet.
        var runs: [String: ActiveRun] = [:]
        /// Runs with a process that end when a condition does.
        var guarded: [String: ActiveRun] = [:]
        /// Whether they are to be looked at in this turn.
        var isGuardDue = false
        /// Those to be looked at in this turn.
        var due: [ActiveRun] = []
        var surroundings = Surroundings()
        /// The facts that are watched, each since when.
        var asked: [Fact: Instant] = [:]
        /// What was told to be watched; nil before anything was.
        var told: Watch?
        /// Whether `runs` has changed since the facts to be watched were gathered.
        var isStale = true
        /// The answers are asked for once more, whether or not the facts are others.
        var isRepeated = false
        /// When the machine went to sleep, while it does.
        var sleptAt: Instant?
    }

    /// How far a run has come with its conditions.
    struct ConditionWait {
        enum Command {
            case notAsked
            case asked(Instant)
            case said(Bool, at: Instant)

            /// What it said does not count any more. One that may still answer is not asked a second time.
            mutating func forget(now: Instant) {
                if case .asked(let at) = self, at + Scheduler.commandPatience * 2 > now { return }
                self = .notAsked
            }
        }

        /// Until when it waits at most; nil before it was first looked at.
        var until: Instant?
        var command = Command.notAsked
        /// What did not hold when it was last looked at.
        var unmet: [Condition] = []
        /// The time is over, and the job wants to run all the same.
        var isWaived = false
        var precheck = Precheck.notAsked
        /// What has held since its process is there.
        var seen: Set<Fact> = []

        enum Precheck {
            case notAsked
            case asked(Instant)
            case answered(PollAnswer)
            /// It is not asked again.
            case passed
        }
    }
}
