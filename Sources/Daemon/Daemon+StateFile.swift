import Configuration
import EventLoop
import JSON
import Store
import Scheduling

/// `state.json` both ways: a toggle writes it, and what others write there is a toggle.
///
/// The store is the truth; the file is what other programs see of it, and where they say what they want. Each entry of
/// it that changed since the daemon last wrote or read it wins; the store keeps a note of what that was, so that it
/// holds over a restart, too.
extension Daemon {
    /// Beside config.json.
    var stateFilePath: String { Self.stateFilePath(beside: configurationPath) }

    static func stateFilePath(beside configuration: String) -> String {
        configuration.folderOfPath + "/state.json"
    }

    /// What the file says; nil where there is none.
    ///
    /// - Throws: where it cannot be read or has no place for overrides; then nothing of it counts.
    static func readStateFile(_ path: String) throws(ConfigurationError) -> StateFile? {
        switch try ConfigurationFile.load(path: path) {
        case .absent: nil
        case .bytes(let bytes): try StateFile(document: try ConfigurationFile.parse(bytes, path: path))
        }
    }

    func stateFileChangesSoon() { stateFileTimer?.arm(atUSec: loop.now(.monotonic) + Self.settleUSec) }

    /// Takes up what others wrote.
    func takeUpStateFile() {
        let next: Overrides
        do throws(ConfigurationError) {
            // A file that is gone says nothing: what was said holds, and the next toggle makes it anew.
            guard let file = try Self.readStateFile(stateFilePath) else { return }
            for warning in file.warnings { log.warning("state.json", [("BOTCRON_WARNING", warning)]) }
            next = Overrides(file)
        } catch {
            log.warning("state.json was not taken up; what holds stays in force", [("BOTCRON_ERROR", "\(error)")])
            return
        }
        let last = overrides
        guard next != last else { return }
        overrides = next
        isNoteStale = true
        if next.scheduler != last.scheduler {
            submit(.schedulerToggled(next.scheduler ?? configuration.isEnabled))
            if next.scheduler == nil { unsaid.scheduler = configuration.isEnabled }
        }
        for name in last.changes(to: next) { override(name) }
        flushSource?.schedule()
    }

    /// Brings a job to what the file says of it.
    func override(_ name: String) {
        guard let view = scheduler.job(named: name) else { return }
        let isEnabled = overrides.jobs[name] ?? view.job.isEnabled
        if overrides.jobs[name] == nil { unsaid.jobs[name] = isEnabled }
        guard view.isEnabled != isEnabled || view.state.isEnabledOverride != overrides.jobs[name] else { return }
        submit(.jobToggled(job: name, isEnabled: isEnabled, until: nil))
    }

    // MARK: - Writing

    /// Writes the toggles among what was just committed. Where that fails the store has them all the same.
    func writeOverrides(_ changes: [StoreChange]) {
        var scheduler: Bool?
        var jobs: [String: Bool?] = [:]
        for change in changes {
            switch change {
            case .schedulerOverride(let isEnabled?) where isEnabled != overrides.scheduler:
                scheduler = isEnabled == unsaid.scheduler ? nil : isEnabled
            case .jobState(let state):
                guard let isEnabled = state.isEnabledOverride, isEnabled != overrides.jobs[state.job],
                    isEnabled != unsaid.jobs[state.job]
                else { continue }
                jobs[state.job] = isEnabled
            // Another job of its name is not the one that was toggled.
            case .removeDefinition(let job)
            where self.scheduler.job(named: job) == nil && overrides.jobs[job] != nil:
                jobs[job] = .some(nil)
            default: break
            }
        }
        if scheduler != nil || !jobs.isEmpty { writeOverrides(scheduler, jobs) }
    }

    /// - Parameter jobs: nil for one of which nothing is said any more.
    private func writeOverrides(_ scheduler: Bool?, _ jobs: [String: Bool?]) {
        var written = Overrides()
        do {
            // The store can make it anew, so nobody waits for the disk.
            try FileReplacement.edit(stateFilePath, isDurable: false) { contents in
                var file = StateFile()
                if case .bytes(let bytes) = contents {
                    file = try StateFile(document: try ConfigurationFile.parse(bytes, path: stateFilePath))
                } else {
                    for (name, isEnabled) in allOverrides { try file.setJob(name, enabled: isEnabled) }
                }
                if let scheduler { try file.setScheduler(enabled: scheduler) }
                for (name, isEnabled) in jobs.sorted(by: { $0.key < $1.key }) {
                    if let isEnabled { try file.setJob(name, enabled: isEnabled) } else { try file.forgetJob(name) }
                }
                written = Overrides(file)
                return file.bytes
            }
        } catch {
            log.warning("state.json cannot be written; the store has the toggle", [("BOTCRON_ERROR", "\(error)")])
            return
        }
        isNoteStale = true
        // What others changed meanwhile is taken up when the watch tells of it; what we wrote is not news.
        overrides.scheduler = scheduler ?? overrides.scheduler
        for (name, isEnabled) in jobs { overrides.jobs[name] = isEnabled }
        for name in jobs.keys { unsaid.jobs[name] = nil }
        if scheduler != nil { unsaid.scheduler = nil }
        if written != overrides { stateFileChangesSoon() }
    }

    /// Every override that is in force, for a file that begins anew.
    private var allOverrides: [(String, Bool)] {
        scheduler.jobNames.compactMap { name in
            scheduler.job(named: name)?.state.isEnabledOverride.map { (name, $0) }
        }
    }

    /// The store notes what the file says, so that the next daemon knows what is news in it.
    func noteOverrides() {
        guard isNoteStale, (try? store.keep(overrides.text, as: .stateFile)) != nil else { return }
        isNoteStale = false
    }
}
