internal import EventLoop
internal import Execution
public import Scheduling
internal import Store

extension Attempts: CommitObserver {
    public func committed(_ changes: [StoreChange]) {
        for change in changes {
            guard case .attempt(let record) = change, record.endedAt != nil, let known = live[record.run],
                known.number == record.number, case .over = known.life
            else { continue }
            live[record.run] = nil
        }
    }
}

extension Attempts {
    /// Hears what a run says of itself.
    func follow(_ handle: AttemptHandle, _ job: String) {
        var isStallTold = false
        // The handle calls this itself, and this object outlives it.
        handle.onRemark = { [unowned self, unowned handle] in
            onRemark(handle.run)
            guard handle.isStalled, !isStallTold else { return }
            isStallTold = true
            log.warning(
                "the run stalls: it has written nothing for its stall_timeout",
                [("BOTCRON_JOB", job), ("BOTCRON_EXECUTION_ID", handle.run)])
            intake.submit(.stalled(run: handle.run, attempt: handle.attempt))
        }
    }
}

extension Attempts: RunReading {
    public func output(run: String, attempt: Int, from offset: Int, limit: Int) -> (bytes: [UInt8], nextOffset: Int) {
        let part = runner.output(run: run, attempt: attempt).read(from: offset, limit: limit)
        return (part.bytes, part.nextOffset)
    }

    public func current(_ run: Run) -> Run {
        guard run.status == .running, let handle = live[run.id]?.handle else { return run }
        let remarks = Remarks(handle.remarks)
        var run = run
        run.progress = remarks.progress
        run.result = remarks.result
        run.cost += remarks.cost ?? 0
        return run
    }
}
