import Processes
import TestSupport
import Testing

@testable import Execution

/// What the run before wrote, for the run that follows it.
@Suite struct PreviousOutputTests {
    private func previous(_ number: Int) -> AttemptRequest.Previous { .init(run: "run-\(number)", attempt: 1) }

    @Test func theFileHasAllThatIsKeptAndStaysWhenThatIsRemoved() throws {
        let harness = try Harness()
        _ = try harness.runScript("head -c 200000 /dev/zero | tr '\\0' x; echo end")
        let script = "wc -c < \"$BOTCRON_PREVIOUS_OUTPUT\"; tail -c 4 \"$BOTCRON_PREVIOUS_OUTPUT\""
        _ = try harness.runScript(script) { $0.previous = previous(1) }
        #expect(String(decoding: harness.kept(), as: UTF8.self) == "200004\nend\n")
        #expect(harness.runner.removeOutput(run: "run-1", attempt: 1))
        let path = harness.runner.folder + "/run-2.1/previous"
        #expect(TestFile.bytes(path)?.count == 200_004)
        #expect(harness.runner.removeOutput(run: "run-2", attempt: 1))
        #expect(TestFile.bytes(path) == nil)
    }

    @Test func aSupervisorThatIsHeldIsToldToo() throws {
        let harness = try Harness()
        _ = try harness.runScript("echo one")
        var request = harness.request(["/bin/sh", "-c", "cat \"$BOTCRON_PREVIOUS_OUTPUT\""])
        let held = harness.hold(request)
        request.previous = previous(1)
        held.proceed(with: request)
        try harness.wait("the end") { !held.isActive }
        #expect(String(decoding: harness.kept(), as: UTF8.self) == "one\n")
    }

    @Test func whereNothingIsKeptThereIsNoVariable() throws {
        let harness = try Harness()
        _ = try harness.runScript("echo \"${BOTCRON_PREVIOUS_OUTPUT-none}\"") { $0.previous = previous(7) }
        #expect(String(decoding: harness.kept(), as: UTF8.self) == "none\n")
    }

    @Test(arguments: [
        (50, "56789\n"), (6, "56789\n"), (3, "89\n"), (0, ""),
    ]) func theTailIsTheLastBytes(limit: Int, expected: String) throws {
        let harness = try Harness()
        _ = try harness.runScript("echo 0123456789")
        let tail = harness.runner.output(run: "run-1", attempt: 1).tail(limit)
        #expect(String(decoding: tail, as: UTF8.self).hasSuffix(expected) && tail.count == min(limit, 11))
    }

    @Test func whatWasDroppedIsNotInTheTail() throws {
        let harness = try Harness()
        _ = try harness.runScript("seq 1000") { $0.outputLimit = 40 }
        let tail = harness.runner.output(run: "run-1", attempt: 1).tail(1_000)
        #expect(String(decoding: tail, as: UTF8.self) == "996\n997\n998\n999\n1000\n".suffix(20))
    }
}
