public import DBus
public import EventLoop
internal import JSON
public import Performing
internal import Schedules
public import Scheduling
public import Store

/// What clients see: the JSON face, the typed face, the older clients' door, signals, and the mirror `cron_state.json`.
///
/// ```swift
/// let control = try Control(needs)
/// engine.observers.append(control)        // before the first commit
/// engine.sink = control
/// control.serve(on: connection)           // before the name is asked for: the first call may come with it
/// control.begin()                         // when the name is ours and the core has decided its first turn
/// …
/// control.busIsLost()                     // then serve(on:) once more, with another connection
/// control.stop()                          // last of all: every open call is answered; then flush, and end the loop
/// ```
///
/// Calls that tell something wait until nothing that was decided waits for its commit (`Intake.whenDurable`, by
/// `Connection.gate`); calls that ask for something go to the core as they come, and are answered by its settlement.
/// While the store cannot even be read, only those about the daemon's health are answered.
public final class Control: CommitObserver, AnnouncementSink {
    /// What it depends on.
    public struct Needs {
        public var loop: EventLoop
        public var log: Log
        public var intake: any Intake
        public var scheduler: any SchedulerReading
        public var runs: any RunReading
        public var settings: any SettingsControl
        public var machine: any MachineReading
        public var service: any ServiceControl
        /// For what is on record: runs, attempts, statistics. It is only read.
        public var store: any Store

        public init(
            loop: EventLoop, log: Log, intake: any Intake, scheduler: any SchedulerReading, runs: any RunReading,
            settings: any SettingsControl, machine: any MachineReading, service: any ServiceControl, store: any Store
        ) {
            self.loop = loop
            self.log = log
            self.intake = intake
            self.scheduler = scheduler
            self.runs = runs
            self.settings = settings
            self.machine = machine
            self.service = service
            self.store = store
        }
    }

    private let intake: any Intake
    private let scheduler: any SchedulerReading
    private let log: Log
    private let outlet = Outlet()
    private let catalogue: Catalogue
    private let callers = Callers()
    private let requestedRuns: RequestedRuns
    private let waiters = Waiters()
    private let steps: Steps
    private let lists: JobLists
    private let mirror: StateMirror
    private let headline: Headline
    private let changes: ToldChanges
    private let journal: JournalVoice
    private let announcer: Announcer
    private let jsonFace: JSONFace
    private let typedFace: TypedFace

    /// - Throws: where a source of the loop cannot be made.
    public init(_ needs: Needs) throws(EventLoopError) {
        intake = needs.intake
        log = needs.log
        scheduler = needs.scheduler
        let (settings, service) = (needs.settings, needs.service)
        catalogue = Catalogue(scheduler: scheduler, settings: settings)
        let telling = RunTelling(scheduler: scheduler, settings: settings, runs: needs.runs, store: needs.store)
        let outputs = RunOutputs(telling: telling, runs: needs.runs)
        requestedRuns = RequestedRuns(scheduler: scheduler)
        let requests = Requests(
            needs, catalogue: catalogue, callers: callers, telling: telling, requestedRuns: requestedRuns)
        steps = try Steps(intake: needs.intake, loop: needs.loop)
        lists = JobLists(scheduler: scheduler, catalogue: catalogue, steps: steps)
        mirror = try StateMirror(needs, telling: telling, catalogue: catalogue, steps: steps)
        headline = Headline(scheduler: scheduler, settings: settings, outlet: outlet)
        changes = try ToldChanges(needs, catalogue: catalogue, outlet: outlet)
        journal = JournalVoice(log: needs.log)
        announcer = Announcer(
            outlet: outlet, service: service, telling: telling, waiters: waiters, journal: journal)
        jsonFace = JSONFace(
            scheduler: scheduler, settings: settings, service: service, catalogue: catalogue, telling: telling,
            requests: requests, outputs: outputs, waiters: waiters, lists: lists, steps: steps,
            report: ServiceReport(
                scheduler: scheduler, settings: settings, service: service, catalogue: catalogue, telling: telling),
            health: HealthReport(
                scheduler: scheduler, settings: settings, machine: needs.machine, service: service, telling: telling),
            metrics: Metrics(
                scheduler: scheduler, settings: settings, service: service, catalogue: catalogue, telling: telling,
                steps: steps),
            mirror: mirror, headline: headline)
        typedFace = TypedFace(
            scheduler: scheduler, catalogue: catalogue, settings: settings, telling: telling, requests: requests,
            outputs: outputs)
        needs.runs.onRemark = { [weak changes] run in changes?.touchSoon(run: run) }
    }

