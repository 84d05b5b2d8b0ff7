import Schedules

/// Commands that say whether there is something to do: polls, which make runs, and prechecks of runs that are due.
///
/// A poll is asked on the grid of its interval, from the registration of its job; one at a time, and none while its job
/// could not run for what it finds. What was not asked while the daemon was away or the machine asleep is not made up
/// for: the next question finds the same.
extension Scheduler {
    /// After a command that failed, the next one is asked after a pause that doubles with each failure, up to this.
    static var pollPauseMax: Duration { .seconds(3_600) }

    /// A question that nobody has answered for so long is taken for one that failed.
    static var pollPatience: Duration { commandPatience * 2 }

    /// Who polls; nothing of it costs anything where no job does.
    struct PollWatch {
        var jobs: Set<String> = []
        var timer: TimerQueue.Owner?
    }

    // MARK: - Asking

    /// Asks what is to be asked now, and waits for the next.
    func askPolls(now: Instant) {
        guard !pollWatch.jobs.isEmpty else { return }
        var next: Instant?
        func wait(until at: Instant) { next = next.map { min($0, at) } ?? at }
        for name in pollWatch.jobs.sorted() {
            guard let entry = jobs[name], let poll = entry.job.details.value.poll else { continue }
            guard isFiring, entry.isEnabled, !entry.isFinished else {
                if case .idle = entry.polling { entry.polling = .idle(next: nil) }
                continue
            }
            if case .asking(let since) = entry.polling, since + Self.pollPatience <= now {
                pollAnswered(name, .failed("it did not answer"), now: now)
            }
            guard case .idle(let known) = entry.polling else {
                if case .asking(let since) = entry.polling { wait(until: since + Self.pollPatience) }
                continue
            }
            guard hasPlaceForPoll(entry) else {
                // The end of a run, which is an event of its own, may make it.
                entry.polling = .idle(next: nil)
                continue
            }
            if isBudgetUsedUp(entry, now: now) {
                entry.polling = .idle(next: nil)
                wait(until: startOfTomorrow(entry, now: now))
                continue
            }
            let at = known ?? self.next(entry, poll, after: now)
            if at <= now {
                entry.polling = .asking(since: now)
                wait(until: now + Self.pollPatience)
                turn.polls.append(.poll(.job(name), command: poll.condition, job: entry.job))
            } else {
                entry.polling = .idle(next: at)
                wait(until: at)
            }
        }
        guard let next else {
            if let timer = pollWatch.timer { timers.disarm(timer) }
            return
        }
        let timer = pollWatch.timer ?? own(.polls)
        pollWatch.timer = timer
        timers.arm(timer, at: next)
    }

    private func hasPlaceForPoll(_ entry: JobEntry) -> Bool {
        let hasPlace = entry.job.overlap == .skip || entry.job.overlap == .allow ? entry.hasRoom : !entry.hasQueue
        return hasPlace && runs.count < Limits.activeRuns
    }

    /// The next instant of the grid, after the pause that failures have earned.
    private func next(_ entry: JobEntry, _ poll: Job.Poll, after now: Instant) -> Instant {
        var from = now
        let failures = entry.state.pollFailures
        if failures > 0, let last = entry.state.lastPollAt.map({ min($0, now) }) {
            let pause = min(poll.interval * (1 << min(failures, 16)), max(Self.pollPauseMax, poll.interval))
            // The grid's instant that ends the pause counts.
            from = max(from, last + pause - .microseconds(1))
        }
        let step = max(1, poll.interval.wholeMicroseconds)
        let anchor = entry.state.registeredAt.microseconds
        // Under a clock that was set back the registration lies ahead, and the grid goes on before it.
        let passed = from.microseconds - anchor
        let count = passed >= 0 ? passed / step : -((-passed + step - 1) / step)
        return Instant(microseconds: anchor + (count + 1) * step)
    }

