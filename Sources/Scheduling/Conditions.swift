public import Schedules

/// What a run waits for before its first attempt starts.
///
/// All of them have to hold at the same time; what cannot be known holds. Forced runs and retries wait for none.
public struct Conditions: Sendable, Equatable {
    /// What becomes of a run whose conditions did not come to hold in time.
    public enum Action: String, Sendable, CaseIterable {
        /// It is not run, and on record with the reason `condition`.
        case skip
        /// It starts all the same.
        case run
    }

    /// What becomes of a run when one of them ends while it is under way.
    public enum OnLoss: String, Sendable, CaseIterable {
        case `continue`
        /// It ends, as interrupted.
        case stop
    }

    public enum Network: String, Sendable, CaseIterable { case online, unmetered }

    public var needsACPower = false
    /// In per cent.
    public var batteryMin: Double?
    public var network: Network?
    /// Nobody has used the machine for so long.
    public var idle: Duration?
    public var loadMax: Double?
    /// In per cent.
    public var pressureMax: Double?
    /// Something is there under this path.
    public var path: String?
    /// Asked when all others hold: exit status 0 is yes.
    public var command: Job.Action?

    /// From the moment at which the run has its turn. Time in which the machine sleeps or no daemon runs does not
    /// count.
    public var timeout: Duration = .seconds(3600)
    public var action = Action.skip
    public var onLoss = OnLoss.continue

    public init() {}

    public var isEmpty: Bool {
        !needsACPower && batteryMin == nil && network == nil && idle == nil && loadMax == nil && pressureMax == nil
            && path == nil && command == nil
    }

    /// What has to be known of the surroundings to judge them.
    var facts: [Fact] {
        var facts: [Fact] = []
        if needsACPower { facts.append(.acPower) }
        if batteryMin != nil { facts.append(.battery) }
        if network != nil { facts.append(.network) }
        if idle != nil { facts.append(.idle) }
        if loadMax != nil { facts.append(.load) }
        if pressureMax != nil { facts.append(.pressure) }
        if let path { facts.append(.path(path)) }
        return facts
    }

    /// Those of them whose end can end a run: what it makes itself, the load, is none of them.
    public var lasting: [Fact] {
        facts.filter { fact in
            switch fact {
            case .acPower, .battery, .network, .idle, .path: true
            case .load, .pressure: false
            }
        }
    }

    /// The condition that needs a fact; nil where there is none.
    func condition(on fact: Fact) -> Condition? {
        switch fact {
        case .acPower: needsACPower ? .acPower : nil
        case .battery: batteryMin.map { .batteryMin($0) }
        case .network: network.map { .network($0) }
        case .idle: idle.map { .idle($0) }
        case .load: loadMax.map { .loadMax($0) }
        case .pressure: pressureMax.map { .pressureMax($0) }
        case .path(let wanted): path == wanted ? .pathExists(wanted) : nil
        }
    }
}

/// One of the conditions that a run waits for.
public enum Condition: Sendable, Equatable {
    case acPower
    case batteryMin(Double)
    case network(Conditions.Network)
    case idle(Duration)
    case loadMax(Double)
    case pressureMax(Double)
    case pathExists(String)
    case command

    /// Its key in the definition.
    public var key: String {
        switch self {
        case .acPower: "ac_power"
        case .batteryMin: "battery_min"
        case .network: "network"
        case .idle: "idle"
        case .loadMax: "load_max"
        case .pressureMax: "pressure_max"
        case .pathExists: "path_exists"
        case .command: "command"
        }
    }

    /// What is waited for, to be read after "waits for".
    public var text: String {
        switch self {
        case .acPower: "mains power"
        case .batteryMin(let least): "a battery of at least \(least.shortText) %"
        case .network(.online): "the network"
        case .network(.unmetered): "a network that is not metered"
        case .idle(let duration): "nobody to use the machine for \(duration.inSeconds.shortText) s"
        case .loadMax(let most): "a load of at most \(most.shortText)"
        case .pressureMax(let most): "a pressure of at most \(most.shortText) %"
        case .pathExists(let path): "\(path) to be there"
        case .command: "its condition command to agree"
        }
    }

    /// Whether it holds, as far as that is known: what is not known holds.
    func holds(in surroundings: Surroundings, now: Instant) -> Bool {
        switch self {
        case .acPower: surroundings.isOnACPower ?? true
        case .batteryMin(let least): surroundings.batteryPercent.map { $0 >= least } ?? true
        case .network(let network):
            (surroundings.isOnline ?? true) && (network == .online || !(surroundings.isMetered ?? false))
        case .idle(let duration):
            switch surroundings.idleness {
            case .idle(let since): now - since >= duration
            case .inUse: duration == .zero
            case nil: true
            }
        case .loadMax(let most): surroundings.load.map { $0 <= most } ?? true
        case .pressureMax(let most): surroundings.pressure.map { $0 <= most } ?? true
        case .pathExists(let path): surroundings.paths[path] ?? true
        case .command: true
        }
    }
}

/// A kind of fact about the surroundings of the daemon, as it is watched.
public enum Fact: Sendable, Hashable {
    /// `Surroundings.isOnACPower`
    case acPower
    /// `Surroundings.batteryPercent`
    case battery
    /// `Surroundings.isOnline` and `isMetered`
    case network
    /// `Surroundings.idleness`
    case idle
    /// `Surroundings.load`
    case load
    /// `Surroundings.pressure`
    case pressure
    /// `Surroundings.paths`, of this path.
    case path(String)
}

/// The facts that runs wait for at present: what the shell watches, and nothing else.
///
/// The shell answers each watch with `Event.surroundingsChanged`, as soon as it has looked, also where it looked before
/// and nothing has changed; and again whenever a fact changes in a way that matters, until the next watch. Where one
/// fact takes longer than the others it answers twice. What nobody has told within `Scheduler.answerPatience` counts
/// as unknown.
public struct Watch: Sendable, Equatable {
    public var facts: Set<Fact> = []
    /// The loads that runs wait for, ascending: only a load that crosses one of them matters.
    public var loadsMax: [Double] = []
    /// The same for pressure, in per cent.
    public var pressuresMax: [Double] = []

    public init() {}
}

/// What is known of the surroundings: a value for each fact, nil where it cannot be known.
public struct Surroundings: Sendable, Equatable {
    public enum Idleness: Sendable, Equatable {
        case inUse
        case idle(since: Instant)
    }

    /// The facts that somebody has looked for. Of those the values count, nil included; of the others nothing is known
    /// yet, and a run that needs them waits for the answer.
    public var answered: Set<Fact> = []

    public var isOnACPower: Bool?
    /// Of all batteries together; nil where there is none.
    public var batteryPercent: Double?
    public var isOnline: Bool?
    public var isMetered: Bool?
    public var idleness: Idleness?
    /// The average of one minute, as in /proc/loadavg.
    public var load: Double?
    /// The share of the last ten seconds in which some process waited for a processor, in per cent.
    public var pressure: Double?
    /// Whether something is there, by path.
    public var paths: [String: Bool] = [:]

    public init() {}

    /// The answer of somebody who cannot know any of it: everything holds.
    public init(unknown watch: Watch) { answered = watch.facts }
}
