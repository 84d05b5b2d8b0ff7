import Configuration
import DBus
import EventLoop
import Execution
import Store
import Processes
import Schedules
import Scheduling

/// Performs what the core decided, in the order that keeps its promises.
extension Daemon {
    /// How long the store is left alone after a commit that failed: doubled each time, up to the longest.
    private enum StoreRetry {
        static let firstUSec: UInt64 = 1_000_000
        static let longestUSec: UInt64 = 30_000_000
    }

    /// Performs everything that gathered in this turn of the loop: one transaction, then what it makes visible.
    func flush() {
        // Before the name is ours nothing may be done: another daemon may have it. What was decided is decided again by
        // the next one.
        guard isReady else {
            if scheduler.status == .stopping { loop.exit(ExitCode.success.rawValue) }
            return
        }
        while !outbox.isEmpty {
            guard commit() else { return exitIfDone() }
            let box = outbox
            outbox = Outbox()
            for (run, _) in box.stops { attempts[run]?.handle.cancel() }
            for launch in box.launches { start(launch) }
            // One that a later event of this turn ends.
            let started = Set(box.launches.map(\.run.id))
            for (run, _) in box.stops where started.contains(run) { attempts[run]?.handle.cancel() }
            for wish in box.wishes { fulfil(wish) }
            if case .arm(let instant) = box.arm { arm(instant) }
            touchTypedFace(box.announcements)
            typedFace.tell()
            tell(box.announcements)
            for (ticket, reply) in box.replies { calls.removeValue(forKey: ticket)?(reply) }
            for acknowledge in box.acknowledgements { acknowledge(nil) }
        }
        noteOverrides()
        endIdleChecks()
        // What changed without a record of it.
        typedFace.tell()
        tellNextRun()
        exitIfDone()
    }

    // MARK: - 1. Commit

    /// - Returns: whether everything in the outbox may become visible.
    private func commit() -> Bool {
        guard !outbox.changes.isEmpty else { return storeFault == nil }
        do {
            var untold = UntoldRuns(outbox.announcements).text
            if !connection.isOpen {
                // Each commit replaces what the one before left to be told.
                untold = [untoldWithoutBus, untold].compactMap { $0 }.joined(separator: "\n")
                if untold?.isEmpty ?? true { untold = nil }
                untoldWithoutBus = untold
            }
            try store.commit(outbox.changes, untold: untold)
            hasUntold = hasUntold || untold != nil
        } catch {
            storeFailed(error)
            return false
        }
        scheduler.didCommit()
        queues?.didCommit()
        callers.recorded(outbox.changes)
        mirrorSoon()
        writeOverrides(outbox.changes)
        typedFace.touch(outbox.changes)
        sweepSoon(outbox.changes)
        outbox.changes = []
        if storeFault != nil {
            storeFault = nil
            storeRetryDelayUSec = 0
            log.info("the store can be written again")
        }
        return true
    }

    /// Before it is told, not after: whoever hears a signal may kill the daemon for it, and a signal must not come twice.
    /// What is left is a kill within the microseconds of sending, after which a signal is missing.
    func forgetUntold() {
        // Where it fails, the next turn tries again; the worst is that the next daemon says something twice. Without a
        // bus nothing is told: the next daemon does it.
        if hasUntold, connection.isOpen, (try? store.forgetUntold()) != nil { hasUntold = false }
    }

    /// Says what the last daemon committed and was killed before it said it.
    func tellUntold() {
        do throws(StoreError) {
            guard let text = try store.untold() else { return }
            hasUntold = true
            var announcements: [Announcement] = []
            for item in UntoldRuns(text: text).items {
                if let run = try store.run(id: item.run) { announcements.append(item.announcement(run)) }
            }
            tell(announcements)
        } catch {
            log.error("cannot read what was not told", [("BOTCRON_ERROR", "\(error)")])
        }
    }

    /// Nothing of this turn becomes visible until it is durable. Processes that run go on; who waits for a reply is
    /// told; the commit is tried again.
    private func storeFailed(_ error: StoreError) {
        if storeFault?.kind != error.kind {
            log.error("cannot record what was decided", [("BOTCRON_ERROR", "\(error)")])
        }
        storeFault = error
        for (ticket, _) in outbox.replies { calls.removeValue(forKey: ticket)?(.refused(.stopping)) }
        outbox.replies = []
        let waiting = outbox.acknowledgements
        outbox.acknowledgements = []
        for acknowledge in waiting { acknowledge(error) }
        storeRetryDelayUSec = min(max(storeRetryDelayUSec * 2, StoreRetry.firstUSec), StoreRetry.longestUSec)
        storeRetryTimer?.arm(atUSec: loop.now(.monotonic) + storeRetryDelayUSec)
    }

