import Schedules

/// Runs that need a person: a question is asked, told, and answered once, by somebody or by its default.
extension Scheduler {
    /// The process of an attempt asks. What was asked already is read again after a restart, and is answered again
    /// where it was: the process may not have heard it.
    func hearQuestion(
        _ words: String, number: Int, askedAt: Instant, ofRun id: String, attempt: Int, now: Instant
    ) {
        guard let active = runs[id], active.phase == .running, active.run.attempt == attempt else { return }
        if let last = active.run.questions.last, last.attempt == attempt, number <= last.number {
            if number == last.number, let answer = last.answer { tell(AnswerLine(answer), to: active, number) }
            return
        }
        do throws(QuestionError) {
            let question = try Question(
                words: words, attempt: attempt, number: number, askedAt: min(askedAt, now))
            active.run.questions = active.run.questions.suffix(Question.keptPerRun - 1) + [question]
            touch(active)
            arm(active, at: question.until)
            announce(.questionAsked(active.run, question))
            tell([.asked], of: active.run, active.job, now: now) { _ in .asked(question, active.run) }
        } catch {
            note("what it asked is no question: \(error.advice)", ofRun: id)
            tell(AnswerLine(error), to: active, number)
        }
    }

    func answerQuestion(ofRun id: String, _ choice: String, by author: String, ticket: Ticket, now: Instant) {
        guard let active = runs[id] else { return reply(ticket, .refused(.runNotFound(id))) }
        guard let question = openQuestion(of: active) else {
            return reply(ticket, .refused(.noQuestion(run: id)))
        }
        guard question.choices.contains(choice) else {
            return reply(ticket, .refused(.noSuchChoice(choice, choices: question.choices)))
        }
        settle(active, Question.Answer(choice: choice, by: author, at: now))
        reply(ticket, .done)
    }

    /// Nobody has answered in time.
    func answerByDefault(_ active: ActiveRun, now: Instant) {
        guard let question = openQuestion(of: active) else { return }
        guard question.until <= now else { return arm(active, at: question.until) }
        settle(active, Question.Answer(choice: question.standard, by: "timeout", at: now))
    }

    private func settle(_ active: ActiveRun, _ answer: Question.Answer) {
        guard let last = active.run.questions.indices.last else { return }
        active.run.questions[last].answer = answer
        touch(active)
        disarm(active)
        tell(AnswerLine(answer), to: active, active.run.questions[last].number)
        withdrawMessages(askingFor: active.run.id)
    }

    /// The attempt is over that has asked: nobody waits for the answer.
    func forgetQuestion(_ active: ActiveRun) {
        if openQuestion(of: active) != nil { withdrawMessages(askingFor: active.run.id) }
    }

    private func tell(_ line: AnswerLine, to active: ActiveRun, _ number: Int) {
        turn.answers.append(
            .answer(run: active.run.id, attempt: active.run.attempt, question: number, line))
    }

    /// A run that was under way when the last daemon ended waits for its answer, as before.
    func awaitAnswer(_ active: ActiveRun) {
        if let question = openQuestion(of: active) { arm(active, at: question.until) }
    }

    func questionsMoved(by step: Duration) {
        for active in runs.values.sorted(by: { $0.sequence < $1.sequence }) {
            guard let question = openQuestion(of: active), let last = active.run.questions.indices.last else {
                continue
            }
            active.run.questions[last].until = question.until + step
            touch(active)
            arm(active, at: question.until + step)
        }
    }

    private func openQuestion(of active: ActiveRun) -> Question? {
        active.phase == .running ? active.run.openQuestion : nil
    }

    // MARK: - Queries

    /// Runs that wait for a person, oldest question first.
    public var askingRuns: [Run] {
        runs.values.filter { openQuestion(of: $0) != nil }.map(\.run)
            .sorted { ($0.openQuestion?.askedAt ?? .epoch, $0.id) < ($1.openQuestion?.askedAt ?? .epoch, $1.id) }
    }
}

extension Run {
    /// What it waits for an answer to; nil where it asks nothing.
    public var openQuestion: Question? {
        guard status == .running, let last = questions.last, last.attempt == attempt, last.answer == nil else {
            return nil
        }
        return last
    }
}
