import Schedules
import Scheduling

/// What people and machines do to a daemon.
extension World {
    func chaos() {
        switch random.below(20) {
        case 0, 1, 2: suspend()
        case 3: crash("at rest")
        case 4: stop()
        case 5: setClock()
        case 6: deliver([.schedulerToggled(!(scheduler?.isEnabled ?? true))])
        case 7, 8: toggleJob()
        case 9: reload()
        case 10, 11: upsert()
        case 12: cancelJob()
        case 13: cancelRun()
        case 14: skip()
        case 15: askQueues()
        case 16: random.chance(2) ? askPeople() : holdGroups()
        default: requestRuns()
        }
    }

    private func anyJob() -> String { "job-\(random.below(12))" }

    func ticket() -> Ticket {
        lastTicket += 1
        return lastTicket
    }

    private func suspend() {
        // Without logind nobody tells: the clock leaps.
        let isAnnounced = !random.chance(4)
        if isAnnounced {
            guard deliver([.sleep]) else { return }
            checkSleep()
            if random.chance(4) { guard requestRun() else { return } }
        }
        let seconds = random.chance(12) ? Int64(random.below(90 * 86_400)) : random.seconds(upTo: 60_000)
        note("machine sleeps for \(seconds) s")
        elapsed += seconds * 1_000_000
        overdueSince = [:]
        for index in processes.indices { processes[index].endsAt += seconds * 1_000_000 }
        if isAnnounced, scheduler != nil { deliver([.wake]) }
    }

    private func stop() {
        guard deliver([.stopping]) else { return }
        note("daemon has stopped")
        // It waits for its processes, which are told to end.
        while let end = processes.map(\.endsAt).min(), scheduler != nil {
            elapsed = max(elapsed, end)
            guard let index = processes.firstIndex(where: { $0.endsAt <= elapsed }) else { break }
            guard finish(processes.remove(at: index)) else { return }
        }
        scheduler = nil
        armed = nil
        isAsleep = false
        if random.chance(2) { boot += 1 }
        pass(seconds: random.seconds(upTo: 400_000))
        if random.chance(4) { changeConfig() }
        start()
    }

    /// Clients push, take and acknowledge items, some of them in one turn.
    private func askQueues() {
        var events: [Event] = []
        for _ in 0...random.below(5) { events.append(desk.request(ticket: ticket(), &random)) }
        deliver(events)
    }

    private func setClock() {
        let size: Int64 =
            switch random.below(12) {
            case 0 where hasWildClock: Int64(random.below(40_000_000))
            case 1 where hasWildClock, 2 where hasWildClock: Int64(random.below(100_000))
            default: random.seconds(upTo: hasWildClock ? 10_000 : 1_000)
            }
        let step = (random.chance(2) ? size : -size) * 1_000_000 + Int64(random.below(1_000_000))
        offset += step
        note("clock is set by \(step / 1_000_000) s")
        moveSurroundings(by: .microseconds(step))
        if step < 0 {
            checker.clockSteppedBack(to: now)
            desk.returnAll()
        }
        deliver([.clockChanged(by: .microseconds(step))])
    }

    private func toggleJob() {
        let name = anyJob()
        let isEnabled = !(scheduler?.job(named: name)?.isEnabled ?? true) || random.chance(4)
        let until = !isEnabled && random.chance(3) ? now + .seconds(random.seconds(upTo: 100_000)) : nil
        guard
            deliver([
                .jobToggled(job: name, isEnabled: isEnabled, until: until, reason: random.chance(2) ? "chaos" : nil)
            ])
        else { return }
        if let view = scheduler?.job(named: name), view.isEnabled != isEnabled {
            checker.fail("\(name) was toggled, and is not", job: name)
        }
    }

    /// Changes config.json; who reads it hears of it, or finds it at the next start.
    private func changeConfig() {
        for _ in 0...random.below(3) {
            let name = "job-\(random.below(10))"
            let index = config.firstIndex { $0.name == name }
            switch (index, random.below(4)) {
            case (let index?, 0): config.remove(at: index)
            case (let index?, 1):
                // The same schedule under other policies.
                let other = define(name, .config)
                var job = config[index]
                job.overlap = other.overlap
                job.catchUp = other.catchUp
                job.maxInstances = other.maxInstances
                job.priority = other.priority
                job.retry = other.retry
                job.isEnabled = other.isEnabled
                config[index] = job
            case (let index?, _): config[index] = define(name, .config)
            case (nil, _): if store.definitions[name] == nil { config.append(define(name, .config)) }
            }
        }
        if random.chance(4) { drawSettings() }
        if random.chance(8) { configEnabled.toggle() }
    }

    private func reload() {
        changeConfig()
        let event = Event.configurationChanged(jobs: config, retained: [], settings: settings, isEnabled: configEnabled)
        deliver([event]) { scheduler in
            for name in checker.grids.keys.sorted() {
                guard let grid = checker.grids[name], grid.job.origin == .config else { continue }
                if !config.contains(where: { $0.name == name }) { checker.remove(name, now: now) }
            }
            for job in config { defineAsIs(job, scheduler) }
        }
    }

    private func defineAsIs(_ job: Job, _ scheduler: Scheduler) {
        guard let view = scheduler.job(named: job.name) else {
            return checker.fail("\(job.name) is missing", job: job.name)
        }
        checker.define(job, isEnabled: view.isEnabled, isFinished: view.isFinished, store, now: now)
    }

    private func upsert() {
        let name = "job-\(10 + random.below(2))"
        let job = define(name, .bus)
        deliver([.jobUpserted(job, ticket: ticket())]) { scheduler in
            if store.definitions[name]?.json == job.definition { defineAsIs(job, scheduler) }
        }
    }

    private func cancelJob() {
        let name = anyJob()
        deliver([.jobCancelled(job: name, ticket: ticket())]) { scheduler in
            if scheduler.job(named: name) == nil { checker.remove(name, now: now) }
        }
    }

    private func cancelRun() {
        guard let scheduler, let run = scheduler.activeRuns.randomElement(using: &random) else { return }
        deliver([.cancelRequested(run: run.id, ticket: ticket())]) { _ in checker.cancelled.insert(run.id) }
    }

    private func skip() { deliver([.skipRequested(job: anyJob(), ticket: ticket())]) }

    /// Several requests in one turn of the loop.
    private func requestRuns() {
        let events = (0...random.below(3)).map { _ in request() }
        deliver(events)
    }

    private func requestRun() -> Bool { deliver([request()]) }

    private func request() -> Event {
        var request = RunRequest(job: anyJob())
        request.isForced = random.chance(5)
        if random.chance(4) { request.idempotencyKey = "key-\(random.below(40))" }
        if random.chance(4), let job = checker.grids[request.job]?.job {
            request.scheduledFor = checker.next(after: now + .seconds(random.seconds(upTo: 40_000) - 20_000), job)
        }
        if random.chance(8) {
            let once = define("once", .bus)
            request.job = "once"
            request.scheduledFor = nil
            return .runOnce(once, request, ticket: ticket())
        }
        return .runRequested(request, ticket: ticket())
    }
}
