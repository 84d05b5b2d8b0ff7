import EventLoop
import Performing
import Schedules
import Scheduling
import Store
import Testing

/// An engine among fakes: a store in memory, attempts that are words in a journal, a machine that does nothing.
final class Stage {
    let loop: EventLoop
    let journal = Journal()
    let store: FakeStore
    let source: FakeSource
    let attempts: FakeAttempts
    let machine = FakeMachine()
    let sink: FakeSink
    let engine: Engine

    init(jobs: [Job] = [], pace: Engine.Pace = Stage.quickPace) throws {
        loop = try EventLoop()
        store = FakeStore(journal)
        source = FakeSource(jobs)
        attempts = FakeAttempts(journal)
        sink = FakeSink(journal)
        engine = try Engine(
            loop: loop, log: Log(identifier: "test", threshold: .error), store: store, source: source, seed: 1,
            pace: pace)
        attempts.engine = engine
        try engine.attach(
            Engine.Performers(
                attempts: attempts, machine: machine, clocks: machine, observers: [FakeObserver(journal)], sink: sink))
    }

    /// As the real one, a hundred times faster.
    static var quickPace: Engine.Pace {
        var pace = Engine.Pace()
        pace.retryUSec = 1_000
        pace.patienceUSec = 30_000
        pace.probeFirstUSec = 5_000
        pace.probeLongestUSec = 10_000
        return pace
    }

    func start() throws {
        try engine.prepareStart(bootID: "boot")
        engine.begin()
        journal.clear()
    }

    /// Turns the loop until something holds.
    func wait(_ what: String, until condition: () -> Bool) throws {
        let end = EventLoop.Clock.monotonic.nowUSec + 10_000_000
        while !condition() {
            guard EventLoop.Clock.monotonic.nowUSec < end else {
                Issue.record("waited in vain until \(what); \(journal.lines)")
                return
            }
            try loop.runOnce(timeoutUSec: 100_000)
        }
    }

    func turn() throws { while try loop.runOnce(timeoutUSec: 0) {} }

    /// Asks, and keeps what comes of it.
    func ask(_ name: String, _ request: @escaping (Ticket) -> Event) {
        engine.ask(request) { [self] settlement in
            #expect(settlements[name] == nil, "\(name) was answered twice")
            settlements[name] = settlement
            journal.note("answer \(name)")
        }
    }

    var settlements: [String: Settlement] = [:]

    static func job(_ name: String) -> Job {
        Job(name: name, registeredAt: Instant(seconds: 1_700_000_000), zone: .utc, action: .command(["true"]))
    }
}

final class FakeSource: CoreSource {
    var jobs: [Job]
    /// Called when a core is built.
    var onAsked: () -> Void = {}

    init(_ jobs: [Job]) { self.jobs = jobs }

    func coreInputs(from stored: StoredState, now: Instant) -> CoreInputs {
        onAsked()
        return CoreInputs(
            jobs: jobs, retained: [], unscheduled: [:], stored: stored, settings: SchedulerSettings(), isEnabled: true)
    }
}

final class FakeAttempts: AttemptControl {
    let journal: Journal
    weak var engine: Engine?
    /// Runs whose process is there.
    private(set) var active: [String: Launch] = [:]
    private(set) var started: [String] = []
    /// Ends that are not committed yet.
    private var over: [String: AttemptOutcome] = [:]
    var onStart: () -> Void = {}
    /// Whether a process that is told to end does so at once.
    var obeysAtOnce = false
    /// Attempts end at once, so.
    var endsAtOnce: AttemptOutcome.Ending?

    init(_ journal: Journal) { self.journal = journal }

    func claim(_ launches: [Launch]) { if !launches.isEmpty { journal.note("claim \(launches.count)") } }

    func start(_ launches: [Launch]) {
        for launch in launches where active[launch.run.id] == nil {
            journal.note("start \(launch.run.job)")
            started.append(launch.run.id)
            active[launch.run.id] = launch
            onStart()
            if let endsAtOnce { end(launch.run.id, endsAtOnce) }
        }
    }

    func end(_ run: String, _ ending: AttemptOutcome.Ending) {
        guard let launch = active.removeValue(forKey: run), let engine else { return }
        let outcome = AttemptOutcome(ending: ending, startedAt: engine.now, endedAt: engine.now)
        over[run] = outcome
        engine.submit(.attemptEnded(run: run, attempt: launch.run.attempt, outcome))
    }

    func answer(_ run: String, attempt: Int, question: Int, _ line: AnswerLine) {
        journal.note("answer \(line.json)")
    }

    func stop(_ run: String) -> Bool {
        guard active[run] != nil else { return false }
        journal.note("stop")
        if obeysAtOnce { end(run, .signaled(15)) }
        return true
    }

    func check(run: String, command: Job.Action, job: Job) { journal.note("check") }
    func poll(_ subject: PollSubject, command: Job.Action, job: Job) { journal.note("poll") }
    func expect(_ instant: Instant?) { journal.note("arm") }

    func evidence(of runs: [Run]) -> [String: AttemptEvidence] {
        var evidence: [String: AttemptEvidence] = [:]
        for run in runs {
            evidence[run.id] = over[run.id].map { .ended($0) } ?? (active[run.id] == nil ? .gone : .held)
        }
        return evidence
    }

    func endIdleErrands() {}
}

final class FakeMachine: MachineControl, ClockSense {
    var isAsleep = false
    var surroundings = Surroundings()
    /// What the clocks tell the next time that somebody asks.
    var finding: [Event] = []
    private(set) var wishes: [MachineWish] = []

    func fulfil(_ wish: MachineWish) { wishes.append(wish) }

    func noticed() -> [Event] {
        defer { finding = [] }
        return finding
    }

    func armed(for instant: Instant?, now: Instant) {}
}

final class FakeObserver: CommitObserver {
    let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    func committed(_ changes: [StoreChange]) { journal.note("observe") }
}

final class FakeSink: AnnouncementSink {
    let journal: Journal
    var isReachable = true
    private(set) var told: [Announcement] = []

    init(_ journal: Journal) { self.journal = journal }

    func tell(_ announcements: [Announcement], aboutToSend: () -> Void) {
        guard isReachable else { return }
        aboutToSend()
        told += announcements
        journal.note("tell")
    }

    func turnEnded() {}
}

extension Settlement {
    var isRefusedByStore: Bool { if case .storeFailed = self { true } else { false } }
    var isUnknown: Bool { if case .unknown = self { true } else { false } }
    var run: Run? { if case .reply(.run(let run)) = self { run } else { nil } }
    var isDone: Bool { if case .reply(.done) = self { true } else { false } }
}