    /// The clock was set: what counts from an earlier reading counts from now.
    func pollsMoved(now: Instant) {
        for name in pollWatch.jobs {
            guard let entry = jobs[name] else { continue }
            switch entry.polling {
            case .asking: entry.polling = .asking(since: now)
            case .idle: entry.polling = .idle(next: nil)
            }
            if let last = entry.state.lastPollAt, last > now {
                entry.state.lastPollAt = now
                touch(entry)
            }
        }
        for active in conditions.runs.values {
            if case .asked = active.wait.precheck { active.wait.precheck = .asked(now) }
        }
    }

    // MARK: - Answers

    func polled(_ subject: PollSubject, _ answer: PollAnswer, now: Instant) {
        switch subject {
        case .job(let name): pollAnswered(name, answer, now: now)
        case .run(let id): precheckAnswered(id, answer)
        }
    }

    private func pollAnswered(_ name: String, _ answer: PollAnswer, now: Instant) {
        guard let entry = jobs[name], case .asking = entry.polling, let poll = entry.job.details.value.poll else {
            return
        }
        entry.state.polls += 1
        entry.state.lastPollAt = now
        entry.pollFault = nil
        touch(entry)
        defer { entry.polling = .idle(next: next(entry, poll, after: now)) }
        switch answer {
        case .nothing:
            entry.state.pollFailures = 0
        case .failed(let why):
            entry.state.pollFailures += 1
            entry.pollFault = why
        case .found(let output):
            entry.state.pollFailures = 0
            let hash = FNV1a(output).value
            if let dedupe = poll.dedupe, entry.state.pollHash == hash,
                let at = entry.state.pollFoundAt.map({ min($0, now) }),
                now < at + dedupe
            {
                return
            }
            guard isFiring, entry.isEnabled, !entry.isFinished else { return }
            entry.state.pollHash = hash
            entry.state.pollFoundAt = now
            var run = makeRun(entry.job, at: now, trigger: .poll, scheduledFor: nil, now: now)
            run.coveredCount = 0
            run.standardInput = output
            enqueueRequested(run, entry, previous: nil, now: now)
        }
    }

    private func precheckAnswered(_ id: String, _ answer: PollAnswer) {
        guard let active = conditions.runs[id], case .asked = active.wait.precheck else { return }
        active.wait.precheck = .answered(answer)
        if active.phase == .conditional { conditions.due.append(active) }
    }

    // MARK: - Prechecks

    /// Whether a run that has its conditions may go on: its precheck is asked once, last of all.
    ///
    /// - Returns: false while the answer is awaited, and where the run is given up for it.
    func precheckAllows(_ active: ActiveRun, now: Instant) -> Bool {
        guard let command = active.job.details.value.precheck else { return true }
        switch active.wait.precheck {
        case .notAsked:
            active.wait.precheck = .asked(now)
            arm(active, at: now + Self.pollPatience)
            turn.polls.append(.poll(.run(active.run.id), command: command, job: active.job))
            return false
        case .asked(let since):
            guard since + Self.pollPatience <= now else {
                arm(active, at: since + Self.pollPatience)
                return false
            }
            active.wait.precheck = .answered(.failed("it did not answer"))
            return precheckAllows(active, now: now)
        case .answered(.found(let output)):
            active.wait.precheck = .passed
            // What it was made for is more than what was looked at.
            if active.run.standardInput == nil, !output.isEmpty { active.run.standardInput = output }
            touch(active)
            return true
        case .answered(.failed(let why)):
            active.wait.precheck = .passed
            note("its precheck failed: \(why)", ofRun: active.run.id)
            return true
        case .answered(.nothing):
            disarm(active)
            active.run.error = "its precheck found nothing to do"
            giveUp(active, .skipped, .nothingToDo, now: now)
            return false
        case .passed:
            return true
        }
    }
}

/// Whom a poll's command is asked for.
public enum PollSubject: Sendable, Equatable {
    case job(String)
    /// A run that is about to start.
    case run(String)
}

/// What the command of a poll, or of a precheck, says.
public enum PollAnswer: Sendable, Equatable {
    /// Exit status 0, and what it printed.
    case found(output: String)
    /// Exit status 1.
    case nothing
    /// Any other end, in words.
    case failed(String)
}
