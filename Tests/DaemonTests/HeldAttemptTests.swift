import Desktop
import EventLoop
import Execution
import Glibc
import Schedules
import Scheduling
import Testing

@testable import Daemon

/// A supervisor that waits at its gate, from within.
@Suite(.ownThread) struct HeldAttemptTests {
    private let scratch: Scratch
    private let loop: EventLoop
    private let job = Job(name: "job", registeredAt: .epoch, zone: .utc, action: .command(["true"]))
    private let request = AttemptRequest(
        run: "one", attempt: 1, arguments: [], environment: [:], workingDirectory: "/")

    init() throws {
        scratch = try Scratch()
        loop = try EventLoop()
    }

    private func runner(_ supervisor: String) throws -> Runner {
        try Runner(loop: loop, folder: scratch.path + "/runs", supervisor: Session.builtFolder + supervisor)
    }

    private func turn(until condition: () -> Bool) throws {
        let deadline = ProcessState.monotonicUSec + 20_000_000
        while !condition(), ProcessState.monotonicUSec < deadline { try loop.runOnce(timeoutUSec: 100_000) }
    }

    enum End: CaseIterable { case abandoned, neverStarted }

    /// Those who wait for it hold it; nobody does when it has ended.
    @Test(arguments: End.allCases) func whatHasEndedIsLetGo(_ end: End) throws {
        let runner = try runner(end == .abandoned ? "/botcron-run" : "/none")
        var ends = 0
        weak var known: HeldAttempt?
        func hold() {
            let held = HeldAttempt(runner, request, job, isPlaced: end == .neverStarted)
            held.onEnd = { _ in ends += held.handle.isActive ? 0 : 1 }
            if end == .abandoned { held.abandon() } else { held.whenPlaced { Issue.record("\(held.job.name)") } }
            known = held
        }
        hold()
        #expect(known != nil)
        try turn { ends > 0 }
        #expect(ends == 1)
        #expect(known == nil)
    }

    /// A scope whose only process ends on its way into it would stay.
    @Test func whatIsAbandonedOnItsWayIntoItsScopeEndsInIt() throws {
        let runner = try runner("/botcron-run")
        let held = HeldAttempt(runner, request, job, isPlaced: true)
        var isOver = false
        held.onEnd = { _ in isOver = true }
        held.abandon()
        #expect(!held.isUsable(for: job))
        let pid = try #require(held.handle.supervisorPID)
        let later = ProcessState.monotonicUSec + 100_000
        try turn { isOver || ProcessState.monotonicUSec > later }
        #expect(!isOver && !ProcessState.isGone(Int(pid)))
        // Nor does anybody keep it from ending who has stopped it.
        #expect(kill(pid, SIGSTOP) == 0)
        held.placed(.scope("its.scope"))
        try turn { isOver }
        #expect(isOver && ProcessState.isGone(Int(pid)))
    }
}
