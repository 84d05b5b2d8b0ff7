internal import Configuration
internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling

/// Handlers: runs that need a person, and groups of jobs that wait together.
extension JSONFace {
    func listQuestions(_ call: MethodCall) throws {
        let runs = scheduler.askingRuns.prefix(Bounds.questions)
        call.answer(
            .array(runs.compactMap { run in run.openQuestion.map { $0.json(of: run, telling.zone(of: run)) } }))
    }

    func answerQuestion(_ call: MethodCall) throws {
        let (run, choice, author) = (call.text(0), call.text(1), requests.author(of: call))
        requests.ask(
            call, for: { .questionAnswered(run: run, choice: choice, by: author.name, ticket: $0) },
            answer: { _ in call.done(nil) })
    }

    func holdGroup(_ call: MethodCall) throws {
        let text = call.text(1)
        let until = text.isEmpty ? nil : try JSONValue.string(text).instant("until", settings.configuration.timezone)
        if let until, until <= scheduler.now {
            throw ErrorReply.invalidArgument(
                "until", found: "\"\(text)\", which has passed", expected: "an instant to come")
        }
        toggleGroup(call, isWaiting: true, until: until)
    }

    func releaseGroup(_ call: MethodCall) throws { toggleGroup(call, isWaiting: false, until: nil) }

    private func toggleGroup(_ call: MethodCall, isWaiting: Bool, until: Instant?) {
        let (group, author) = (call.text(0), requests.author(of: call))
        requests.ask(
            call, for: { .groupToggled(group: group, isWaiting: isWaiting, until: until, by: author, ticket: $0) },
            answer: { _ in call.done(nil) })
    }
}
