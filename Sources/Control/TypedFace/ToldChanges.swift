internal import Configuration
internal import DBus
internal import EventLoop
internal import Performing
internal import Scheduling

/// What watchers of the typed face have been told, and what has changed since.
///
/// What is kept of each job are the few facts that changes are told from. After each turn of the loop the jobs and runs
/// that it touched are compared with them, and what is different is told: objects that came or went, properties that
/// changed.
final class ToldChanges {
    /// Jobs compared in one turn of the loop. The rest of a change of all of them follows when nothing else is to do,
    /// and no faster than the bus takes it: whoever calls meanwhile is answered.
    static let jobsPerTurn = 100
    /// As above, of runs, whose objects cost more: a thousand may be made, or end, in one turn.
    static let runsPerTurn = 25
    private static let waitingBytesMax = 64 << 10
    private static let pauseUSec: UInt64 = 5_000
    private static let remarkUSec: UInt64 = 200_000

    private let scheduler: any SchedulerReading
    private let catalogue: Catalogue
    private let settings: any SettingsControl
    private let runs: any RunReading
    private let outlet: Outlet
    private let loop: EventLoop

    /// Nil until somebody can have asked.
    private var toldManager: ManagerFacts?
    private var toldJobs = ToldJobs()
    private var toldRuns: [String: RunFacts] = [:]
    private var touchedJobs: Set<String> = []
    /// Of a change that may be one of every job, the jobs that are not compared yet.
    private var untoldJobs: ArraySlice<String> = []
    private var touchedRuns: Set<String> = []
    private var rest: DeferredSource?
    private var restTimer: TimerSource?
    private var isRemarkAwaited = false

    init(_ needs: Control.Needs, catalogue: Catalogue, outlet: Outlet) throws(EventLoopError) {
        scheduler = needs.scheduler
        settings = needs.settings
        runs = needs.runs
        loop = needs.loop
        self.catalogue = catalogue
        self.outlet = outlet
        let intake = needs.intake
        rest = try loop.deferred(priority: .idle) { [weak self] in intake.whenDurable { self?.tell() } }
        restTimer = try loop.timer(.monotonic) { [weak self] in intake.whenDurable { self?.tell() } }
    }

    /// Notes how things stand, as what everybody who asks finds.
    func begin() {
        // Sorted now: whoever asks for a list first has no time to wait for it.
        toldJobs = ToldJobs(reserving: catalogue.names.count)
        scheduler.forEachJob { toldJobs.insert($0.name, JobFacts($0, of: scheduler)) }
        for refused in catalogue.refused where !toldJobs.has(refused.name) {
            if let listed = catalogue.listed(refused.name) {
                toldJobs.insert(refused.name, JobFacts(listed, of: scheduler))
            }
        }
        for run in scheduler.activeRuns { toldRuns[run.id] = RunFacts(run) }
        toldManager = managerFacts
    }

    func stop() {
        rest?.cancel()
        restTimer?.cancel()
    }

    // MARK: - What may have changed

    func touch(jobs: some Sequence<String>) { touchedJobs.formUnion(jobs) }
    func touch(run: String) { touchedRuns.insert(run) }

    /// Each job that is there may be another. To put a hundred thousand names into a set is what no turn has time for.
    func touchAllJobs() { untoldJobs = catalogue.allNames[...] }

    /// As above, and any that were told may have gone.
    func touchEverything() {
        touchAllJobs()
        touchedJobs.formUnion(toldJobs.names)
    }

    /// A run has said something of itself; it may say much, so it is told a few times a second.
    func touchSoon(run: String) {
        touchedRuns.insert(run)
        guard toldManager != nil, !isRemarkAwaited else { return }
        isRemarkAwaited = true
        restTimer?.arm(atUSec: loop.now(.monotonic) + Self.remarkUSec)
    }

    /// What is known of the surroundings has changed, and with it what runs wait for.
    func touchWaitingJobs() {
        for run in scheduler.activeRuns where scheduler.unmetConditions(ofRun: run.id) != nil {
            touchedJobs.insert(run.job)
        }
    }

    // MARK: - Telling

    /// Of what changes without a turn of the engine: a file that went bad decides nothing.
    func tellLater() { if toldManager != nil { rest?.schedule() } }

    /// Tells what is different from what was told.
    func tell() {
        guard toldManager != nil else { return }
        isRemarkAwaited = false
        tellSomeRuns()
        tellSomeJobs()

        let manager = managerFacts
        if let told = toldManager, manager != told {
            outlet.changed(manager.changes(since: told), of: Place.manager, at: Place.root)
            toldManager = manager
        }
    }

    private func tellSomeRuns() {
        guard touchedRuns.count > Self.runsPerTurn else {
            for id in touchedRuns.sorted() { tellRun(id) }
            touchedRuns = []
            return
        }
        guard mayTellMore() else { return }
        for _ in 0..<Self.runsPerTurn { if let id = touchedRuns.popFirst() { tellRun(id) } }
        rest?.schedule()
    }

    /// Whether the bus has taken what was told; else more follows when it may have.
    private func mayTellMore() -> Bool {
        guard outlet.waitingBytes >= Self.waitingBytesMax else { return true }
        restTimer?.arm(atUSec: loop.now(.monotonic) + Self.pauseUSec)
        return false
    }

    private func tellSomeJobs() {
        guard touchedJobs.count + untoldJobs.count > Self.jobsPerTurn else {
            let names = touchedJobs.union(untoldJobs)
            touchedJobs = []
            untoldJobs = []
            for name in names { tellJob(name) }
            return
        }
        guard mayTellMore() else { return }
        for _ in 0..<Self.jobsPerTurn {
            guard let name = touchedJobs.popFirst() ?? untoldJobs.popFirst() else { break }
            tellJob(name)
        }
        rest?.schedule()
    }

    private func tellJob(_ name: String) {
        let path = Place.path(ofJob: name)
        guard let listed = catalogue.listed(name) else {
            guard toldJobs.remove(name) else { return }
            outlet.connection?.announceRemoved(path, [Place.job])
            return
        }
        let facts = JobFacts(listed, of: scheduler)
        guard let told = toldJobs.update(name, facts) else {
            outlet.connection?.announceAdded(path)
            return
        }
        outlet.changed(facts.changes(since: told), of: Place.job, at: path)
    }

    private func tellRun(_ id: String) {
        let path = Place.path(ofRun: id)
        guard let run = scheduler.activeRun(id: id) else {
            guard toldRuns.removeValue(forKey: id) != nil else { return }
            outlet.connection?.announceRemoved(path, [Place.run])
            return
        }
        let facts = RunFacts(runs.current(run))
        guard let told = toldRuns.updateValue(facts, forKey: id) else {
            outlet.connection?.announceAdded(path)
            return
        }
        outlet.changed(facts.changes(since: told), of: Place.run, at: path)
    }

    private var managerFacts: ManagerFacts {
        ManagerFacts(
            isEnabled: scheduler.isEnabled, nextRun: scheduler.nextRun?.at,
            jobCount: scheduler.jobCount + catalogue.refusedCount,
            refusedCount: catalogue.refusedCount, activeRuns: scheduler.activeRunCount,
            configurationError: settings.configurationFault?.description ?? "")
    }
}
