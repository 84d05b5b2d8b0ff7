internal import Configuration
internal import EventLoop
internal import Performing
internal import Scheduling
internal import Store

/// `state.json` both ways: a toggle that is durable is written there, and what others write there is a toggle.
///
/// The store is the truth; the file is what other programs see of it, and where they say what they want. Each entry of
/// it that changed since the daemon last wrote or read it wins; the store keeps a note of what that was, so that it
/// holds over a restart, too. The note never runs ahead: it is written when all that the file said is on record.
final class StateFileSync {
    let path: String

    private let store: any Store
    private let log: Log
    /// What the file says, as far as it was read or written here.
    private var overrides = Overrides()
    /// Overrides whose entry was taken away from the file: the core holds them, the file is not to.
    private var unsaid = Overrides()
    /// What the note in the store says.
    private var noted = Overrides()
    /// What the core was told and has not put on record yet.
    private var untaken = Overrides()
    /// What the file said anew when the core was built: the core holds it, the store does not.
    private var laidOver: (hasScheduler: Bool, jobs: [String]) = (false, [])
    /// What the store held then, for a file that is behind: its daemon was killed before it wrote.
    private var stored = Overrides()
    /// The overrides of jobs that are on record: for a file that begins anew, which has no time to ask every job.
    private var recorded: [String: Bool] = [:]

    init(path: String, store: any Store, log: Log) {
        self.path = path
        self.store = store
        self.log = log
    }

    // MARK: - Building a core

    /// Lays what was changed in the file since the last note over what the store holds.
    func layOver(_ state: inout StoredState, jobs: [Job]) {
        untaken = Overrides()
        laidOver = (false, [])
        do {
            noted = Overrides(text: try store.note(.stateFile) ?? "")
            overrides = noted
            if let file = try read() {
                overrides = Overrides(file)
                overrides.apply(since: noted, to: &state, jobs)
                laidOver = (overrides.scheduler != noted.scheduler, noted.changes(to: overrides))
            }
        } catch {
            log.warning("state.json is not in force", [("BOTCRON_ERROR", "\(error)")])
        }
        stored = Overrides()
        stored.scheduler = state.schedulerOverride
        // By their places, which copies none of a hundred thousand.
        for place in state.jobs.indices {
            if let isEnabled = state.jobs[place].isEnabledOverride { stored.jobs[state.jobs[place].job] = isEnabled }
        }
        recorded = stored.jobs
    }

    /// The core has begun: it puts on record what was laid over, and the file gets what the store held.
    func settle(_ intake: any Intake, _ reading: any SchedulerReading, isEnabledByDefault: Bool) {
        if laidOver.hasScheduler { toggleScheduler(intake, isEnabledByDefault) }
        for name in laidOver.jobs {
            if let view = reading.job(named: name) { toggle(name, view, intake) }
        }
        laidOver = (false, [])
        let stored = stored
        self.stored = Overrides()
        intake.whenDurable { [weak self, weak reading] in
            guard let self, let reading else { return }
            write(stored.scheduler, stored.jobs.mapValues { .some($0) }, reading)
            note(reading)
        }
    }

    // MARK: - Reading

    /// What the file says; nil where there is none.
    ///
    /// - Throws: where it cannot be read or has no place for overrides; then nothing of it counts.
    private func read() throws(ConfigurationError) -> StateFile? {
        switch try ConfigurationFile.load(path: path, bytesMax: StateFile.bytesMax) {
        case .absent: nil
        case .bytes(let bytes): try StateFile(document: try ConfigurationFile.parse(bytes, path: path))
        }
    }

    /// Takes up what others wrote.
    func takeUp(_ intake: any Intake, _ reading: any SchedulerReading, isEnabledByDefault: Bool) {
        let next: Overrides
        do throws(ConfigurationError) {
            // A file that is gone says nothing: what was said holds, and the next toggle makes it anew.
            guard let file = try read() else { return }
            for warning in file.warnings { log.warning("a remark on state.json", [("BOTCRON_WARNING", warning)]) }
            next = Overrides(file)
        } catch {
            log.warning("state.json was not taken up; what holds stays in force", [("BOTCRON_ERROR", "\(error)")])
            return
        }
        let last = overrides
        guard next != last else { return }
        overrides = next
        if next.scheduler != last.scheduler { toggleScheduler(intake, isEnabledByDefault) }
        apply(to: last.changes(to: next), intake, reading, evenUnsaid: true)
        intake.whenDurable { [weak self, weak reading] in
            if let reading { self?.note(reading) }
        }
    }

    /// Brings jobs to what the file says of them: those that are new, too, of which it said something before they were
    /// there.
    func apply(to names: [String], _ intake: any Intake, _ reading: any SchedulerReading, evenUnsaid: Bool = false) {
        for name in names where evenUnsaid || overrides.jobs[name] != nil {
            guard let view = reading.job(named: name) else {
                // It is decided in this turn: whatever is toggled in it comes after.
                if let isEnabled = overrides.jobs[name] { submit(name, isEnabled, intake) }
                continue
            }
            let isEnabled = overrides.jobs[name] ?? view.job.isEnabled
            guard view.isEnabled != isEnabled || view.state.isEnabledOverride != overrides.jobs[name] else { continue }
            toggle(name, view, intake)
        }
    }

