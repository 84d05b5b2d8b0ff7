import Desktop
import EventLoop
import Execution
import Glibc
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Performing

@Suite("A supervisor that waits at its gate, from within")
struct GatedSupervisorTests {
    private let scratch: ScratchFolder
    private let loop: EventLoop
    private let job = Job(name: "job", registeredAt: .epoch, zone: .utc, action: .command(["true"]))
    private let request = AttemptRequest(
        run: "one", attempt: 1, arguments: [], environment: [:], workingDirectory: "/")

    init() throws {
        scratch = try ScratchFolder()
        loop = try EventLoop()
    }

    enum End: CaseIterable { case abandoned, neverStarted }

    /// Those who wait for it hold it; nobody does when it has ended.
    @Test(arguments: End.allCases) func whatHasEndedIsLetGo(_ end: End) throws {
        let runner = try Runner(
            loop: loop, folder: scratch.path + "/runs", supervisor: end == .abandoned ? nil : "/none/botcron-run")
        var ends = 0
        weak var known: GatedSupervisor?
        func hold() {
            let held = GatedSupervisor(runner, request, job, isPlaced: end == .neverStarted)
            held.onEnd = { _ in ends += held.handle.isActive ? 0 : 1 }
            if end == .abandoned { held.abandon() } else { held.whenPlaced { Issue.record("\(held.job.name)") } }
            known = held
        }
        hold()
        #expect(known != nil)
        try loop.turn(until: "it has ended") { ends > 0 }
        #expect(ends == 1)
        #expect(known == nil)
    }

    /// A scope whose only process ends on its way into it would stay.
    @Test func whatIsAbandonedOnItsWayIntoItsScopeEndsInIt() throws {
        let runner = try Runner(loop: loop, folder: scratch.path + "/runs")
        let held = GatedSupervisor(runner, request, job, isPlaced: true)
        var isOver = false
        held.onEnd = { _ in isOver = true }
        held.abandon()
        #expect(!held.isUsable(for: job))
        let pid = try #require(held.handle.supervisorPID)
        try loop.turn(forUSec: 100_000)
        #expect(!isOver && kill(pid, 0) == 0)
        // Nor does anybody keep it from ending who has stopped it.
        #expect(kill(pid, SIGSTOP) == 0)
        held.placed(.scope("its.scope"))
        try loop.turn(until: "it has ended") { isOver }
        #expect(kill(pid, 0) != 0)
    }
}
