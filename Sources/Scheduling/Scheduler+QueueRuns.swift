import JSON
import Schedules

/// What runs have to do with queues: items that each make a run, and what a run leaves for others.
///
/// The items of a run are its own as long as it is active, across restarts. With its success they are acknowledged, in
/// the same transaction; else they are given back, and come again later.
extension Scheduler {
    /// An item that was delivered so often comes no more: it goes to the dead letters of its queue.
    static var deliveriesMax: Int { 5 }
    /// An item that a failed run gave back comes again after so long, which doubles with each delivery, up to the most.
    static var returnDelay: Duration { .seconds(10) }
    static var returnDelayMax: Duration { .seconds(600) }
    static var deadSuffix: String { ".dead" }
    /// In characters, of letters and digits; clients can name no longer one.
    static var queueNameMax: Int { 128 }

    /// Who follows queues; nothing of it costs anything where no job does.
    struct QueueWatch {
        /// By queue, the names of the jobs that run for its items.
        var jobs: [String: [String]] = [:]
        /// Queues in which there is nothing to take before an instant; nil: until something changes.
        var emptyUntil: [String: Instant?] = [:]
        var timer: TimerQueue.Owner?
        /// Items were given back in this turn, which the register knows by the next.
        var awaitsCommit = false
    }

    // MARK: - Items that make runs

    /// Starts runs for items that nobody has, as far as their jobs have room.
    func serveQueues(now: Instant) {
        guard !queueWatch.jobs.isEmpty, isFiring else { return }
        var more: Instant? = queueWatch.awaitsCommit ? now + .microseconds(1) : nil
        var started = 0
        for queue in queueWatch.jobs.keys.sorted() where !queueWatch.awaitsCommit {
            if let until = queueWatch.emptyUntil[queue], until.map({ $0 > now }) ?? true { continue }
            queueWatch.emptyUntil[queue] = nil
            while let entry = nextServer(of: queue, now: now) {
                guard started < Limits.queueRunsPerTurn else {
                    more = now + .microseconds(1)
                    break
                }
                guard runForItems(of: queue, entry, now: now) else { break }
                started += 1
            }
        }
        queueWatch.awaitsCommit = false
        let waits = queueWatch.emptyUntil.values.compactMap(\.self) + [more].compactMap(\.self)
        guard let next = waits.min() else {
            if let timer = queueWatch.timer { timers.disarm(timer) }
            return
        }
        let timer = queueWatch.timer ?? own(.queues)
        queueWatch.timer = timer
        timers.arm(timer, at: next)
    }

    /// The first job that may run for an item of the queue now. Whatever the overlap policy says of fire times, an item
    /// that finds its job busy waits in its queue.
    private func nextServer(of queue: String, now: Instant) -> JobEntry? {
        guard runs.count < Limits.activeRuns else { return nil }
        let able = queueWatch.jobs[queue, default: []].lazy.compactMap { self.jobs[$0] }.filter {
            $0.isEnabled && !$0.isFinished && $0.hasRoom && $0.waiting.isEmpty
        }
        if let entry = able.first(where: { !self.isBudgetUsedUp($0, now: now) }) { return entry }
        if let entry = able.first { queueWatch.emptyUntil[queue] = startOfTomorrow(entry, now: now) }
        return nil
    }

    private func runForItems(of queue: String, _ entry: JobEntry, now: Instant) -> Bool {
        var items: [QueueItem] = []
        var bytes = 0
        while items.count < entry.job.triggerBatch, bytes < Limits.queueItemBytes,
            let item = takeItem(from: queue, until: .horizon, now: now)
        {
            items.append(item)
            bytes += item.json.utf8.count
        }
        guard !items.isEmpty else {
            queueWatch.emptyUntil[queue] = .some(nextReturn(to: queue, after: now))
            return false
        }
        var run = makeRun(entry.job, at: now, trigger: .queue, scheduledFor: nil, now: now)
        run.coveredCount = 0
        run.queueItems = items.map(\.id)
        run.standardInput =
            entry.job.triggerBatch == 1 ? items[0].json : "[" + items.map(\.json).joined(separator: ", ") + "]"
        enqueueRequested(run, entry, previous: nil, now: now)
        return true
    }