    private func toggle(_ name: String, _ view: Scheduler.JobView, _ intake: any Intake) {
        let isEnabled = overrides.jobs[name] ?? view.job.isEnabled
        if overrides.jobs[name] == nil { unsaid.jobs[name] = isEnabled }
        submit(name, isEnabled, intake)
    }

    private func submit(_ name: String, _ isEnabled: Bool, _ intake: any Intake) {
        untaken.jobs[name] = isEnabled
        intake.submit(.jobToggled(job: name, isEnabled: isEnabled, until: nil, by: .file("state.json")))
    }

    private func toggleScheduler(_ intake: any Intake, _ isEnabledByDefault: Bool) {
        let isEnabled = overrides.scheduler ?? isEnabledByDefault
        if overrides.scheduler == nil { unsaid.scheduler = isEnabled }
        untaken.scheduler = isEnabled
        intake.submit(.schedulerToggled(isEnabled, by: .file("state.json")))
    }

    // MARK: - Writing

    /// Writes the toggles among what was just committed. Where that fails the store has them all the same.
    func committed(_ changes: [StoreChange], _ reading: any SchedulerReading) {
        var scheduler: Bool?
        var jobs: [String: Bool?] = [:]
        for change in changes {
            switch change {
            case .schedulerOverride(let isEnabled?):
                if untaken.scheduler == isEnabled { untaken.scheduler = nil }
                if isEnabled != overrides.scheduler { scheduler = isEnabled }
            case .jobState(let state):
                recorded[state.job] = state.isEnabledOverride
                guard let isEnabled = state.isEnabledOverride else { continue }
                if untaken.jobs[state.job] == isEnabled { untaken.jobs[state.job] = nil }
                if isEnabled != overrides.jobs[state.job] { jobs[state.job] = isEnabled }
            // Another job of its name is not the one that was toggled.
            case .removeDefinition(let job)
            where overrides.jobs[job] != nil && reading.definition(of: job) == nil:
                jobs[job] = .some(nil)
            default: break
            }
        }
        write(scheduler, jobs, reading)
        note(reading)
    }

    /// - Parameter jobs: nil for one of which nothing is to be said any more.
    private func write(_ scheduler: Bool?, _ jobs: [String: Bool?], _ reading: any SchedulerReading) {
        // A toggle back to what the file says nothing of is not said either.
        let scheduler = scheduler == overrides.scheduler || scheduler == unsaid.scheduler ? nil : scheduler
        let jobs = jobs.filter { name, isEnabled in
            isEnabled != overrides.jobs[name] && (isEnabled == nil || isEnabled != unsaid.jobs[name])
        }
        guard scheduler != nil || !jobs.isEmpty else { return }
        do {
            // The store can make it anew, so nobody waits for the disk.
            try FileReplacement.edit(path, bytesMax: StateFile.bytesMax, isDurable: false) { contents in
                var file = StateFile()
                if case .bytes(let bytes) = contents {
                    file = try StateFile(document: try ConfigurationFile.parse(bytes, path: path))
                } else {
                    file = StateFile(jobs: overridesInForce(reading))
                }
                if let scheduler { try file.setScheduler(enabled: scheduler) }
                for (name, isEnabled) in jobs.sorted(by: { $0.key < $1.key }) {
                    if let isEnabled { try file.setJob(name, enabled: isEnabled) } else { try file.forgetJob(name) }
                }
                return file.bytes
            }
        } catch {
            log.warning("state.json cannot be written; the store has the toggle", [("BOTCRON_ERROR", "\(error)")])
            return
        }
        // What others changed meanwhile is taken up when the watch tells of it; what was written here is not news.
        overrides.scheduler = scheduler ?? overrides.scheduler
        for (name, isEnabled) in jobs {
            overrides.jobs[name] = isEnabled
            unsaid.jobs[name] = nil
        }
        if scheduler != nil { unsaid.scheduler = nil }
    }

    /// Every override of a job that is there, by name, for a file that begins anew.
    private func overridesInForce(_ reading: any SchedulerReading) -> [(name: String, isEnabled: Bool)] {
        recorded.keys.sorted().compactMap { name in
            reading.job(named: name)?.state.isEnabledOverride.map { (name, $0) }
        }
    }

    /// The store notes what the file says, so that the next daemon knows what is news in it: once all of it is on
    /// record, so that nothing of it is lost with this daemon.
    private func note(_ reading: any SchedulerReading) {
        for name in untaken.jobs.keys where reading.definition(of: name) == nil { untaken.jobs[name] = nil }
        guard noted != overrides, untaken == Overrides() else { return }
        // Where that fails the next commit tries again.
        if (try? store.keep(overrides.text, as: .stateFile)) != nil { noted = overrides }
    }
}
