import Schedules

/// What is told, and to whom: a message is decided with what it tells of, and is a row of the same commit.
extension Scheduler {
    /// Why a fire time was not run, as far as it is told: the others somebody has wished for.
    private static var toldReasons: [Run.Reason] { [.asleep, .down, .expired, .limit, .budget, .condition] }

    /// Fire times of a job that an event has left without a run, for one reason.
    struct UnrunStretch {
        var entry: JobEntry
        var reason: Run.Reason
        var count: Int
        var since: Instant?
        /// The newest record of them.
        var run: Run
    }

    func rules(of job: Job) -> [MessageRule] { job.details.value.messages ?? settings.messages }

    /// Whether anybody is told anything of it: most jobs are nobody's news, and cost no more than this question.
    func isTold(_ job: Job) -> Bool { !rules(of: job).isEmpty }

    /// One message to each target that wants one of these words; its occasion is the first of them that it wants.
    func tell(
        _ words: [Message.Occasion], of run: Run, _ job: Job, now: Instant, as wording: (Message.Occasion) -> Wording
    ) {
        tell(words, ofRun: run.id, job, now: now, as: wording)
    }

    /// The same of a run by its id; empty where it is about no run.
    func tell(
        _ words: [Message.Occasion], ofRun id: String, _ job: Job, now: Instant,
        as wording: (Message.Occasion) -> Wording
    ) {
        for rule in rules(of: job) {
            guard let occasion = words.first(where: rule.on.contains) else { continue }
            let wording = wording(occasion)
            post(
                Message(
                    id: random.nextMessageID(), job: job.name, run: id, occasion: occasion, target: rule.target,
                    title: wording.title, text: wording.text, createdAt: now), now: now)
        }
    }

    // MARK: - Runs

    func tellStart(of active: ActiveRun, now: Instant) {
        if let entry = active.entry, entry.state.course.toldReason != nil {
            entry.state.course.toldReason = nil
            touch(entry)
        }
        beat(.start, of: active, now: now)
        guard isTold(active.job) else { return }
        tell([.start], of: active.run, active.job, now: now) { _ in .start(of: active.run, active.job) }
    }

    func tellRetry(of active: ActiveRun, after delay: Duration, now: Instant) {
        guard isTold(active.job) else { return }
        let words: [Message.Occasion] = active.isStalled ? [.stalled, .retry] : [.retry]
        tell(words, of: active.run, active.job, now: now) { occasion in
            occasion == .stalled
                ? .stalled(active.run, active.job)
                : .retry(of: active.run, active.job, after: delay)
        }
    }

    /// A run's process has written nothing for too long, and goes on. Whoever takes the run over says so anew, which is
    /// no other stall.
    func noteStall(ofRun id: String, attempt: Int, now: Instant) {
        guard let active = runs[id], active.phase == .running, active.run.attempt == attempt,
            active.run.stalledAt == nil
        else { return }
        active.run.stalledAt = now
        touch(active)
        tell([.stalled], of: active.run, active.job, now: now) { _ in .stalled(active.run, active.job) }
    }

    /// A run has ended for good.
    ///
    /// - Parameters:
    ///   - course: that of its job before it.
    ///   - isPausing: its failure has taken the job out of force.
    func tellEnd(of active: ActiveRun, after course: JobCourse, isPausing: Bool, now: Instant) {
        beatEnd(of: active, now: now)
        guard isTold(active.job) else { return }
        let run = active.run
        var words: [Message.Occasion] = []
        if run.status == .success {
            if course.failures > 0 { words.append(.recovered) }
            if active.usual != nil { words.append(.late) }
            if let known = course.outputDigest, let found = active.outputDigest, found != known {
                words.append(.changed)
            }
            words.append(.success)
        } else if run.status.isFailure, run.status != .cancelled {
            if isPausing { words.append(.paused) }
            if course.failures == 0 { words.append(.firstFailure) }
            words.append(.failure)
            if active.usual != nil { words.append(.late) }
            if active.isStalled { words.append(.stalled) }
        }
        tell(words, of: run, active.job, now: now) { occasion in
            switch occasion {
            case .recovered: .recovered(run, active.job, course)
            case .paused: .paused(run, active.job, failures: course.failures + 1)
            case .late: .unusual(run, active.job, usual: active.usual ?? .zero)
            default: .end(of: run, active.job, occasion)
            }
        }
    }

    /// Takes the end of a run into the course of its job, where anybody is told of it.
    ///
    /// - Returns: the course before it.
    func followCourse(of active: ActiveRun, in entry: JobEntry) -> JobCourse {
        let before = entry.state.course
        guard isTold(entry.job) else {
            if before != JobCourse() { entry.state.course = JobCourse() }
            return before
        }
        var course = before
        if active.run.status == .success {
            (course.failures, course.failingSince) = (0, nil)
            course.outputDigest = active.outputDigest ?? course.outputDigest
        } else if active.run.status != .cancelled {
            course.failures += 1
            course.failingSince = course.failingSince ?? active.run.endedAt
        }
        if course != before { entry.state.course = course }
        return before
    }

    // MARK: - Fire times that were not run

    /// A record says that a fire time was not run: with others of this event it is one stretch.
    func noteUnrun(_ entry: JobEntry, _ run: Run) {
        guard let reason = run.reason, isTold(entry.job), Self.toldReasons.contains(reason) else { return }
        let since = run.coveredSince ?? run.scheduledFor
        if let last = turn.stretches.indices.last, turn.stretches[last].entry === entry,
            turn.stretches[last].reason == reason
        {
            turn.stretches[last].count += run.coveredCount
            if let since { turn.stretches[last].since = turn.stretches[last].since.map { min($0, since) } ?? since }
            if run.scheduledFor.map({ $0 > turn.stretches[last].run.scheduledFor ?? .epoch }) ?? true {
                turn.stretches[last].run = run
            }
        } else {
            turn.stretches.append(
                UnrunStretch(entry: entry, reason: reason, count: run.coveredCount, since: since, run: run))
        }
    }

    /// One message for a stretch, however many events it goes on over: until something is run, or the reason is
    /// another.
    func tellStretches(now: Instant) {
        guard !turn.stretches.isEmpty else { return }
        let stretches = turn.stretches
        turn.stretches = []
        for stretch in stretches where stretch.entry.state.course.toldReason != stretch.reason {
            stretch.entry.state.course.toldReason = stretch.reason
            touch(stretch.entry)
            let words: [Message.Occasion] = stretch.reason == .budget ? [.paused, .misfired] : [.misfired]
            tell(words, of: stretch.run, stretch.entry.job, now: now) { _ in .unrun(stretch) }
        }
    }
}
