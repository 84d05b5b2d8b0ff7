import Client
import Contract
import JSON
import Schedules

/// `questions` and `answer`: what runs ask a person.
extension Verb {
    static let questions = Verb(
        "questions", "", 0...0, "what runs ask: they wait for an answer",
        details: "A run asks with a line on its context socket; botcronctl answer RUN CHOICE answers.",
        run: listQuestions)

    static let answer = Verb(
        "answer", "RUN|JOB CHOICE", 2...2, "answer the question of a run",
        details: "A job is named where one run of it asks.", takes: [.jobOrRun], run: answerQuestion)
}

private func listQuestions(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let answer = try context.daemon().json(.questions)
    let screen = context.screen
    if screen.isJSON {
        screen.json(answer)
        return ExitCode.success
    }
    guard let questions = answer.arrayValue, !questions.isEmpty else {
        screen.line("No run asks anything.")
        return ExitCode.success
    }
    for (index, question) in questions.enumerated() {
        if index > 0 { screen.line("") }
        screen.line("\(question.text("execution_id"))")
        for line in question.text("question").split(separator: "\n", omittingEmptySubsequences: false) {
            screen.line("  \(String(line))")
        }
        let standard = question.text("default")
        let choices = question.texts("choices").map { $0 + ($0 == standard ? " (default)" : "") }
        screen.line("  choices: \(choices.joined(separator: ", "))")
        if let until = Instant(rfc3339: question.text("until")) {
            screen.line("  until \(context.times.absolute(until)), then the default")
        }
    }
    return ExitCode.success
}

private func answerQuestion(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let daemon = try context.daemon()
    let run = try askingRun(request.arguments[0], daemon)
    let choice = request.arguments[1]
    try daemon.call(.answerQuestion, [.text(run), .text(choice)])
    if context.screen.isJSON {
        context.screen.json(["success": true, "execution_id": .string(run), "choice": .string(choice)])
    } else {
        context.screen.sentence("\(run) is told: \(choice)")
    }
    return ExitCode.success
}

/// A run by its id, or by its job where that is clear.
private func askingRun(_ name: String, _ daemon: Daemon) throws(Failure) -> String {
    let asking = try daemon.json(.questions).arrayValue ?? []
    let ofJob = asking.filter { $0.text("job") == name }
    guard ofJob.count > 1 else { return ofJob.first?.text("execution_id") ?? name }
    throw .usage(
        "\(ofJob.count) runs of \(name) ask: " + ofJob.map { $0.text("execution_id") }.joined(separator: ", "))
}
