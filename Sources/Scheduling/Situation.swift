public import Schedules

/// What holds when a core begins: at the start of a daemon, and where the core is built anew beside processes and
/// clients that live on.
public struct Situation: Sendable, Equatable {
    public enum Origin: Sendable, Equatable {
        /// A daemon starts: whoever took items of queues was a client of another one.
        case start
        /// The same daemon goes on after its store could not be written.
        case rebuild
    }

    public var origin: Origin
    /// Names the boot of the machine.
    public var bootID: String
    /// Since when the process lives: before it nothing of ours was there to run anything.
    public var processStartedAt: Instant
    /// What was found of the attempts that the store calls running, by run.
    public var evidence: [String: AttemptEvidence] = [:]
    public var isAsleep = false
    public var isStopping = false
    /// What is known of the surroundings by now.
    public var surroundings = Surroundings()

    public init(origin: Origin, bootID: String, processStartedAt: Instant) {
        self.origin = origin
        self.bootID = bootID
        self.processStartedAt = processStartedAt
    }
}

/// What was found of an attempt that is on record as running. What follows from it is decided in the core, together
/// with the boot that the attempt was claimed in (`Run.bootID`).
public enum AttemptEvidence: Sendable, Equatable {
    /// A supervisor holds its folder: it is followed.
    case held
    /// Its supervisor has written how it ended.
    case ended(AttemptOutcome)
    /// Nobody holds its folder, and its supervisor had passed its gate.
    case begun
    /// Nobody holds its folder, and its supervisor never passed its gate, or there never was one.
    case notBegun
    /// It has no folder, and there is no process of its supervisor.
    case gone
}
