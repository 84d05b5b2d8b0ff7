import Glibc
import Processes

/// What the process says: its output, and on its context socket what it says of itself. Each is read a bounded amount a
/// turn.
extension Supervisor {
    /// Reads once; how many bytes, 0 when there are none now, or will be none any more.
    @discardableResult
    func readOutput() -> Int {
        guard let reading = output?.read(into: buffer) else { return 0 }
        switch reading {
        case .bytes(let count):
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            recorder.append(bytes)
            journal?.append(bytes)
            if request.stallTimeoutUSec > 0 {
                stallUSec = SystemClock.monotonic.nowUSec.addingClamped(request.stallTimeoutUSec)
            }
            return count
        case .wouldBlock:
            return 0
        case .end:
            // The process may close its output and live on.
            output = nil
            return 0
        case .failed(let code):
            recorder.lostSource(code: code)
            output = nil
            return 0
        }
    }

    /// Reads what the pipe holds now, which has all that an ended process ever wrote; what others write meanwhile must
    /// not keep us here.
    func drainOutput() {
        var remaining = output?.readableByteCount ?? 0
        while remaining > 0 {
            let count = readOutput()
            guard count > 0 else { break }
            remaining -= count
        }
        journal?.finish()
    }

    /// A process may say as much of itself as it likes: whoever listens is told so often at most.
    private static let publishIntervalUSec: Int64 = 100_000

    var publishDueUSec: Int64 { outcome.remarks == publishedRemarks ? .max : publishUSec }

    /// For whoever asks meanwhile; the outcome has the last of them. Where it cannot be written they learn them then.
    func publishRemarks() {
        publishUSec = SystemClock.monotonic.nowUSec + Self.publishIntervalUSec
        publishedRemarks = outcome.remarks
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let number = open(RunFolder.remarksDraftName, flags, 0o600)
        guard number >= 0 else { return }
        var record = Record()
        record.add(remarks: outcome.remarks)
        record.add("stalled", where: isStallNoted)
        guard FileDescriptor(owning: number).write(record.bytes) == nil else { return }
        rename(RunFolder.remarksDraftName, RunFolder.remarksName)
    }

    func serveContext() {
        guard let context else { return }
        context.serve()
        note(context)
    }

    func drainContext() {
        guard let context else { return }
        context.drain()
        note(context)
    }

    private func note(_ context: ContextChannel) {
        hearQuestions(context)
        // Who has asked and closed its end is still told.
        if context.isClosed, !isAsking { self.context = nil }
        guard context.remarks != outcome.remarks else { return }
        outcome.remarks = context.remarks
        if !isOver, SystemClock.monotonic.nowUSec >= publishDueUSec { publishRemarks() }
    }

    // MARK: - What it does not say

    /// Ends one that has written nothing for too long, or only notes it.
    func checkStall() {
        guard case .running = phase, !isAsking, SystemClock.monotonic.nowUSec >= stallUSec, child?.peekExit() == nil
        else {
            return
        }
        if request.onlyNotesStall { return noteStall() }
        outcome.isStalled = true
        terminate()
    }

    /// Once; it may find its words again.
    private func noteStall() {
        stallUSec = .max
        isStallNoted = true
        publishRemarks()
    }
}