    // MARK: - On the bus

    /// Puts every object on a bus, and answers there from now on.
    public func serve(on connection: Connection) {
        outlet.open(on: connection)
        connection.onFault = { [log] fault in log.error("a fault on the bus", [("BOTCRON_ERROR", fault)]) }
        connection.steps = { [steps] step throws(ErrorReply) in try steps.begin(step) }
        connection.gate = { [weak connection, callers, intake, scheduler] kind, sender, pass in
            guard let connection else { return }
            callers.admit(kind, from: sender, on: connection) {
                switch kind {
                case .request, .change: pass(nil)
                case .health: intake.whenDurable { pass(nil) }
                case .read:
                    intake.whenDurable {
                        let health = scheduler.health
                        // What the core holds may be anything then.
                        if !health.isStoreReadable, let fault = health.storeFault { return pass(.storeFailed(fault)) }
                        pass(nil)
                    }
                }
            }
        }
        connection.export(ExportedObject(.root, [], isObjectManager: true))
        connection.export(
            ExportedObject(
                Place.root, [jsonFace.interface, typedFace.managerInterface], isObjectManager: true))
        typedFace.export(on: connection)
        connection.export(ExportedObject(LogControl.path, [LogControl(log: log).interface]), announces: false)
    }

    /// Clients may come from now on: what holds now is what they find, and what changes is told.
    public func begin() { changes.begin() }

    /// The connection is gone, and with it whoever waited on it.
    public func busIsLost() {
        waiters.busIsLost()
        callers.busIsLost()
        outlet.close()
    }

    /// The daemon ends: every call that is not answered yet is answered with `Busy`. What is sent is still to be
    /// flushed.
    public func stop() {
        steps.stop()
        changes.stop()
        mirror.stop()
        waiters.stop()
        outlet.connection?.answerOpenCalls(with: .busy)
        outlet.close()
    }

    /// A run as `get_run` has it, for those who are sent it.
    public func runText(_ run: Run) -> String {
        let zone = scheduler.definition(of: run.job)?.zone ?? .utc
        return JSONValue.object(RunShape.json(run, zone: zone)).compactText
    }

    /// Steps that answers over many jobs took since the start.
    var stepCount: Int { steps.count }

    // MARK: - What became durable, and is to be told

    public func committed(_ changes: [StoreChange]) {
        requestedRuns.committed(changes)
        mirror.followSoon()
        var jobs: Set<String> = []
        for change in changes {
            switch change {
            case .run(let run):
                self.changes.touch(run: run.id)
                jobs.insert(run.job)
            case .jobState(let state): jobs.insert(state.job)
            case .jobChange(let change): journal.tell(change)
            case .definition(let job, _, _, _), .removeDefinition(let job), .removeJobState(let job):
                jobs.insert(job)
            default: break
            }
        }
        lists.forget(jobs)
        self.changes.touch(jobs: jobs)
    }

    public func tell(_ announcements: [Announcement], aboutToSend: () -> Void) {
        for announcement in announcements {
            switch announcement {
            case .schedulerToggled: everyJobMayHaveChanged()
            case .jobsChanged(let added, let changed, let removed):
                catalogue.changed(added: added, removed: removed)
                definitionsChanged(added + changed + removed)
            default: break
            }
        }
        changes.tell()
        announcer.tell(announcements, aboutToSend: aboutToSend)
    }

    public func turnEnded() {
        changes.tell()
        headline.tell()
    }

    // MARK: - What changes without a commit

    /// Definitions came, changed or went, those that are refused included: Settings names them.
    public func definitionsChanged(_ names: [String]) {
        lists.forget(names)
        changes.touch(jobs: names)
        changes.tellLater()
    }

    /// What is known of the surroundings has changed, and with it what runs wait for.
    public func conditionsChanged() {
        lists.forgetAll()
        changes.touchWaitingJobs()
    }

    /// The core was built anew.
    public func coreWasRebuilt() {
        catalogue.everythingChanged()
        lists.forgetAll()
        changes.touchEverything()
    }

    private func everyJobMayHaveChanged() {
        lists.forgetAll()
        changes.touchAllJobs()
    }
}
