import Execution
import Glibc
import TestSupport
import Testing

/// What a process asks a person, and how it gets its answer.
@Suite struct QuestionTests {
    private let harness: Harness

    init() throws {
        harness = try Harness()
    }

    private func asking(
        _ script: String, with change: (inout AttemptRequest) -> Void = { _ in }
    ) -> AttemptHandle {
        harness.sh(script) {
            $0.context = "{}"
            $0.environment["GO"] = harness.folder.path + "/go"
            change(&$0)
        }
    }

    private func question(_ attempt: AttemptHandle, _ number: Int) throws {
        try harness.wait("the question \(number)") { attempt.remarks["ask"]?.hasPrefix("\(number) ") ?? false }
    }

    private func output(_ attempt: AttemptHandle) throws -> [String] {
        try harness.wait("its end") { !harness.reports.isEmpty }
        return attempt.text.split(separator: "\n").map(String.init)
    }

    @Test func `it reads a line for each question`() throws {
        let attempt = asking(
            """
            for n in 1 2; do
                echo "ask {\\"question\\": \\"$n\\"}" >&$BOTCRON_CONTEXT_FD; read -r line <&$BOTCRON_ANSWER_FD; echo "$line"
            done
            """)
        for number in 1...2 {
            try question(attempt, number)
            #expect(attempt.remarks["ask"]?.hasSuffix(#" {"question": "\#(number)"}"#) == true)
            try attempt.answer(question: number, #"{"choice": "\#(number)"}"#)
        }
        #expect(try output(attempt) == [#"answer {"choice": "1"}"#, #"answer {"choice": "2"}"#])
    }

    @Test func `what is said twice, late or of another question is not heard`() throws {
        let attempt = asking(
            """
            echo 'ask {}' >&3; read -r line <&4; echo "$line"
            while [ ! -e $GO ]; do sleep 0.02; done
            echo 'ask {}' >&3; read -r line <&4; echo "$line"
            """)
        try question(attempt, 1)
        try attempt.answer(question: 2, "early")
        try attempt.answer(question: 1, "first")
        try harness.waitForOutput(attempt, "answer first")
        try attempt.answer(question: 1, "again")
        try harness.folder.write("", to: "go")
        try question(attempt, 2)
        try attempt.answer(question: 1, "again")
        try attempt.answer(question: 2, "second")
        #expect(try output(attempt) == ["answer first", "answer second"])
    }

    @Test func `a question beside one that is open is refused at once`() throws {
        let attempt = asking(
            "printf 'ask {}\\nask {}\\n' >&3; read -r line <&4; echo \"$line\"; read -r line <&4; echo \"$line\"")
        try question(attempt, 1)
        try harness.waitForOutput(attempt, "is open already")
        try attempt.answer(question: 1, "yes")
        #expect(
            try output(attempt) == [
                #"answer {"error": "a question is open already: wait for its answer"}"#, "answer yes",
            ])
    }

    /// The time-out is shorter than the wait, and longer than what the process does.
    @Test func `while it waits its time stands still`() throws {
        let attempt = asking("echo 'ask {}' >&3; read -r line <&4; echo \"$line\"; sleep 60") {
            $0.timeout = .seconds(1)
            $0.stallTimeout = .seconds(1)
        }
        try question(attempt, 1)
        // Longer than both: nothing else says that they do not come.
        usleep(1_500_000)
        #expect(attempt.isActive)
        try attempt.answer(question: 1, "yes")
        try harness.wait("its end") { !harness.reports.isEmpty }
        let report = try #require(harness.reports.first)
        #expect(report.isTimedOut || report.isStalled, "its time goes on")
        #expect(report.endedUSec - report.startedUSec >= 2_000_000)
    }

    @Test func `who closes the socket after asking is answered all the same`() throws {
        let attempt = asking("echo 'ask {}' >&3; exec 3>&-; read -r line <&4; echo \"$line\"")
        try question(attempt, 1)
        try attempt.answer(question: 1, "yes")
        #expect(try output(attempt) == ["answer yes"])
    }

    @Test func `an adopted run is answered by the next daemon`() throws {
        let attempt = asking("echo 'ask {}' >&3; read -r line <&4; echo \"$line\"")
        try question(attempt, 1)
        let next = try Harness(folder: harness.folder)
        let survivor = try #require(try next.runner.survey([(attempt.run, 1)]).first)
        var report: AttemptReport?
        let adopted = next.runner.adopt(survivor) { report = $0 }
        #expect(adopted.remarks["ask"]?.hasPrefix("1 ") == true)
        try adopted.answer(question: 1, "yes")
        try next.wait("its end") { report != nil }
        #expect(report?.text == "answer yes\n")
    }

    @Test func `an answer that cannot be written is an error, and is heard when it is said again`() throws {
        let attempt = asking("echo 'ask {}' >&3; read -r line <&4; echo \"$line\"")
        try question(attempt, 1)
        // In the place of the file that it is drafted in.
        let path = harness.folder.path + "/runs/\(attempt.run).1/answer.new"
        #expect(mkdir(path, 0o700) == 0)
        #expect(throws: ExecutionError.self) { try attempt.answer(question: 1, "yes") }
        #expect(rmdir(path) == 0)
        try attempt.answer(question: 1, "yes")
        #expect(try output(attempt) == ["answer yes"])
    }

    @Test func `when its group is to wait is said with the time`() throws {
        let before = SystemTime.nowUSec
        let attempt = asking("echo hold 45m >&3; while [ ! -e $GO ]; do sleep 0.02; done")
        try harness.wait("the hold") { attempt.remarks["hold"] != nil }
        let parts = attempt.remarks["hold"]?.split(separator: " ").map(String.init) ?? []
        #expect(parts.count == 2 && parts.last == "45m")
        let said = parts.first.flatMap { Int64($0) } ?? 0
        #expect(said >= before && said <= SystemTime.nowUSec)
        try harness.folder.write("", to: "go")
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(harness.reports.first?.remarks["hold"] == attempt.remarks["hold"])
    }
}

private enum SystemTime {
    static var nowUSec: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
