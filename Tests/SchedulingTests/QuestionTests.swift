import Schedules
import Scheduling
import StoreModel
import Testing

/// Questions of runs: asked, told, answered once.
@Suite struct QuestionTests {
    private static let words = #"{"question": "Delete it?", "choices": ["Allow", "Deny"], "timeout": "10m"}"#

    private func rig(_ change: @escaping (inout Job) -> Void = { _ in }) -> Rig {
        let rig = Rig([job("a", "0 * * * *", with: change)])
        rig.advance(to: "01:00")
        return rig
    }

    private let run = id("a", "01:00")

    private func ask(_ rig: Rig, _ words: String = words, number: Int = 1, attempt: Int = 1) {
        rig.send(.asked(run: run, attempt: attempt, question: number, at: rig.now, words: words))
    }

    private func answer(_ rig: Rig, _ choice: String, by author: String = "me") -> Reply? {
        rig.ask { .questionAnswered(run: run, choice: choice, by: author, ticket: $0) }
    }

    @Test func `somebody answers, and it is on record who`() {
        let rig = rig()
        ask(rig)
        #expect(rig.scheduler.askingRuns.map(\.id) == [run])
        #expect(
            rig.announcements.contains {
                if case .questionAsked(let asking, _) = $0 { asking.id == run } else { false }
            })
        rig.advance(to: "01:03")
        #expect(answer(rig, "Allow") == .done)
        #expect(rig.answers == [#"\#(run) 1 {"choice": "Allow", "by": "me"}"#])
        let question = rig.run(run)?.questions.first
        #expect(question?.answer == Question.Answer(choice: "Allow", by: "me", at: at("01:03")))
        #expect(question?.text == "Delete it?" && question?.standard == "Deny" && question?.until == at("01:10"))
        #expect(rig.scheduler.askingRuns.isEmpty)
        // Nothing comes at the end of its time.
        rig.advance(to: "01:30")
        #expect(rig.answers.count == 1)
    }

    @Test func `nobody answers in time`() {
        let rig = rig()
        ask(rig, #"{"question": "q", "choices": ["yes", "no"], "default": "yes", "timeout": 90}"#)
        rig.advance(to: "01:01:29")
        #expect(rig.answers.isEmpty)
        rig.advance(to: "01:01:30")
        #expect(rig.answers == [#"\#(run) 1 {"choice": "yes", "by": "timeout"}"#])
        #expect(answer(rig, "no") == .refused(.noQuestion(run: run)))
    }

    @Test func `an answer that is none is refused with those that are`() {
        let rig = rig()
        #expect(answer(rig, "Allow") == .refused(.noQuestion(run: run)))
        ask(rig)
        #expect(answer(rig, "allow") == .refused(.noSuchChoice("allow", choices: ["Allow", "Deny"])))
        #expect(
            rig.ask { .questionAnswered(run: "cron-x", choice: "Allow", by: "me", ticket: $0) }
                == .refused(.runNotFound("cron-x")))
        #expect(answer(rig, "Deny") == .done)
        #expect(answer(rig, "Allow") == .refused(.noQuestion(run: run)))
    }

    @Test(arguments: [
        "", "yes?", "[]", "{}", #"{"question": "", "choices": ["a"]}"#, #"{"question": "q"}"#,
        #"{"question": "q", "choices": []}"#, #"{"question": "q", "choices": [""]}"#,
        #"{"question": "q", "choices": ["a", "a"]}"#, #"{"question": "q", "choices": ["a", 1]}"#,
        #"{"question": "q", "choices": ["1","2","3","4","5","6","7","8","9","10","11"]}"#,
        #"{"question": "q", "choices": ["a\nb"]}"#, #"{"question": "q", "choices": ["a"], "default": "b"}"#,
        #"{"question": "q", "choices": ["a"], "default": 1}"#, #"{"question": "q", "choices": ["a"], "timeout": 0}"#,
        #"{"question": "q", "choices": ["a"], "timeout": "soon"}"#,
        #"{"question": "q", "choices": ["a"], "timeout": "8d"}"#, #"{"question": 5, "choices": ["a"]}"#,
        #"{"question": "q", "choices": ["\#(String(repeating: "x", count: 101))"]}"#,
        #"{"question": "\#(String(repeating: "x", count: 4_097))", "choices": ["a"]}"#,
    ])
    func `what is no question is told so, and the run is not left waiting`(words: String) {
        let rig = rig()
        ask(rig, words)
        #expect(rig.scheduler.askingRuns.isEmpty && rig.answers.count == 1)
        #expect(rig.answers.first?.contains(#"{"error": "#) == true)
        #expect(rig.run(run)?.caveat?.hasPrefix("what it asked is no question: ") == true)
    }

    @Test func `at the bounds it is one`() {
        let long = String(repeating: "x", count: 100)
        let text = String(repeating: "x", count: 4_096)
        let choices = (0..<9).map { "\"\($0)\"" } + ["\"\(long)\""]
        let rig = rig()
        ask(rig, #"{"question": "\#(text)", "choices": [\#(choices.joined(separator: ","))], "timeout": "7d"}"#)
        #expect(rig.scheduler.askingRuns.count == 1)
        #expect(answer(rig, long) == .done)
    }

    @Test func `it survives a restart, open or answered`() {
        let rig = rig()
        ask(rig)
        rig.restart(at: "01:05", evidence: [run: .held])
        // Read once more: nothing new.
        rig.send(.asked(run: run, attempt: 1, question: 1, at: at("01:00"), words: Self.words))
        #expect(rig.run(run)?.questions.count == 1 && rig.scheduler.askingRuns.count == 1)
        #expect(answer(rig, "Allow") == .done)
        rig.restart(at: "01:06", evidence: [run: .held])
        #expect(rig.scheduler.askingRuns.isEmpty)
        // It may not have heard it.
        rig.send(.asked(run: run, attempt: 1, question: 1, at: at("01:00"), words: Self.words))
        #expect(rig.answers == Array(repeating: #"\#(run) 1 {"choice": "Allow", "by": "me"}"#, count: 2))
    }

    @Test func `one whose time was over while no daemon was there gets its default`() {
        let rig = rig()
        ask(rig)
        rig.restart(at: "05:00", evidence: [run: .held])
        #expect(rig.answers == [#"\#(run) 1 {"choice": "Deny", "by": "timeout"}"#])
    }

    @Test func `a run asks again, and so does its next attempt`() {
        let rig = rig { $0.retry = retry(2) }
        for number in 1...3 {
            ask(rig, number: number)
            #expect(answer(rig, "Allow") == .done)
        }
        ask(rig, number: 4)
        rig.end(run, .exited(1))
        #expect(rig.scheduler.askingRuns.isEmpty)
        #expect(answer(rig, "Allow") == .refused(.noQuestion(run: run)))
        rig.advance(to: "01:02")
        #expect(rig.launches.last?.run.attempt == 2)
        // That of the first attempt is nobody's.
        ask(rig, number: 5, attempt: 1)
        #expect(rig.scheduler.askingRuns.isEmpty)
        ask(rig, number: 1, attempt: 2)
        #expect(answer(rig, "Deny") == .done)
        #expect(rig.run(run)?.questions.map { $0.answer?.choice } == ["Allow", "Allow", "Allow", nil, "Deny"])
    }

    @Test func `of many questions of a run the newest are kept`() {
        let rig = rig()
        for number in 1...30 {
            ask(rig, number: number)
            #expect(answer(rig, "Allow") == .done)
        }
        #expect(rig.run(run)?.questions.map(\.number) == Array(11...30))
    }

    @Test func `a clock that is set leaves it its time`() {
        let rig = rig()
        ask(rig)
        rig.stepClock(by: .seconds(3_600))
        #expect(rig.answers.isEmpty)
        rig.advance(to: "02:10")
        #expect(rig.answers.count == 1)
    }

    @Test func `it is told to who wants to hear of it, whatever the hour`() {
        let rig = rig {
            $0.messages = [MessageRule(target: "desktop", on: .standard)]
            $0.quietHours = QuietHours(from: 0, until: 600)
        }
        ask(rig)
        #expect(rig.sendings.map(\.occasion) == [.asked])
        #expect(rig.sendings.first?.text == "Delete it?\nAllow / Deny")
    }

    // MARK: - What was told of it, when it is over

    private func told() -> Rig { rig { $0.messages = [MessageRule(target: "desktop", on: .standard)] } }

    private func outcome(_ rig: Rig, _ index: Int = 0) -> String {
        let message = rig.store.post.all[index]
        return [message.state.rawValue, message.fault].compactMap(\.self).joined(separator: ": ")
    }

    @Test func `with the answer what is shown is taken away, whoever gives it`() {
        let rig = told()
        ask(rig)
        rig.send(.messageSent(id: rig.sendings[0].id, .sent))
        #expect(rig.withdrawals.isEmpty)
        #expect(answer(rig, "Allow") == .done)
        #expect(rig.withdrawals == [run] && outcome(rig) == "sent")
        ask(rig, number: 2)
        rig.advance(to: "01:30")
        #expect(rig.withdrawals == [run, run])
        ask(rig, number: 3)
        rig.end(run)
        #expect(rig.withdrawals == [run, run, run])
    }

    @Test func `a message that waits to be sent again is not sent when the question is over`() {
        let rig = told()
        ask(rig)
        rig.send(.messageSent(id: rig.sendings[0].id, .failed("nobody is there")))
        #expect(answer(rig, "Allow") == .done)
        #expect(outcome(rig) == "failed: its question is over" && rig.scheduler.waitingMessages == 0)
        rig.advance(to: "01:30")
        #expect(rig.sendings.count == 1)
    }

    @Test func `one that is under way may arrive, and is not sent again`() {
        let rig = told()
        ask(rig)
        #expect(answer(rig, "Allow") == .done)
        #expect(outcome(rig) == "pending")
        rig.send(.messageSent(id: rig.sendings[0].id, .failed("nobody is there")))
        #expect(outcome(rig) == "failed: its question is over")
    }

    @Test func `the next daemon sends it only where the question is open`() {
        let rig = told()
        ask(rig)
        rig.restart(at: "01:01", evidence: [run: .held])
        #expect(rig.sendings.count == 2 && rig.sendings[0].id == rig.sendings[1].id)
        // Its answer comes before it is known what became of it.
        #expect(answer(rig, "Allow") == .done)
        rig.restart(at: "01:02", evidence: [run: .held])
        #expect(rig.sendings.count == 2 && outcome(rig) == "failed: its question is over")
    }

    @Test func `a message of a question before is not taken for one of the next`() {
        let rig = told()
        ask(rig)
        #expect(answer(rig, "Allow") == .done)
        rig.advance(to: "01:01")
        ask(rig, number: 2)
        rig.restart(at: "01:02", evidence: [run: .held])
        #expect(outcome(rig, 0) == "failed: its question is over" && outcome(rig, 1) == "pending")
        #expect(rig.sendings.count == 3 && rig.sendings[1].id == rig.sendings[2].id)
    }

    @Test func `the record reads back, and a foreign one is read as far as it goes`() {
        let rig = rig()
        ask(rig)
        #expect(answer(rig, "Allow", by: "a \"b\"") == .done)
        let questions = rig.run(run)?.questions ?? []
        #expect(Question.read(Question.record(of: questions) ?? "") == questions)
        #expect(Question.record(of: []) == nil)
        for foreign in ["", "[", "{}", "[1]", #"[{"attempt": 1}]"#, "null"] { #expect(Question.read(foreign).isEmpty) }
        let wild =
            #"[{"attempt":1,"number":1,"text":"t","default":"d","asked_at_us":-9e18,"until_us":9223372036854775807}]"#
        #expect(Question.read(wild).allSatisfy { $0.until <= .horizon && $0.askedAt >= .epoch })
    }
}
