import Configuration
import EventLoop
import Execution
import Glibc
import Processes
import Schedules
import Scheduling
import Store
import TestSupport
import Testing

@testable import Performing

/// An engine with a store in memory and attempts with real supervisors, on no bus.
private final class RealStage {
    let loop: EventLoop
    let journal = Journal()
    let store: FakeStore
    let source: FakeSource
    let machine = FakeMachine()
    let sink: FakeSink
    let engine: Engine
    let attempts: Attempts
    let folder: ScratchFolder
    let settings = FakeAttemptSettings()

    /// - Parameters:
    ///   - store: and folder: of an earlier one, to take over what that left.
    ///   - supervisor: a program in its place; nil: its own.
    init(jobs: [Job], store: FakeStore? = nil, folder: ScratchFolder? = nil, supervisor: String? = nil) throws {
        loop = try EventLoop()
        self.folder = try folder ?? ScratchFolder()
        self.store = store ?? FakeStore(journal)
        source = FakeSource(jobs)
        sink = FakeSink(journal)
        let log = Log(identifier: "test", threshold: .error)
        engine = try Engine(loop: loop, log: log, store: self.store, source: source, seed: 1, pace: Stage.quickPace)
        let runner = try Runner(loop: loop, folder: self.folder.path + "/runs", supervisor: supervisor)
        attempts = try Attempts(
            loop: loop, log: log, runner: runner, session: SessionManager(environment: ["PATH": "/usr/bin:/bin"]),
            settings: settings, intake: engine, home: "/tmp")
        try engine.attach(
            Engine.Performers(
                attempts: attempts, machine: machine, clocks: machine, observers: [attempts], sink: sink))
    }

    deinit {
        for attempt in attempts.runner.active { attempt.kill() }
        while !attempts.runner.active.isEmpty, (try? loop.runOnce(timeoutUSec: 5_000_000)) == true {}
    }

    func start() throws {
        try engine.prepareStart(bootID: ProcessIdentity.currentBootID)
        engine.begin()
    }

    func run(_ job: String) throws -> String {
        var id = ""
        engine.ask({ .runRequested(RunRequest(job: job), ticket: $0) }, then: { id = $0.run?.id ?? "refused: \($0)" })
        try loop.turn(until: "\(job) has its run") { !id.isEmpty }
        return id
    }

    func end(of run: String) throws -> Run {
        try loop.turn(until: "\(run) has ended") { self.store.runs[run]?.status.isActive == false }
        return try #require(store.runs[run])
    }

    static func job(_ name: String, _ script: String, change: (inout Job) -> Void = { _ in }) -> Job {
        var job = Job(
            name: name, registeredAt: Instant(seconds: 1_700_000_000), zone: .utc, action: .shell(script))
        change(&job)
        return job
    }
}

private final class FakeAttemptSettings: AttemptSettings {
    var failureClassifier = FailureClassifier(own: [])
    var remediation: [String: [String]] = [:]
    var surroundings = CommonEnvironment()
}

@Suite("Attempts: real supervisors, a store in memory, no bus")
struct AttemptsTests {
    @Test("an attempt runs, its end is on record, and nothing of it is kept in memory")
    func fromStartToEnd() throws {
        let stage = try RealStage(jobs: [RealStage.job("a", "echo hello; exit 3")])
        try stage.start()
        let run = try stage.end(of: try stage.run("a"))
        #expect(run.status == .failed)
        #expect(run.exit == .code(3))
        #expect(run.outputPreview == "hello\n")
        #expect(stage.attempts.live.isEmpty, "what is committed is forgotten")
    }

