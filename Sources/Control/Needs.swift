public import Configuration
public import JSON
public import Scheduling

/// What Control needs of Settings: what is in force, and changes to it. The wiring makes Settings conform.
public protocol SettingsControl: AnyObject {
    /// What is in force: the zone, the modes, the jobs of config.json, and every definition that is refused.
    var configuration: Configuration { get }
    var configurationPath: String { get }
    /// Why config.json as it stands is not in force; nil while it is.
    var configurationFault: ConfigurationError? { get }

    /// Begins to read a section of config.json, or what stands at a dotted key in it. What it gives is called until it
    /// says that all is read: the file may be too large for one turn.
    func reading(_ section: String, _ key: String) throws(SettingsError) -> ValueStep
    /// Writes one value, keeps everything else, and takes the file up. A change that is refused has written nothing.
    func update(_ section: String, _ key: String, _ value: JSONValue) throws(SettingsError)
    /// Takes up config.json as it stands, by difference.
    func reload() throws(SettingsError) -> ReloadResult

    /// Reads a definition that came over the bus, with the defaults that are in force.
    func readJob(_ value: JSONValue, madeUpName: String) throws(JobError) -> Job
    /// A schedule that nobody has saved: a cron expression, or JSON with the schedule keys of a job.
    func readPreview(_ text: String) throws(JobError) -> SchedulePreview
    /// Whether a definition that came over the bus no longer reads, and can be forgotten.
    func isRefusedDefinition(of name: String) -> Bool
}

/// One more piece of a value of config.json is read.
public typealias ValueStep = () throws(SettingsError) -> ValueProgress

/// How far the reading of a value is.
public enum ValueProgress: Sendable, Equatable {
    /// - Parameter bytes: how long its text is so far.
    case underWay(bytes: Int)
    /// Its text, as JSON; nil where there is no such value.
    case done(String?)
}

/// What Control needs of Machine.
public protocol MachineReading: AnyObject {
    /// What the daemon sees around it, each with whether it serves its purpose, and one sentence.
    var machineFacts: [MachineFact] { get }
}

public struct MachineFact: Sendable, Equatable {
    public var name: String
    public var isServing: Bool
    public var text: String

    public init(name: String, isServing: Bool, text: String) {
        self.name = name
        self.isServing = isServing
        self.text = text
    }
}

/// What Control needs of the daemon itself.
public protocol ServiceControl: AnyObject {
    /// Ends in good order.
    func stop(because reason: String)
    /// Sends a message of no run, to see whether its target can be reached.
    func probe(_ target: String, then: @escaping (MessageOutcome) -> Void)
    /// Seconds since the start, sleep included.
    var uptime: Double { get }
    /// The folder of the store and of what runs write.
    var statePath: String { get }
    /// Whether the name on the bus is ours, on a connection that is there: whether anybody can be told anything.
    var isOnBus: Bool { get }
}
