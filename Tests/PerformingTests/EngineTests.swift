import EventLoop
import Performing
import Schedules
import Scheduling
import Store
import Testing

@Suite("The engine: decide, commit, perform")
struct EngineTests {
    private func request(_ job: String, key: String? = nil) -> (Ticket) -> Event {
        { ticket in
            var request = RunRequest(job: job)
            request.idempotencyKey = key
            return .runRequested(request, ticket: ticket)
        }
    }

    @Test("effects are performed in one order: claim, commit, start, arm, observers, told, replies")
    func order() throws {
        let stage = try Stage(jobs: [Stage.job("a")])
        try stage.start()
        stage.ask("run", request("a"))
        #expect(stage.journal.lines.isEmpty, "nothing is done before the turn is over")
        try stage.turn()
        let lines = stage.journal.lines.filter { $0 != "arm" }
        #expect(lines == ["claim 1", "commit", "start a", "observe", "tell", "answer run"])
    }

    @Test("a thousand requests of one turn are one transaction")
    func oneTransaction() throws {
        let stage = try Stage(jobs: (0..<1000).map { Stage.job("job-\($0)") })
        try stage.start()
        for number in 0..<1000 { stage.ask("\(number)", request("job-\(number)")) }
        try stage.turn()
        #expect(stage.journal.lines.count { $0 == "commit" } == 1)
        #expect(stage.settlements.count == 1000)
    }

    @Test("a read waits for what was decided before it, and for nothing where nothing was")
    func reads() throws {
        let stage = try Stage(jobs: [Stage.job("a")])
        try stage.start()
        stage.engine.whenDurable { stage.journal.note("first read") }
        #expect(stage.journal.lines == ["first read"])
        stage.ask("run", request("a"))
        stage.engine.whenDurable { stage.journal.note("second read") }
        try stage.turn()
        #expect(stage.journal.lines.last == "second read")
        #expect(stage.journal.lines.contains("commit"))
    }

    @Test(
        "a store that is busy for a moment is waited for: nothing is refused, and all that arrives comes after it",
        arguments: [StoreError.Kind.busy, .full, .readOnly, .inputOutput])
    func shortOutage(_ kind: StoreError.Kind) throws {
        // However long the machine lets the two failures take, they are short of this patience.
        var pace = Stage.quickPace
        pace.patienceUSec = 60_000_000
        let stage = try Stage(jobs: [Stage.job("a"), Stage.job("b")], pace: pace)
        try stage.start()
        stage.store.faults = [kind, kind, nil]
        stage.ask("first", request("a"))
        try stage.wait("a commit has failed") { stage.journal.lines.contains("commit fails") }
        stage.engine.whenDurable { stage.journal.note("read") }
        stage.ask("second", request("b"))
        #expect(stage.settlements.isEmpty)
        #expect(stage.attempts.started.isEmpty)
        try stage.wait("both are answered") { stage.settlements.count == 2 }
        #expect(stage.settlements["first"]?.run?.status == .running)
        #expect(stage.settlements["second"]?.run?.status == .running)
        #expect(stage.attempts.started.count == 2)
        let read = try #require(stage.journal.lines.firstIndex(of: "read"))
        let answer = try #require(stage.journal.lines.firstIndex(of: "answer first"))
        #expect(answer < read, "a read that came after a request is answered after it")
        #expect(stage.engine.health.storeFault == nil)
    }

