import Schedules

/// How runs come to be, under which ids, and how they are forgotten.
extension Scheduler {
    /// - Parameter replaced: the record of a missed fire time that it takes the place of.
    func makeRun(
        _ job: Job, at instant: Instant, trigger: Run.Trigger, scheduledFor: Instant?, replacing replaced: Run? = nil,
        now: Instant
    ) -> Run {
        var run = Run(
            id: replaced?.id ?? makeID(job, at: instant), job: job.name, skill: job.skill, trigger: trigger,
            scheduledFor: scheduledFor, createdAt: replaced?.createdAt ?? now, status: .queued)
        uncommittedIDs.insert(run.id)
        if job.isTraced { run.traceID = random.nextTraceID() }
        return run
    }

    func makeActive(_ run: Run, job: Job, entry: JobEntry?) -> ActiveRun {
        sequence += 1
        let active = ActiveRun(run: run, job: job, entry: entry, sequence: sequence)
        runs[run.id] = active
        if run.startedAt == nil { unstartedRuns += 1 }
        return active
    }

    func forget(_ active: ActiveRun) {
        disarm(active)
        forgetLateness(of: active)
        forgetConditions(active)
        forgetGroup(active)
        releaseConditions(active)
        if runs.removeValue(forKey: active.run.id) != nil, active.run.startedAt == nil { unstartedRuns -= 1 }
    }

    /// An id that no run has had, and none will have from now on.
    func makeID(_ job: Job, at instant: Instant) -> String {
        let id = freeID(job, at: instant)
        uncommittedIDs.insert(id)
        return id
    }

    /// `cron-<skill or job>-<YYYYMMDD>-<HHMMSS>` in the job's zone; where that is taken, with `-2`, `-3`, ….
    ///
    /// - Parameter others: ids that are taken beside those of all runs.
    func freeID(_ job: Job, at instant: Instant, besides others: Set<String> = []) -> String {
        let base = executionIDBase(job, at: instant)
        return isFree(base, besides: others) ? base : numbered(base, besides: others)
    }

    /// The numbers of one second follow each other, so the first free one is found by halving: of a thousand runs asked
    /// for in a second, the last is told its id after twenty looks at the store instead of a thousand.
    private func numbered(_ base: String, besides others: Set<String> = []) -> String {
        var (taken, free) = (1, 2)
        while !isFree("\(base)-\(free)", besides: others) { (taken, free) = (free, 2 * free) }
        while free - taken > 1 {
            let middle = taken + (free - taken) / 2
            if isFree("\(base)-\(middle)", besides: others) { free = middle } else { taken = middle }
        }
        return "\(base)-\(free)"
    }

    private func isFree(_ id: String, besides others: Set<String> = []) -> Bool {
        runs[id] == nil && !uncommittedIDs.contains(id) && !others.contains(id) && !register.isTaken(executionID: id)
    }

    /// The record that what is decided of a fire time now takes the place of, where there is one.
    func recordToReplace(_ entry: JobEntry, _ fire: Instant) -> Run? {
        fire <= entry.recordsThrough ? missedRecord(of: entry.job.name, fire) : nil
    }

    /// The record that a fire time was missed, made under a clock that was ahead: the fire time has come after all, and
    /// what becomes of it now takes the record's place. One that stands for others, too, stays.
    func missedRecord(of job: String, _ fire: Instant) -> Run? {
        guard case .kept(let run)? = register.earlierRun(job: job, scheduledFor: fire), run.status == .missed,
            run.coveredCount <= 1,
            !uncommittedRecords.contains(where: { $0.job == job && $0.scheduledFor == fire })
        else { return nil }
        return run
    }

    private func executionIDBase(_ job: Job, at instant: Instant) -> String {
        let local = job.zone.localDateTime(at: instant)
        var text: [UInt8] = Array("cron-".utf8)
        for byte in (job.skill.isEmpty ? job.name : job.skill).utf8 {
            text.append(byte == UInt8(ascii: "/") ? UInt8(ascii: "-") : byte)
        }
        func append(_ number: Int, digits: Int) {
            var divisor = 1
            for _ in 1..<digits { divisor *= 10 }
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
                divisor /= 10
            }
        }
        text.append(UInt8(ascii: "-"))
        append(local.year, digits: 4)
        append(local.month, digits: 2)
        append(local.day, digits: 2)
        text.append(UInt8(ascii: "-"))
        append(local.hour, digits: 2)
        append(local.minute, digits: 2)
        append(local.second, digits: 2)
        return String(decoding: text, as: UTF8.self)
    }
}
