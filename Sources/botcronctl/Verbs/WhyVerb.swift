import Client
import Contract
import JSON

/// `why`: what the scheduler says of a job.
extension Verb {
    static let why = Verb(
        "why", "JOB", 1...1, "why a job ran, did not run, is not running, and when it will",
        details: "With --at it tells what became, or becomes, of that one fire time.",
        options: [Option("--at", value: "T", "a fire time: an instant such as 2026-12-25T09:00")],
        takes: [.job], run: explainJob)
}

private func explainJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let at = request.options["--at"] ?? ""
    let answer = try context.daemon().json(.explainJob, [.text(request.arguments[0]), .text(at)])
    guard !context.screen.isJSON else {
        context.screen.json(answer)
        return ExitCode.success
    }
    for reason in answer["reasons"]?.arrayValue ?? [] {
        context.screen.sentence("\(reason.text("sentence"))")
    }
    return ExitCode.success
}
