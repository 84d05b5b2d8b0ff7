import Configuration
import DBus
import EventLoop
import Schedules
import Scheduling

/// The typed face: `Manager1` on the root object, an object for each job and for each run that has not ended.
///
/// Objects are not registered one by one: they are made when somebody asks, from what the scheduler holds. What is kept
/// of each job are the few facts that changes are told from. After each turn of the loop the jobs and runs that it touched
/// are compared with them, and what is different is told: objects that came or went, properties that changed.
final class TypedFace {
    /// The daemon outlives it.
    unowned let daemon: Daemon
    let control: ControlInterface
    private(set) lazy var manager = managerInterface
    private(set) lazy var job = jobInterface
    private(set) lazy var run = runInterface

    /// Jobs compared in one turn of the loop. The rest of a change of all of them follows when nothing else is to do, and
    /// no faster than the bus takes it: whoever calls meanwhile is answered.
    private static let jobsPerTurn = 100
    private static let waitingBytesMax = 64 << 10
    private static let pauseUSec: UInt64 = 5_000
    private static let remarkUSec: UInt64 = 200_000

    static let managerName: InterfaceName = "com.aiworkflow.BotCron.Manager1"
    static let jobName: InterfaceName = "com.aiworkflow.BotCron.Job1"
    static let runName: InterfaceName = "com.aiworkflow.BotCron.Run1"
    static let jobsPath = ObjectPath(trusted: Daemon.objectPath.text + "/jobs")
    static let runsPath = ObjectPath(trusted: Daemon.objectPath.text + "/runs")

    private var toldManager: ManagerFacts?
    private var toldJobs: [String: JobFacts] = [:]
    private var toldRuns: [String: RunFacts] = [:]
    private var touchedJobs: Set<String> = []
    private var touchedRuns: Set<String> = []
    private var rest: DeferredSource?
    private var restTimer: TimerSource?
    private var isRemarkAwaited = false

    init(daemon: Daemon) {
        self.daemon = daemon
        control = ControlInterface(daemon: daemon)
    }

    // MARK: - Objects

    static func path(ofJob name: String) -> ObjectPath { jobsPath.appending(name) }
    static func path(ofRun id: String) -> ObjectPath { runsPath.appending(id) }

    /// The name of a job or the id of a run that an object stands for.
    static func name(at path: ObjectPath) -> String {
        path.text.split(separator: "/").last.flatMap { ObjectPath.unescape(String($0)) } ?? ""
    }

    func export() {
        daemon.connection.export(
            ObjectSubtree(Self.jobsPath) { [unowned self] in
                Array(Set(daemon.allJobNames))
            } interfaces: { [unowned self] name in
                listed(name) == nil ? nil : [job]
            })
        daemon.connection.export(
            ObjectSubtree(Self.runsPath) { [unowned self] in
                daemon.scheduler.activeRuns.map(\.id)
            } interfaces: { [unowned self] id in
                daemon.scheduler.activeRun(id: id) == nil ? nil : [run]
            })
    }

    /// What stands in the configuration or was made over the bus: a job, or one that was refused.
    enum Listed {
        case job(Scheduler.JobView)
        case refused(RefusedJob)
    }

    func listed(_ name: String) -> Listed? {
        if let view = daemon.scheduler.job(named: name) { return .job(view) }
        return daemon.refusedJob(named: name).map { .refused($0) }
    }

    // MARK: - Changes

    /// Notes how things stand, as what everybody who asks finds.
    func begin() {
        rest = try? daemon.loop.deferred(priority: .idle) { [unowned self] in tell() }
        restTimer = try? daemon.loop.timer(.monotonic) { [unowned self] in tell() }
        for name in daemon.allJobNames { toldJobs[name] = listed(name).map { JobFacts($0, of: daemon.scheduler) } }
        for run in daemon.scheduler.activeRuns { toldRuns[run.id] = RunFacts(run) }
        toldManager = managerFacts
    }

