import Glibc
import Processes

/// One turn of the supervisor: what it waits for, and in which order it sees to that.
extension Supervisor {
    func turn() {
        let isGated = child?.isReaped == false
        var entries = [
            pollfd(fd: signals.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isGated ? child?.pidfd.number ?? -1 : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: output?.number ?? -1, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: context.flatMap { $0.isClosed ? nil : $0.number } ?? -1, events: context?.awaitedEvents ?? 0,
                revents: 0),
        ]
        _ = poll(&entries, nfds_t(entries.count), waitMilliseconds())
        if entries[0].revents != 0 { readSignals() }
        if entries[1].revents != 0 { processEnded() }
        if mayHaveOrphans { reapOrphans() }
        if !isOver { checkTimes() }
        if entries[2].revents != 0, !isOver { readOutput() }
        if entries[3].revents != 0, !isOver { serveContext() }
        // After its output was read: one whose words wait for us does not stall.
        if !isOver { checkStall() }
    }

    /// Until the next time that is up; rounded up, so as not to wake before it.
    private func waitMilliseconds() -> Int32 {
        guard !mayHaveOrphans else { return 0 }
        let next: Int64
        switch phase {
        case .running where isAsking: next = min(answerDueUSec, quietUSec, publishDueUSec)
        case .running: next = min(timeoutUSec, stallUSec, quietUSec, publishDueUSec)
        case .terminating(let killUSec): next = killUSec
        case .killing(let giveUpUSec): next = child?.isReaped == false ? .max : giveUpUSec
        }
        guard next < .max else { return -1 }
        return Int32(clamping: max(0, (next - SystemClock.monotonic.nowUSec + 999) / 1000))
    }

    /// Most runs that last longer last for much longer.
    static let quietAfterUSec: Int64 = 1_000_000

    private func checkTimes() {
        let now = SystemClock.monotonic.nowUSec
        switch phase {
        case .running:
            if now >= quietUSec {
                quietUSec = .max
                releaseIdleMemory()
            }
            if now >= publishDueUSec { publishRemarks() }
            if isAsking {
                guard now >= answerDueUSec else { return }
                goOn()
            }
            // One that has ended in time is not ended by us, however late we look.
            guard now >= timeoutUSec, child?.peekExit() == nil else { return }
            outcome.isTimedOut = true
            terminate()
        case .terminating(let killUSec):
            if now >= killUSec { kill() }
        case .killing(let giveUpUSec):
            if now >= giveUpUSec, child?.isReaped != false { end() }
        }
    }

    /// There are four kinds, and of each one waits at most; more of them are for the next turn.
    private static let signalsPerTurn = 4

    private func readSignals() {
        for _ in 0..<Self.signalsPerTurn {
            switch signals.next() {
            case nil: return
            case SupervisorRequest.Signal.cancel: cancel()
            case SupervisorRequest.Signal.kill: cancelAtOnce()
            case SupervisorRequest.Signal.answer: readAnswer()
            default: mayHaveOrphans = true
            }
        }
    }
}
