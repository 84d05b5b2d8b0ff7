import Configuration
import Desktop
import EventLoop
import Schedules
import Scheduling

/// Watches the facts that runs wait for, and nothing else: what is not asked for has no watch and causes no wake-up.
final class SurroundingsWatch {
    private let systemBus: BusLink
    private let session: BusLink
    private let loop: EventLoop
    private let home: String
    /// Answers each `watch` as soon as something is known, and tells each change that matters.
    var onChange: (Surroundings) -> Void = { _ in }

    private var asked = Watch()
    private var told: Surroundings?
    private var power: Power?
    private var network: Network?
    private var idleness: Idleness?
    private var load: Load?
    private var pressure: Pressure?
    private var pressureBounds: [Double] = []
    private var paths: [String: PathPresence] = [:]

    init(systemBus: BusLink, session: BusLink, loop: EventLoop, home: String) {
        self.systemBus = systemBus
        self.session = session
        self.loop = loop
        self.home = home
    }

    func watch(_ watch: Watch) {
        asked = watch
        let facts = watch.facts
        // What watches goes with its owner, this object.
        let noticed: () -> Void = { [unowned self] in tell() }
        power =
            facts.isDisjoint(with: [.acPower, .battery]) ? nil : power ?? Power(systemBus, changed: noticed)
        network = facts.contains(.network) ? network ?? Network(systemBus, changed: noticed) : nil
        idleness =
            facts.contains(.idle) ? idleness ?? Idleness(systemBus, session: session, changed: noticed) : nil
        load = facts.contains(.load) ? load ?? Load(loop, changed: noticed) : nil
        if !facts.contains(.pressure) || pressureBounds != watch.pressuresMax { pressure = nil }
        pressureBounds = watch.pressuresMax
        if facts.contains(.pressure), pressure == nil {
            pressure = Pressure(loop, bounds: watch.pressuresMax, changed: noticed)
        }
        var known = paths
        paths = [:]
        for case .path(let path) in facts {
            paths[path] =
                known.removeValue(forKey: path)
                ?? PathPresence(expandHome(path, home: home), on: loop, changed: noticed)
        }
        // Asked once more, the answer is wanted once more.
        told = nil
        tell()
    }

    private func tell() {
        let now = surroundings
        guard !now.answered.isEmpty else { return }
        let what = onlyWhatMatters(now)
        guard what != told else { return }
        told = what
        onChange(now)
    }

    /// What is known of what is watched.
    var surroundings: Surroundings {
        var now = Surroundings()
        for fact in asked.facts where isKnown(fact) { now.answered.insert(fact) }
        now.isOnACPower = power?.isOnBattery.map { !$0 }
        now.batteryPercent = power?.batteryPercent
        now.isOnline = network?.isOnline
        now.isMetered = network?.isMetered
        now.idleness =
            switch idleness?.state {
            case .inUse: .inUse
            // Never in the future, whatever somebody says.
            case .idle(let since): .idle(since: Instant(microseconds: Int64(min(since, loop.now(.realtime)))))
            case nil: nil
            }
        now.load = load?.average
        now.pressure = pressure?.percent
        for (path, presence) in paths { now.paths[path] = presence.isThere }
        return now
    }

    private func isKnown(_ fact: Fact) -> Bool {
        switch fact {
        case .acPower, .battery: power?.isKnown ?? false
        case .network: network?.isKnown ?? false
        case .idle: idleness?.isKnown ?? false
        // They are read at once.
        case .load, .pressure, .path: true
        }
    }

    /// Load and pressure change all the time: what matters is how many of the bounds they exceed.
    private func onlyWhatMatters(_ surroundings: Surroundings) -> Surroundings {
        var what = surroundings
        what.load = what.load.map { load in Double(asked.loadsMax.count { $0 < load }) }
        what.pressure = what.pressure.map { pressure in Double(asked.pressuresMax.count { $0 < pressure }) }
        return what
    }
}