    @Test(
        "what was refused is never carried out, and nothing of it remains",
        arguments: [StoreError.Kind.busy, .full, .readOnly, .inputOutput])
    func refusedIsNeverCarriedOut(_ kind: StoreError.Kind) throws {
        let stage = try Stage(jobs: [Stage.job("a")])
        try stage.start()
        stage.store.faults = [kind]
        stage.ask("first", request("a", key: "k"))
        try stage.wait("it is refused") { stage.settlements["first"] != nil }
        #expect(stage.settlements["first"]?.isRefusedByStore ?? false)
        stage.ask("second", request("a"))
        #expect(stage.settlements["second"]?.isRefusedByStore ?? false, "refused at once, now that it is known")
        #expect(stage.engine.activeRunCount == 0)
        var isRead = false
        stage.engine.whenDurable { isRead = true }
        #expect(isRead, "reads are answered from the store as it stands")
        stage.store.faults = []
        try stage.wait("the store is good again") { stage.engine.health.storeFault == nil }
        try stage.turn()
        #expect(stage.attempts.started.isEmpty)
        #expect(stage.store.runs.isEmpty)
        stage.ask("third", request("a", key: "k"))
        try stage.turn()
        #expect(stage.settlements["third"]?.run?.status == .running, "the key was not used up")
        #expect(stage.attempts.started.count == 1)
    }

    @Test("a commit whose last sync failed and that is on record all the same has succeeded")
    func failedSyncThatComesBack() throws {
        let stage = try Stage(jobs: [Stage.job("a")])
        try stage.start()
        stage.store.faults = [.inputOutput]
        stage.store.keepsFailed = true
        stage.ask("run", request("a"))
        try stage.wait("it is answered") { stage.settlements["run"] != nil }
        #expect(stage.settlements["run"]?.run?.status == .running)
        #expect(stage.attempts.started.count == 1)
        #expect(stage.store.runs.count == 1)
    }

    @Test(
        "while it is not known whether a transaction is on record, those who asked for it are told nothing",
        arguments: [true, false])
    func unsettled(_ isOnRecord: Bool) throws {
        let stage = try Stage(jobs: [Stage.job("a")])
        try stage.start()
        stage.store.faults = [.inputOutput]
        stage.store.keepsFailed = isOnRecord
        stage.store.isSettling = false
        stage.ask("run", request("a"))
        try stage.wait("the patience is over") { stage.engine.health.storeFault != nil && stage.store.settlings > 3 }
        #expect(stage.settlements["run"] == nil)
        stage.ask("late", request("a"))
        #expect(stage.settlements["late"]?.isRefusedByStore ?? false, "nothing of that one was ever written")
        stage.store.isSettling = true
        stage.store.faults = []
        try stage.wait("it is answered") { stage.settlements["run"] != nil }
        try stage.wait("the store is good again") { stage.engine.health.storeFault == nil }
        try stage.turn()
        #expect(stage.settlements["run"]?.isRefusedByStore == !isOnRecord)
        #expect(stage.store.runs.count == (isOnRecord ? 1 : 0))
    }

    @Test(
        "an attempt that has begun is ended while the disk is full, and its end is on record when there is room again")
    func cancelWithAFullDisk() throws {
        let stage = try Stage(jobs: [Stage.job("a")])
        try stage.start()
        stage.ask("run", request("a"))
        try stage.turn()
        let run = try #require(stage.settlements["run"]?.run)
        stage.store.faults = [.full]
        stage.ask("cancel", { .cancelRequested(run: run.id, ticket: $0) })
        try stage.wait("its process is told") { stage.journal.lines.contains("stop") }
        try stage.wait("the request is answered") { stage.settlements["cancel"] != nil }
        #expect(stage.settlements["cancel"]?.isDone ?? false)
        stage.attempts.end(run.id, .signaled(15))
        stage.store.faults = []
        try stage.wait("its end is on record") { stage.store.runs[run.id]?.status.isActive == false }
    }

