import Schedules
import Scheduling

/// Jobs whose interval counts from the end of the last run, and those that remove themselves: neither is in a ledger of
/// fire times that a schedule alone names.
enum Delays {
    typealias Fault = (text: String, job: String)

    /// No run is due beside another.
    static func observe(_ changes: [StoreChange], _ store: LossyStore, _ checker: Checker) -> Fault? {
        var runs: [String: Run] = [:]
        for case .run(let run) in changes { runs[run.id] = run }
        for run in runs.values where store.runs[run.id] == nil && run.status.isExecuted {
            guard run.trigger == .schedule || run.trigger == .catchUp, let job = checker.grids[run.job]?.job,
                job.countsFromEnd, checker.incoming[run.job].map(\.countsFromEnd) ?? true
            else { continue }
            let beside = store.order[run.job, default: []].suffix(200).first { id in
                (runs[id] ?? store.runs[id])?.status.isActive ?? false
            }
            if let beside { return ("\(run.id) is due while \(beside) is active", run.job) }
        }
        return nil
    }

    /// One fire time is known, and none while a run is active.
    static func fault(_ view: Scheduler.JobView, isEnabled: Bool) -> String? {
        if !view.active.isEmpty {
            return view.nextRun.map { "\(view.job.name) is due at \($0), and \(view.active) is active" }
        }
        if let next = view.nextRun, next <= view.state.decidedThrough {
            return "\(view.job.name) is due at \(next.rfc3339(in: .utc)), which is decided"
        }
        let hasEnd = view.job.schedules.contains { $0.timetable.endAt != nil }
        let isDue = isEnabled && view.isEnabled && !view.isFinished && !hasEnd
        return isDue && view.nextRun == nil ? "\(view.job.name) is never due again" : nil
    }

    /// A job goes by itself only when it says so, is finished, and its time is over.
    static func removal(
        _ changes: [StoreChange], _ events: [Event], _ store: LossyStore, _ checker: Checker, _ now: Instant
    ) -> Fault? {
        for event in events { if case .jobCancelled = event { return nil } }
        for case .removeDefinition(let name) in changes {
            guard let job = checker.incoming[name] ?? checker.grids[name]?.job, let wait = job.deleteAfter else {
                return ("\(name) goes by itself", name)
            }
            if let end = store.states[name]?.lastEndedAt, end + wait > now { return ("\(name) goes too early", name) }
            let last = store.order[name, default: []].suffix(200).first { store.runs[$0]?.status.isActive ?? false }
            if let last, events.count == 1, !changes.contains(where: { $0.isEnd(of: last) }) {
                return ("\(name) goes, and \(last) is active", name)
            }
        }
        return nil
    }
}

extension StoreChange {
    fileprivate func isEnd(of id: String) -> Bool {
        if case .run(let run) = self { run.id == id && !run.status.isActive } else { false }
    }
}

extension Job {
    /// Those whose fire times hang on nothing but the clock.
    var gridSchedules: [JobSchedule] { self.countsFromEnd ? [] : schedules }
}
