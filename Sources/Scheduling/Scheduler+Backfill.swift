public import Schedules

/// What a client asks for when fire times that have passed are to be run after all.
public struct BackfillRequest: Sendable, Equatable {
    /// What becomes of so many runs at once.
    public enum Overlap: String, Sendable, CaseIterable {
        /// One after the other, oldest first, as many at a time as the job permits.
        case queue
        /// Side by side, up to the limits of the scheduler.
        case allow
    }

    public var job: String
    /// Both ends belong to the span; what has not come yet does not.
    public var from: Instant
    public var through: Instant
    public var overlap = Overlap.queue
    /// Only says which fire times they would be.
    public var isDry = false

    public init(job: String, from: Instant, through: Instant) {
        self.job = job
        self.from = from
        self.through = through
    }
}

/// Runs for fire times that have passed without one of their own.
extension Scheduler {
    /// Each fire time of the span gets its run, but those that have one, or that are excluded. The record that it was
    /// missed or skipped gives its place, and its id, to the run.
    ///
    /// A fire time that a catch-up run stood for has none of its own. The newest of a long row that one record stands
    /// for keeps that record: the others would be forgotten with it.
    func backfill(_ request: BackfillRequest, ticket: Ticket, now: Instant) {
        guard let entry = jobs[request.job] else { return reply(ticket, .refused(.jobNotFound(request.job))) }
        do throws(Refusal) {
            let candidates = try candidates(entry, request, now: now)
            let fires = candidates.map(\.fire)
            var ids: [String] = []
            if !request.isDry {
                try requireRoom(entry, for: fires, now: now)
                ids = makeRuns(entry, of: candidates, request.overlap, now: now)
            }
            reply(ticket, .backfilled(runs: ids, fireTimes: fires))
        } catch {
            reply(ticket, .refused(error))
        }
    }

    /// - Returns: their ids.
    private func makeRuns(
        _ entry: JobEntry, of candidates: [BackfillCandidate], _ overlap: BackfillRequest.Overlap, now: Instant
    ) -> [String] {
        var ids: [String] = []
        runs.reserveCapacity(runs.count + candidates.count)
        uncommittedIDs.reserveCapacity(uncommittedIDs.count + candidates.count)
        for candidate in candidates {
            if candidate.fire > entry.state.decidedThrough { claim(candidate.fire, entry) }
            // Looked up once more, where there is one: a thousand records in hand are half a megabyte.
            let record = candidate.hasRecord ? record(of: entry.job.name, at: candidate.fire) : nil
            var run = makeRun(
                entry.job, at: candidate.fire, trigger: .manual, scheduledFor: candidate.fire, replacing: record,
                now: now)
            run.coveredCount = 0
            let active = makeActive(run, job: entry.job, entry: entry)
            touch(active)
            switch overlap {
            case .queue: wait(active)
            case .allow: makeReady(active)
            }
            ids.append(run.id)
        }
        promote(entry, now: now)
        return ids
    }

    private func candidates(
        _ entry: JobEntry, _ request: BackfillRequest, now: Instant
    ) throws(Refusal) -> [BackfillCandidate] {
        let through = min(request.through, now)
        var candidates: [BackfillCandidate] = []
        var count = 0
        var last = request.from - .microseconds(1)
        // Nobody knows what fire times such a job would have had.
        guard !entry.countsFromEnd else { return [] }
        // Before its registration, too: the schedule names those instants, and somebody asks for them.
        while let fire = entry.job.schedules.compactMap({ $0.timetable.next(after: last) }).min(), fire <= through {
            count += 1
            guard count <= Limits.backfilledFireTimes else {
                throw .limitExceeded(
                    "\(entry.job.name) has more than \(Limits.backfilledFireTimes) fire times in that span: take one "
                        + "that ends before \(fire.rfc3339(in: entry.job.zone)), then the rest")
            }
            last = fire
            guard !entry.isExcluded(fire) else { continue }
            switch earlierRun(of: entry.job.name, at: fire) {
            case nil: candidates.append(BackfillCandidate(fire: fire, hasRecord: false))
            case .kept(let run) where !run.status.isExecuted && run.coveredCount <= 1:
                candidates.append(BackfillCandidate(fire: fire, hasRecord: true))
            case .kept, .removed: break
            }
        }
        return candidates
    }

    private func record(of job: String, at fire: Instant) -> Run? {
        if case .kept(let run)? = earlierRun(of: job, at: fire) { run } else { nil }
    }

    /// All of the runs are made, or none.
    private func requireRoom(_ entry: JobEntry, for fires: [Instant], now: Instant) throws(Refusal) {
        let name = entry.job.name
        if !fires.isEmpty, isBudgetUsedUp(entry, by: fires.count, now: now) {
            throw .limitExceeded(
                "\"\(name)\" is not run \(fires.count) times: its budget for today is used up before that; take a "
                    + "shorter span, or another day")
        }
        guard runs.count + fires.count <= Limits.activeRuns,
            entry.waiting.count + fires.count <= Limits.waitingRunsPerJob
        else {
            throw .limitExceeded(
                "\(entry.waiting.count) runs of \(name) wait already, and \(fires.count) more are too many")
        }
        let ahead = fires.count { $0 > entry.state.decidedThrough }
        guard entry.state.claimed.count + ahead <= Limits.claimedFireTimes else {
            throw .limitExceeded("\(entry.state.claimed.count) fire times of \(name) are taken before they came")
        }
    }
}

/// A fire time without a run, and whether there is a record that says why, which the run replaces.
private struct BackfillCandidate {
    var fire: Instant
    var hasRecord: Bool
}