    @Test("what the section says of the environment holds for every job, and a job's own word wins")
    func commonEnvironment() throws {
        let stage = try RealStage(jobs: [
            RealStage.job("a", "echo $PATH $A $B $C") { $0.environment = ["B": "own"] },
            RealStage.job("b", "echo $PATH $A $B $C") { $0.isEnvironmentClean = true },
        ])
        (stage.settings.surroundings.variables, stage.settings.surroundings.path) = (
            ["A": "1", "B": "2", "C": "3 4"], ["/first", "/second"]
        )
        try stage.start()
        #expect(
            try stage.end(of: try stage.run("a")).outputPreview == "/first:/second:/usr/bin:/bin 1 own 3 4\n")
        #expect(try stage.end(of: try stage.run("b")).outputPreview == "/first:/second:/usr/bin:/bin 1 2 3 4\n")
    }

    @Test("a run is claimed by its folder before it is on record")
    func claimedFirst() throws {
        let stage = try RealStage(jobs: [RealStage.job("a", "true")])
        try stage.start()
        stage.store.faults = [.full]
        var isRefused = false
        stage.engine.ask({ .runRequested(RunRequest(job: "a"), ticket: $0) }, then: { isRefused = $0.isRefusedByStore })
        try stage.loop.turn(until: "it is refused") { isRefused }
        #expect(!ScratchFolder.names(in: stage.folder.path + "/runs").isEmpty, "its folder was there first")
        #expect(stage.store.runs.isEmpty)
        #expect(stage.attempts.live.isEmpty)
    }

    /// What a daemon that is killed leaves: its store, its folders, and supervisors that live or not.
    @Test("a claimed attempt that never began begins under the next daemon, once, as the same attempt")
    func neverBegan() throws {
        let folder = try ScratchFolder()
        let jobs = [RealStage.job("a", "echo $BOTCRON_ATTEMPT >> \(folder.path)/ran")]
        let store = FakeStore(Journal())
        do {
            let first = try RealStage(jobs: jobs, store: store, folder: folder)
            try first.start()
            // Killed after the commit and before the launch: the claim is all that is done.
            first.engine.ask({ .runRequested(RunRequest(job: "a"), ticket: $0) }, then: { _ in })
            #expect(first.engine.commit() == nil)
        }
        #expect(store.runs.values.map(\.status) == [.running])
        let second = try RealStage(jobs: jobs, store: store, folder: folder)
        try second.start()
        let run = try second.end(of: try #require(store.runs.keys.first))
        #expect(run.status == .success)
        #expect(run.attempt == 1)
        #expect(contents(of: folder.path + "/ran") == "1\n")
    }

    @Test("a living attempt is taken over, and its end comes to the next daemon")
    func takenOver() throws {
        let folder = try ScratchFolder()
        let jobs = [RealStage.job("a", "while [ ! -e \(folder.path)/go ]; do sleep 0.05; done; echo done")]
        let store = FakeStore(Journal())
        let first = try RealStage(jobs: jobs, store: store, folder: folder)
        try first.start()
        let id = try first.run("a")
        try first.loop.turn(until: "it has begun") { first.attempts.live[id]?.handle?.pid != nil }
        let second = try RealStage(jobs: jobs, store: store, folder: folder)
        try second.start()
        #expect(second.attempts.live[id]?.handle != nil)
        try create(folder.path + "/go")
        let run = try second.end(of: id)
        #expect(run.status == .success)
        #expect(run.outputPreview == "done\n")
        #expect(run.attempt == 1)
    }

    @Test("an end that could not be committed is had again from the attempts, and nothing is adopted twice")
    func endDuringAnOutage() throws {
        let stage = try RealStage(jobs: [RealStage.job("a", "true"), RealStage.job("b", "sleep 30")])
        try stage.start()
        let other = try stage.run("b")
        let id = try stage.run("a")
        stage.store.faults = [.inputOutput]
        try stage.loop.turn(until: "the store is given up") { stage.store.probes > 1 }
        #expect(stage.store.runs[id]?.status == .running)
        stage.store.faults = []
        #expect(try stage.end(of: id).status == .success)
        #expect(stage.attempts.runner.active.count == 1, "the other one is followed once")
        #expect(stage.engine.activeRun(id: other)?.status == .running)
    }

    @Test("a cancel reaches an attempt in whatever state it is", arguments: ["launched", "running"])
    func cancelled(_ when: String) throws {
        let stage = try RealStage(jobs: [RealStage.job("a", "sleep 60")])
        try stage.start()
        let id = try stage.run("a")
        if when == "running" {
            try stage.loop.turn(until: "it has begun") { stage.attempts.live[id]?.handle?.pid != nil }
        }
        stage.engine.ask({ .cancelRequested(run: id, ticket: $0) }, then: { _ in })
        #expect(try stage.end(of: id).status == .cancelled)
    }

    @Test("a remedy runs before the attempt that follows a failure, and its record says whether it helped")
    func remedies() throws {
        let folder = try ScratchFolder()
        var retry = RetryPolicy()
        retry.maxAttempts = 2
        retry.delay = .milliseconds(1)
        let stage = try RealStage(
            jobs: [RealStage.job("a", "test -e \(folder.path)/mended || exit 1") { $0.retry = retry }])
        stage.settings.remediation = ["unknown": ["touch", folder.path + "/mended"]]
        try stage.start()
        let id = try stage.run("a")
        #expect(try stage.end(of: id).status == .success)
        #expect(stage.store.attempts(ofRun: id).last?.remedySucceeded == true)
    }

    @Test("a remedy that an earlier daemon left running is ended before another of its name starts")
    func leftoverRemedy() throws {
        let folder = try ScratchFolder()
        var retry = RetryPolicy()
        retry.maxAttempts = 2
        retry.delay = .milliseconds(1)
        let jobs = [RealStage.job("a", "exit 1") { $0.retry = retry }]
        let store = FakeStore(Journal())
        let remedy = [
            "/bin/sh", "-c",
            "echo begun >> \(folder.path)/remedies; sleep 60; echo survived >> \(folder.path)/remedies",
        ]
        let first = try RealStage(jobs: jobs, store: store, folder: folder)
        first.settings.remediation = ["unknown": remedy]
        try first.start()
        let id = try first.run("a")
        try first.loop.turn(until: "the remedy runs") { contents(of: folder.path + "/remedies") == "begun\n" }
        let second = try RealStage(jobs: jobs, store: store, folder: folder)
        second.settings.remediation = ["unknown": ["true"]]
        try second.start()
        #expect(try second.end(of: id).status == .failed)
        try first.loop.turn(until: "the first remedy is over") { !first.attempts.errands.isActive(id + "~remedy") }
        #expect(contents(of: folder.path + "/remedies") == "begun\n")
    }

    @Test("a thousand launches leave the loop to others between them")
    func manyLaunches() throws {
        let jobs = (0..<60).map { RealStage.job("job-\($0)", "true") }
        let stage = try RealStage(jobs: jobs)
        try stage.start()
        for job in jobs {
            var request = RunRequest(job: job.name)
            request.isForced = true
            stage.engine.ask({ .runRequested(request, ticket: $0) }, then: { _ in })
        }
        var answered = false
        try stage.loop.turn(until: "they are committed") { stage.store.runs.count == jobs.count }
        stage.engine.whenDurable { answered = true }
        #expect(answered, "a read does not wait for launches")
        try stage.loop.turn(until: "all have ended") { stage.store.runs.values.allSatisfy { $0.status == .success } }
    }

    /// A daemon that was killed with it would have left it to the next one, which begins it.
    @Test("an attempt whose supervisor is killed before it began is launched once more", arguments: [1, 2])
    func supervisorKilledBefore(kills: Int) throws {
        let folder = try ScratchFolder()
        let script = """
            #!/bin/sh
            echo >> \(folder.path)/started
            test $(wc -l < \(folder.path)/started) -gt \(kills) || kill -KILL $$
            exec "$(dirname "$(readlink /proc/$PPID/exe)")/botcron-run" "$@"
            """
        let supervisor = folder.path + "/supervisor"
        try write(script + "\n", to: supervisor)
        let stage = try RealStage(jobs: [RealStage.job("a", "echo ran")], folder: folder, supervisor: supervisor)
        try stage.start()
        let run = try stage.end(of: try stage.run("a"))
        #expect(run.attempt == 1)
        #expect(contents(of: folder.path + "/started") == "\n\n")
        if kills == 1 {
            #expect(run.status == .success)
            #expect(run.outputPreview == "ran\n")
        } else {
            #expect(run.status == .failed)
            #expect(run.error?.contains("ended before the run began") == true, "\(run)")
        }
    }

    /// Its folder is what says that the run, which is on record by then, has not begun: a daemon that is killed now
    /// leaves it to the next one. It was removed, and the run was interrupted though it had never begun.
    @Test("what was prepared for a run stays while the run waits for its launch, whatever is expected next")
    func preparedStays() throws {
        let stage = try RealStage(jobs: [])
        let attempts = stage.attempts
        func launch(_ id: String) -> Launch {
            var run = Run(
                id: id, job: "a", skill: "", trigger: .schedule, scheduledFor: nil, createdAt: stage.engine.now,
                status: .running)
            run.attempt = 1
            return Launch(run: run, job: RealStage.job("a", "echo ran"))
        }
        let last = launch("last")
        let prepared = attempts.startGated(Attempts.request(last), last.job)
        attempts.preparation.add(prepared, for: "last", due: stage.engine.now) {
            attempts.runner.removeOutput(run: "last", attempt: 1)
        }
        // More than one turn has time for.
        let launches = (0..<60).map { launch("\($0)") } + [last]
        attempts.claim(launches)
        attempts.start(launches)
        let folder = stage.folder.path + "/runs/last.1"
        attempts.expect(nil)
        try stage.loop.turn(until: "its end") {
            #expect(access(folder, F_OK) == 0, "the folder of a run on record has to be there")
            guard case .over(let outcome)? = attempts.live["last"]?.life else { return false }
            #expect(outcome.ending == .exited(0))
            return true
        }
        #expect(attempts.live.count == launches.count)
    }

    private func contents(of path: String) -> String {
        FileDescriptor.contents(of: path, limit: 1 << 16).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// A program.
    private func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o700)
        try #require(file >= 0)
        let bytes = Array(text.utf8)
        let count = Glibc.write(file, bytes, bytes.count)
        close(file)
        try #require(count == bytes.count)
    }

    private func create(_ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        close(file)
    }
}