    /// Something may be in a queue that was found empty.
    func queueChanged(_ queue: String) {
        turn.queues.insert(queue)
        guard !queueWatch.jobs.isEmpty else { return }
        queueWatch.emptyUntil[queue] = nil
    }

    /// What clients have taken is nobody's any more; what active runs have taken stays theirs.
    func returnItemsOfClients() {
        turn.changes.append(.queueItemsReturned(except: Set(runs.values.lazy.flatMap(\.run.queueItems))))
        queueWatch.awaitsCommit = !queueWatch.jobs.isEmpty
        queueWatch.emptyUntil = [:]
    }

    // MARK: - The end of a run

    /// What a run had taken is dealt with, or given back.
    func settleItems(of active: ActiveRun, now: Instant) {
        // Nobody reads it any more.
        active.run.standardInput = nil
        guard !active.run.queueItems.isEmpty else { return }
        let isDone = active.run.status == .success
        for id in active.run.queueItems {
            guard var item = item(id), item.takenUntil != nil else { continue }
            if isDone {
                removeItem(item)
            } else if item.deliveries >= Self.deliveriesMax, !isDead(item.queue) {
                bury(item)
            } else {
                let doublings = min(max(item.deliveries - 1, 0), 16)
                item.takenUntil = now + min(Self.returnDelay * (1 << doublings), Self.returnDelayMax)
                change(item)
            }
        }
        active.run.queueItems = []
    }

    /// The outcome goes to the queue that the job names for it; where it cannot, the run's record says so.
    func pushOutcome(of active: ActiveRun, now: Instant) {
        let run = active.run
        guard run.status != .cancelled else { return }
        guard let queue = run.status == .success ? active.job.resultQueue : active.job.errorQueue else { return }
        var exit: JSONValue = .null
        if case .code(let code) = run.exit { exit = .number(JSONNumber(code)) }
        let ended = (run.endedAt ?? now).rfc3339(in: active.job.zone)
        func outcome(_ result: JSONValue) -> String {
            JSONValue.object([
                "job": .string(run.job), "execution_id": .string(run.id), "status": .string(run.status.rawValue),
                "exit_code": exit, "result": result, "error": run.error.map { .string($0) } ?? .null,
                "output_preview": .string(run.outputPreview ?? ""), "completed_at": .string(ended),
            ]).compactText
        }
        var text = outcome(run.result.flatMap { try? JSONValue(parsing: $0) } ?? .null)
        if text.utf8.count > Limits.queueItemBytes {
            text = outcome(.null)
            note("its result is too long for the queue \"\(queue)\", which has the outcome without it", ofRun: run.id)
        }
        if let why = hindrance(toPush: text.utf8.count, to: queue) {
            note("the outcome is not in the queue \"\(queue)\": \(why)", ofRun: run.id)
        } else {
            appendItem(text, to: queue, now: now)
        }
    }

    // MARK: - Who serves which queue

    func followQueue(_ entry: JobEntry) {
        guard let queue = entry.job.details.value.triggerQueue else { return }
        let names = queueWatch.jobs[queue, default: []]
        let place = names.firstIndex { $0 > entry.job.name } ?? names.count
        queueWatch.jobs[queue, default: []].insert(entry.job.name, at: place)
        queueWatch.emptyUntil[queue] = nil
    }

    func unfollowQueue(_ entry: JobEntry) {
        guard let queue = entry.job.details.value.triggerQueue else { return }
        queueWatch.jobs[queue]?.removeAll { $0 == entry.job.name }
        if queueWatch.jobs[queue]?.isEmpty ?? false { queueWatch.jobs[queue] = nil }
        queueWatch.emptyUntil[queue] = nil
    }
}
