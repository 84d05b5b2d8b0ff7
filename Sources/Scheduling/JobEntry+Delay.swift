import Schedules

/// An interval that counts from the end of the last run (`interval_from: "end"`) has no grid: it names one fire time,
/// and none while a run of the job is active. So no run of it is ever due beside another.
extension JobEntry {
    var countsFromEnd: Bool { job.details.value.countsFromEnd }

    /// The one fire time that is known; nil while a run is active, and after the end of the window.
    var delayedFire: Instant? {
        guard isIdle else { return nil }
        let from = max(state.progress.countsFrom ?? state.registeredAt, state.decidedThrough, state.registeredAt)
        return delayedFire(from: from)
    }

    /// The interval, counted from an instant; not before the job's window begins, which is a fire time itself.
    ///
    /// - Parameter edge: the first one after this, where each that comes before is skipped when it comes; nil: the
    ///   first of all.
    func delayedFire(from instant: Instant, after edge: Instant? = nil) -> Instant? {
        guard let grid = job.schedules.first?.timetable else { return nil }
        if let start = grid.startAt, instant < start { return grid.next(after: instant) }
        // Fire times are whole seconds, and the wait is never shorter than the interval.
        let second = Instant(seconds: (instant + .microseconds(999_999)).seconds)
        let timetable = try? Timetable(
            schedule: grid.schedule, zone: grid.zone, dst: grid.dst, anchor: second, endAt: grid.endAt)
        return timetable?.next(after: max(second, edge ?? second))
    }
}

extension Scheduler {
    /// A run of the job has come to be, or its last one has ended: what its interval counts from is another instant.
    ///
    /// - Parameter end: what it counts from, where no run is active any more.
    func countAnew(_ entry: JobEntry, from end: Instant? = nil, now: Instant) {
        guard entry.countsFromEnd, !entry.isRemoved else { return }
        if let end, entry.isIdle {
            entry.state.progress.countsFrom = min(end, now)
            touch(entry)
        }
        reschedule(entry)
    }

    /// A clock that was set back.
    func putDelayRight(_ entry: JobEntry, now: Instant) {
        guard let from = entry.state.progress.countsFrom, from > now else { return }
        entry.state.progress.countsFrom = now
        entry.nextRun = nil
        touch(entry)
    }
}