    /// It was answered with an error when the patience was over, because there was no process left to be ended.
    @Test(
        "a cancel whose process has ended by the time that it is settled is a success",
        arguments: [StoreError.Kind.full, .inputOutput], [true, false])
    func cancelThatIsObeyedAtOnce(_ kind: StoreError.Kind, isFirst: Bool) throws {
        let stage = try Stage(jobs: [Stage.job("a"), Stage.job("b")])
        try stage.start()
        stage.ask("run", request("a"))
        try stage.turn()
        let run = try #require(stage.settlements["run"]?.run)
        stage.attempts.obeysAtOnce = true
        stage.store.faults = [kind]
        // Nobody knows what became of the transaction, in one of the two.
        stage.store.isSettling = kind == .full
        if !isFirst {
            stage.ask("other", request("b"))
            try stage.wait("a commit has failed") { stage.journal.lines.contains("commit fails") }
        }
        stage.ask("cancel", { .cancelRequested(run: run.id, ticket: $0) })
        try stage.wait("it is answered") { stage.settlements["cancel"] != nil }
        #expect(stage.settlements["cancel"]?.isDone ?? false)
        #expect(stage.journal.lines.count { $0 == "stop" } == 1)
        stage.store.isSettling = true
        stage.store.faults = []
        try stage.wait("its end is on record") { stage.store.runs[run.id]?.status.isActive == false }
        if !isFirst { #expect(stage.settlements["other"]?.isRefusedByStore ?? false) }
    }

    /// A daemon that was stopped ended in the middle of that: runs that had begun, and cancels that had been carried
    /// out, were answered as if they had been refused.
    @Test("until everybody who waits has an answer the engine is not settled", arguments: [true, false])
    func settledWhenAllAreAnswered(_ isWritable: Bool) throws {
        let stage = try Stage(jobs: [Stage.job("a"), Stage.job("b")])
        try stage.start()
        var seen: [Bool] = []
        stage.attempts.onStart = { seen.append(stage.engine.isSettled) }
        stage.source.onAsked = { seen.append(stage.engine.isSettled) }
        stage.store.faults = [isWritable ? nil : .full]
        var atTheEnd: [Bool] = []
        stage.engine.onTurnEnd = { atTheEnd.append(stage.engine.isSettled && stage.settlements.count == 3) }
        stage.ask("first", request("a"))
        stage.ask("second", request("b"))
        stage.engine.whenDurable { seen.append(stage.engine.isSettled) }
        stage.engine.submit(.stopping)
        stage.ask("third", { .cancelRequested(run: "none", ticket: $0) })
        try stage.turn()
        #expect(seen.count >= 2 && !seen.contains(true), "\(seen)")
        #expect(atTheEnd.last == true)
        stage.source.onAsked = {}
    }

    /// They were told that nothing of it remains, and the next daemon found it on record.
    @Test(
        "whoever asked for a transaction that is still in doubt at the end is not told that it failed",
        arguments: [true, false, nil])
    func endInDoubt(_ isOnRecord: Bool?) throws {
        let stage = try Stage(jobs: [Stage.job("a")])
        try stage.start()
        stage.store.faults = [.inputOutput]
        stage.store.keepsFailed = isOnRecord ?? true
        stage.store.isSettling = false
        stage.ask("run", request("a"))
        try stage.turn()
        stage.engine.submit(.stopping)
        #expect(stage.engine.isSettled)
        #expect(stage.settlements["run"] == nil)
        stage.store.isSettling = isOnRecord != nil
        stage.engine.end()
        switch isOnRecord {
        case true?: #expect(stage.settlements["run"]?.run != nil)
        case false?: #expect(stage.settlements["run"] != nil && stage.settlements["run"]?.run == nil)
        case nil: #expect(stage.settlements["run"]?.isUnknown ?? false)
        }
    }

    @Test("a run that ended while the store could not be written is on record afterwards, and not run again")
    func endDuringAnOutage() throws {
        let stage = try Stage(jobs: [Stage.job("a")])
        try stage.start()
        stage.ask("run", request("a"))
        try stage.turn()
        let run = try #require(stage.settlements["run"]?.run)
        stage.store.faults = [.busy]
        stage.attempts.end(run.id, .exited(0))
        try stage.wait("the patience is over") { stage.engine.health.storeFault != nil && stage.store.probes > 0 }
        stage.store.faults = []
        try stage.wait("its end is on record") { stage.store.runs[run.id]?.status == .success }
        #expect(stage.attempts.started.count == 1)
        let told = stage.sink.told.count { if case .jobCompleted = $0 { true } else { false } }
        #expect(told == 1)
    }

    @Test("of a transaction that can never be recorded the offender alone is refused")
    func constraint() throws {
        let stage = try Stage(jobs: [Stage.job("good"), Stage.job("bad"), Stage.job("other")])
        try stage.start()
        stage.store.refusedJob = "bad"
        for name in ["good", "bad", "other"] { stage.ask(name, request(name)) }
        try stage.turn()
        #expect(stage.settlements["good"]?.run?.status == .running)
        #expect(stage.settlements["other"]?.run?.status == .running)
        #expect(stage.settlements["bad"]?.isRefusedByStore ?? false)
        #expect(stage.attempts.started.count == 2)
        #expect(stage.engine.activeRunCount == 2)
    }

    /// What was to be decided after the offender was forgotten, and whoever had asked for it never heard of it.
    @Test("where the core cannot be built again after an offender, those behind it are answered all the same")
    func constraintAndOutage() throws {
        let stage = try Stage(jobs: [Stage.job("good"), Stage.job("bad"), Stage.job("other")])
        try stage.start()
        stage.store.refusedJob = "bad"
        stage.store.loadsLeft = 1
        var isRead = false
        for name in ["good", "bad", "other"] { stage.ask(name, request(name)) }
        stage.engine.whenDurable { isRead = true }
        try stage.turn()
        #expect(stage.settlements["good"]?.run?.status == .running)
        #expect(stage.settlements["bad"]?.isRefusedByStore ?? false)
        #expect(stage.settlements["other"]?.isRefusedByStore ?? false)
        #expect(isRead)
        stage.store.loadsLeft = nil
        try stage.wait("the store is good again") { stage.engine.health.storeFault == nil }
        #expect(stage.attempts.started.count == 1)
    }

    @Test("a job that fails at once and is tried again without a pause leaves the loop to others")
    func endlessRetries() throws {
        var job = Stage.job("a")
        var retry = RetryPolicy()
        retry.maxAttempts = 1_000_000
        retry.delay = .zero
        job.retry = retry
        let stage = try Stage(jobs: [job])
        try stage.start()
        stage.attempts.endsAtOnce = .couldNotStart("there is no such file")
        stage.ask("run", request("a"))
        var turns = 0
        let other = try stage.loop.timer(.monotonic, accuracyUSec: 1) { turns += 1 }
        for _ in 0..<50 {
            other.arm(atUSec: stage.loop.now(.monotonic))
            let before = turns
            for _ in 0..<20 where turns == before { try stage.loop.runOnce(timeoutUSec: 1_000_000) }
            #expect(turns == before + 1, "another source had its turn")
        }
        #expect(stage.attempts.started.count > 1)
    }

    @Test("without anybody to tell, announcements stay with the store until there is somebody")
    func untold() throws {
        let stage = try Stage(jobs: [Stage.job("a")])
        try stage.start()
        stage.sink.isReachable = false
        stage.ask("run", request("a"))
        try stage.turn()
        let run = try #require(stage.settlements["run"]?.run)
        stage.attempts.end(run.id, .exited(0))
        try stage.turn()
        #expect(stage.store.untoldText == "started \(run.id)\ncompleted \(run.id)")
        #expect(stage.sink.told.isEmpty)
    }

    @Test("what the clocks tell is decided before anything else")
    func clocksFirst() throws {
        let stage = try Stage(jobs: [Stage.job("a")])
        try stage.start()
        stage.machine.finding = [.sleep]
        stage.ask("run", request("a"))
        try stage.turn()
        #expect(stage.engine.status == .sleeping)
        #expect(stage.settlements["run"]?.run?.status == .queued)
    }

    @Test("a daemon can be stopped while the store cannot be written")
    func stopDuringAnOutage() throws {
        var job = Stage.job("a")
        job.onStop = .kill
        let stage = try Stage(jobs: [job])
        try stage.start()
        stage.ask("run", request("a"))
        try stage.turn()
        stage.store.faults = [.full]
        stage.engine.submit(.stopping)
        try stage.turn()
        #expect(stage.journal.lines.contains("stop"), "its process is told at once")
        #expect(stage.engine.isSettled)
        stage.ask("late", request("a"))
        #expect(stage.settlements["late"] != nil)
    }
}
