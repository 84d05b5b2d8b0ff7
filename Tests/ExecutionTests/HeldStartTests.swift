import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// A supervisor that is started before all is known, and put into its place meanwhile.
@Suite struct HeldStartTests {
    private let harness: Harness

    init() throws {
        harness = try Harness()
    }

    private func held(_ change: (inout AttemptRequest) -> Void = { _ in }) -> (AttemptHandle, AttemptRequest) {
        var request = harness.request([])
        request.environment = [:]
        change(&request)
        return (harness.hold(request), request)
    }

    @Test func nothingStartsBeforeItMay() throws {
        let (attempt, request) = held()
        let supervisor = try #require(attempt.supervisorPID)
        try harness.loop.runOnce(timeoutUSec: 50_000)
        #expect(attempt.pid == nil)
        #expect(kill(supervisor, 0) == 0)

        var complete = request
        complete.arguments = ["sh", "-c", "echo $GIVEN_LATER"]
        complete.environment = Harness.path.merging(["GIVEN_LATER": "yes"]) { $1 }
        attempt.proceed(with: complete)
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(harness.reports.first?.text == "yes\n")
        #expect(harness.reports.first?.ending == .exited(0))
    }

    @Test func itReadsWhatItWasStartedWith() throws {
        let (attempt, request) = held { $0.standardInput = .bytes(Array("given first".utf8)) }
        var complete = request
        complete.arguments = ["/bin/cat"]
        attempt.proceed(with: complete)
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(harness.reports.first?.text == "given first")
    }

    @Test func oneThatIsAbandonedSaysWhy() throws {
        let (attempt, _) = held()
        attempt.abandon(because: "the file of its environment is open to everybody")
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(harness.reports.first?.ending == .couldNotStart("the file of its environment is open to everybody"))
        #expect(harness.reports.first?.isSupervisorKilledBefore == false)
        #expect(attempt.pid == nil)
    }

    @Test func aCancelBeforeTheStartIsNotForgotten() throws {
        let (attempt, request) = held()
        attempt.cancel()
        var complete = request
        complete.arguments = ["/bin/sleep", "100"]
        attempt.proceed(with: complete)
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(harness.reports.first?.isCancelled == true)
        #expect(harness.reports.first?.ending == .signaled(SIGTERM, coreDumped: false))
    }

    /// It was told as interrupted, though nothing of the job had ever been.
    @Test func oneThatIsKilledWhileItWaitsNeverBegan() throws {
        let (attempt, _) = held()
        kill(try #require(attempt.supervisorPID), SIGKILL)
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(
            harness.reports.first?.ending
                == .couldNotStart("the supervisor of the run ended before the run began: it was killed by signal 9"))
        #expect(harness.reports.first?.isSupervisorKilledBefore == true)
        #expect(!attempt.isActive)
    }
}