    /// What a commit is about may have changed.
    func touch(_ changes: [StoreChange]) {
        var jobs: Set<String> = []
        for change in changes {
            switch change {
            case .run(let run):
                touchedRuns.insert(run.id)
                jobs.insert(run.job)
            case .jobState(let state): jobs.insert(state.job)
            case .definition(let job, _, _, _), .removeDefinition(let job), .removeJobState(let job):
                jobs.insert(job)
            default: break
            }
        }
        daemon.jobList.forget(jobs, areNamesStale: false)
        touchedJobs.formUnion(jobs)
    }

    /// A run has said something of itself; it may say much, so it is told a few times a second.
    func touchSoon(run: String) {
        touchedRuns.insert(run)
        guard toldManager != nil, !isRemarkAwaited else { return }
        isRemarkAwaited = true
        restTimer?.arm(atUSec: daemon.loop.now(.monotonic) + Self.remarkUSec)
    }

    /// What is known of the surroundings has changed, and with it what runs wait for.
    func touchWaitingJobs() {
        for run in daemon.scheduler.activeRuns where daemon.scheduler.unmetConditions(ofRun: run.id) != nil {
            touchedJobs.insert(run.job)
        }
    }

    /// Jobs that came, changed or went.
    func touch(jobs: [String]) {
        daemon.jobList.forget(jobs, areNamesStale: true)
        touchedJobs.formUnion(jobs)
    }

    func touchAllJobs() {
        daemon.jobList.forgetAll()
        touchedJobs.formUnion(daemon.allJobNames)
        touchedJobs.formUnion(toldJobs.keys)
    }

    /// Tells what is different from what was told.
    func tell() {
        guard toldManager != nil else { return }
        isRemarkAwaited = false
        for id in touchedRuns.sorted() { tellRun(id) }
        touchedRuns = []
        tellSomeJobs()

        let manager = managerFacts
        if let told = toldManager, manager != told {
            daemon.connection.propertiesChanged(Daemon.objectPath, Self.managerName, manager.changes(since: told))
            toldManager = manager
        }
    }

    private func tellSomeJobs() {
        guard touchedJobs.count > Self.jobsPerTurn else {
            let names = touchedJobs
            touchedJobs = []
            for name in names { tellJob(name) }
            return
        }
        guard daemon.connection.outgoingBytes < Self.waitingBytesMax else {
            restTimer?.arm(atUSec: daemon.loop.now(.monotonic) + Self.pauseUSec)
            return
        }
        for _ in 0..<Self.jobsPerTurn {
            guard let name = touchedJobs.popFirst() else { break }
            tellJob(name)
        }
        rest?.schedule()
    }

    private func tellJob(_ name: String) {
        let path = Self.path(ofJob: name)
        guard let listed = listed(name) else {
            guard toldJobs.removeValue(forKey: name) != nil else { return }
            return daemon.connection.announceRemoved(path, [Self.jobName])
        }
        let facts = JobFacts(listed, of: daemon.scheduler)
        guard let told = toldJobs.updateValue(facts, forKey: name) else {
            return daemon.connection.announceAdded(path)
        }
        let changes = facts.changes(since: told)
        if !changes.isEmpty { daemon.connection.propertiesChanged(path, Self.jobName, changes) }
    }

    private func tellRun(_ id: String) {
        let path = Self.path(ofRun: id)
        guard let run = daemon.scheduler.activeRun(id: id) else {
            guard toldRuns.removeValue(forKey: id) != nil else { return }
            return daemon.connection.announceRemoved(path, [Self.runName])
        }
        let facts = RunFacts(daemon.current(run))
        guard let told = toldRuns.updateValue(facts, forKey: id) else {
            return daemon.connection.announceAdded(path)
        }
        let changes = facts.changes(since: told)
        if !changes.isEmpty { daemon.connection.propertiesChanged(path, Self.runName, changes) }
    }

    private var managerFacts: ManagerFacts {
        let scheduler = daemon.scheduler
        return ManagerFacts(
            isEnabled: scheduler.isEnabled, nextRun: scheduler.nextRun?.at, jobCount: scheduler.jobCount,
            activeRuns: scheduler.activeRunCount)
    }
}

extension Optional where Wrapped == Instant {
    /// Microseconds since 1970; 0 for none.
    var asTyped: DBusValue { .uint64(UInt64(clamping: self?.microseconds ?? 0)) }
}
