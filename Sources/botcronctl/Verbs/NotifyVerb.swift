import Client
import Contract
import JSON

/// `notify`: the targets of messages.
extension Verb {
    static let notify = Verb(
        "notify", "test TARGET", 2...2, "try a target of messages",
        details: """
            Has the daemon send a message to the target, as notify of a job names it, and says what became of it; exits
            with 1 where it was not sent. A program may take a minute.
            """,
        takes: [.choice(["test"])], run: testTarget)
}

private func testTarget(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    guard request.arguments[0] == "test" else {
        throw request.usage("notify does not know \"\(request.arguments[0])\": test")
    }
    // A program has 60 s, and its end a few.
    let answer = try context.daemon().json(.testTarget, [.text(request.arguments[1])], timeout: .seconds(90))
    let isSent = answer["sent"]?.boolValue ?? false
    if context.screen.isJSON {
        context.screen.json(answer)
    } else if isSent {
        context.screen.line("\(request.arguments[1]): the message was sent")
    } else {
        context.screen.warn("\(request.arguments[1]): not sent: \(answer.text("error"))")
    }
    return isSent ? ExitCode.success : ExitCode.failure
}
