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
    /// What cannot be written now is said again: the question is heard once more, and so answered once more.
    public func answer(_ run: String, attempt: Int, question: Int, _ line: AnswerLine) {
        guard let known = live[run], known.number == attempt else { return }
        do throws(ExecutionError) {
            try known.handle?.answer(question: question, line.json)
        } catch {
            log.error("cannot answer a run; trying again", known.fields + [("BOTCRON_ERROR", "\(error)")])
            hearingTimer?.arm(atUSec: loop.now(.monotonic) + Limits.answerUSec)
        }
    }

    /// Hears what a run says of itself.
    func follow(_ handle: AttemptHandle, _ job: String) {
        var isStallTold = false
        var heard: [String: String] = [:]
        // The handle calls this itself, and this object outlives it.
        handle.onRemark = { [unowned self, unowned handle] in
            onRemark(handle.run)
            hear(handle.remarks, after: &heard, run: handle.run, attempt: handle.attempt)
            guard handle.isStalled, !isStallTold else { return }
            isStallTold = true
            log.warning(
                "the run stalls: it has written nothing for its stall_timeout",
                [("BOTCRON_JOB", job), ("BOTCRON_EXECUTION_ID", handle.run)])
            hearStall(of: handle)
        }
        // What was said before anybody watched.
        hear(handle.remarks, after: &heard, run: handle.run, attempt: handle.attempt)
        hearStall(of: handle)
    }

    /// The core knows a stall that it was told of before.
    private func hearStall(of handle: AttemptHandle) {
        if handle.isStalled { intake.submit(.stalled(run: handle.run, attempt: handle.attempt)) }
    }

    /// A core that was built from the store has not heard what was said while nobody listened.
    func hearAll() {
        for (run, attempt) in live.sorted(by: { $0.key < $1.key }) {
            guard let handle = attempt.handle else { continue }
            var heard: [String: String] = [:]
            hear(handle.remarks, after: &heard, run: run, attempt: attempt.number)
            hearStall(of: handle)
        }
    }

    /// Passes on what the core decides about: that a group is to wait, and what a person is asked.
    func hear(_ remarks: [String: String], after heard: inout [String: String], run: String, attempt: Int) {
        let new = remarks.filter { ($0.key == "hold" || $0.key == "ask") && heard[$0.key] != $0.value }
        guard !new.isEmpty else { return }
        heard.merge(new) { $1 }
        let words = Remarks(new)
        if let hold = words.hold {
            intake.submit(.holdSaid(run: run, attempt: attempt, at: hold.saidAt, words: hold.words))
        }
        if let question = words.question {
            intake.submit(
                .asked(
                    run: run, attempt: attempt, question: question.number, at: question.askedAt, words: question.words))
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
