import TestSupport
import Testing

/// Between what is long and a terminal stands the user's pager.
@Suite struct PagerTests {
    private let stage: Stage

    init() throws { stage = try Stage() }

    /// On a terminal of 80 columns, as somebody sees it.
    private func onTerminal(_ command: String) throws -> TestProgram.Outcome {
        try stage.shell(
            "timeout 60 script --quiet --return --command 'stty rows 24 cols 80; \(command)' /dev/null </dev/null")
    }

    private let tool = TestPlace.built("botcronctl")

    @Test func aLongAnswerGoesThroughTheUsersPager() throws {
        for verb in ["list", "history", "help", "show standup"] {
            let outcome = try onTerminal("PAGER=\"sed s/^/paged:/\" \(tool) \(verb)")
            let lines = outcome.output.split(whereSeparator: \.isNewline)
            #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix("paged:") }, "\(verb): \(outcome)")
        }
        // The program's own variable wins.
        #expect(
            try onTerminal("PAGER=false BOTCRONCTL_PAGER=\"sed s/^/mine:/\" \(tool) list").output.hasPrefix("mine:"))
    }

    @Test func exitCodesAndComplaintsGoPastIt() throws {
        let outcome = try onTerminal("PAGER=\"sed s/^/paged:/\" \(tool) show nobody")
        #expect(outcome.code == 4)
        #expect(outcome.output.contains("there is no job") && !outcome.output.contains("paged:"), "\(outcome)")
    }

    @Test func thereIsNoneWhereNobodyPages() throws {
        let pager = "PAGER=\"sed s/^/paged:/\""
        for (variable, verb) in [
            ("PAGER=", "list"), ("PAGER=cat", "list"), ("\(pager) BOTCRONCTL_PAGER=", "list"), (pager, "status"),
            (pager, "run greet --wait"), (pager, "logs greet"),
        ] {
            let outcome = try onTerminal("\(variable) \(tool) \(verb)")
            #expect(outcome.code == 0 || verb == "status", "\(verb): \(outcome)")
            #expect(!outcome.output.isEmpty && !outcome.output.contains("paged:"), "\(variable) \(verb): \(outcome)")
        }
        // Into a pipe.
        #expect(!(try stage.shell("\(pager) \(tool) list | cat").output.contains("paged:")))
    }

    /// As when somebody leaves the pager at its first screen.
    @Test func aPagerThatLeavesEarlyIsNoError() throws {
        let outcome = try onTerminal("PAGER=\"head -n1\" \(tool) help")
        #expect(outcome.output.split(whereSeparator: \.isNewline).count == 1, "\(outcome)")
    }
}
