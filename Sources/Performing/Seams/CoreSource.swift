public import EventLoop
public import Schedules
public import Scheduling

extension TurnMeter {
    /// The names under which it counts that a file which changed is taken up, and what is done at a start or after the
    /// core was built anew: when it is decided, and when what follows from it is put on record.
    public static let reload = "reload"
    public static let start = "start"
    public static let rebuild = "rebuild"
}

/// The definitions and settings that a core is built from, beside what the store holds. Given by Settings.
public protocol CoreSource: AnyObject {
    /// What is in force now. Asked at the start, and whenever the core is built anew from the store as it stands.
    func coreInputs(from stored: StoredState, now: Instant) -> CoreInputs
}

public struct CoreInputs: Sendable {
    /// Of config.json, and those that came over the bus and still read.
    public var jobs: [Job]
    /// Names that stand in the configuration with a definition that was refused: what is remembered of them is kept.
    public var retained: Set<String>
    /// By run, the definitions of stored runs whose job is not scheduled (`Run.definition`).
    public var unscheduled: [String: Job]
    /// The state that the store holds, with what state.json says laid over it.
    public var stored: StoredState
    public var settings: SchedulerSettings
    /// What config.json says.
    public var isEnabled: Bool

    public init(
        jobs: [Job], retained: Set<String>, unscheduled: [String: Job], stored: StoredState,
        settings: SchedulerSettings, isEnabled: Bool
    ) {
        self.jobs = jobs
        self.retained = retained
        self.unscheduled = unscheduled
        self.stored = stored
        self.settings = settings
        self.isEnabled = isEnabled
    }
}