    // MARK: - The end of an attempt

    func attemptEnded(_ run: String, _ number: Int, _ report: AttemptReport) {
        attempts[run] = nil
        if attempts.isEmpty { quietTimer?.arm(atUSec: loop.now(.monotonic) + Self.quietUSec) }
        if let error = report.outputError {
            log.warning("not all of the output was kept", [("BOTCRON_EXECUTION_ID", run), ("BOTCRON_ERROR", error)])
        }
        if let error = report.limitsError {
            log.warning("not all limits hold", [("BOTCRON_EXECUTION_ID", run), ("BOTCRON_ERROR", error)])
            submit(.caveat(run: run, error))
        }
        var outcome = outcome(report)
        outcome.remedySucceeded = remedies.removeValue(forKey: run)
        submit(.attemptEnded(run: run, attempt: number, outcome))
    }

    // MARK: - Taking over

    /// Takes over what an earlier daemon had under way.
    ///
    /// - Returns: the first event, which tells what goes on and what has ended.
    ///
    /// - Throws: where it cannot be known what became of them.
    func adoptAttempts() throws(ExecutionError) -> Event {
        let running = scheduler.activeRuns.filter { $0.status == .running }
        var surviving: Set<String> = []
        var ended: [String: AttemptOutcome] = [:]
        for survivor in try runner.survey(running.map { ($0.id, max(1, $0.attempt)) }) {
            let (run, number) = (survivor.run, survivor.attempt)
            switch survivor.state {
            case .ended(let report):
                ended[run] = outcome(report)
            case .running:
                surviving.insert(run)
                let handle = runner.adopt(survivor) { [unowned self] report in attemptEnded(run, number, report) }
                attempts[run] = RunningAttempt(handle: handle, onStop: onStop(ofRun: run))
                follow(handle, scheduler.activeRun(id: run)?.job ?? "")
            }
        }
        if !running.isEmpty {
            log.info(
                "took over the runs of an earlier daemon",
                [
                    ("BOTCRON_RUNNING", "\(surviving.count)"), ("BOTCRON_ENDED", "\(ended.count)"),
                    ("BOTCRON_LOST", "\(running.count - surviving.count - ended.count)"),
                ])
        }
        return .started(bootID: ProcessIdentity.currentBootID, surviving: surviving, ended: ended)
    }

    private func onStop(ofRun run: String) -> StopAction {
        guard let job = scheduler.activeRun(id: run)?.job else { return .leave }
        return scheduler.job(named: job)?.job.onStop ?? .leave
    }

    /// After the last of several runs, so long without another one.
    private static var quietUSec: UInt64 { 5_000_000 }

    private func outcome(_ report: AttemptReport) -> AttemptOutcome {
        let ending: AttemptOutcome.Ending =
            switch report.ending {
            case .exited(let code): .exited(code)
            case .signaled(let signal, _): .signaled(signal)
            case .couldNotStart(let reason): .couldNotStart(reason)
            case .lost: .lost
            }
        var outcome = AttemptOutcome(
            ending: ending, startedAt: Instant(microseconds: report.startedUSec),
            endedAt: Instant(microseconds: report.endedUSec))
        outcome.isTimedOut = report.isTimedOut
        outcome.isStalled = report.isStalled
        outcome.isCancelled = report.isCancelled
        let remarks = Remarks(report.remarks)
        outcome.progress = remarks.progress
        outcome.cost = remarks.cost ?? 0
        outcome.retryAfter = remarks.retryAfter
        outcome.result = remarks.result
        let preview = report.output.preview(characters: Run.outputPreviewLimit)
        outcome.outputPreview = preview.isEmpty ? nil : preview
        outcome.outputBytes = Int64(report.output.totalCount)
        outcome.outputDropped = Int64(report.output.droppedCount)
        outcome.lastLine = report.output.lastLine
        outcome.failureType = configuration.failureClassifier.type(in: report.output.keptBytes)
        if report.isOutOfMemory, ending != .exited(0) {
            outcome.failureType = "oom"
            outcome.lastLine = "out of memory: the kernel ended what was beyond memory_max"
        }
        return outcome
    }

    // MARK: - 3. Arm

    private func arm(_ instant: Instant?) {
        clocks.arm(dueUSec: instant?.microseconds, nowUSec: now.microseconds)
        prepare(for: instant)
        guard let instant else {
            timer?.disarm()
            return
        }
        timer?.arm(atUSec: UInt64(max(0, instant.microseconds)))
    }
}
