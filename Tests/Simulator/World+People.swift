import Schedules
import Scheduling

/// Those who are asked, and whether each question had one answer.
struct People {
    private struct Question: Hashable {
        var run: String
        var attempt: Int
        var number: Int
    }

    private var answers: [Question: AnswerLine] = [:]
    /// By run, how much each attempt has asked.
    private var asked: [Question: String] = [:]

    mutating func ask(_ run: String, _ attempt: Int, _ words: String) -> Int {
        var number = 1
        while asked[Question(run: run, attempt: attempt, number: number)] != nil { number += 1 }
        asked[Question(run: run, attempt: attempt, number: number)] = words
        return number
    }

    /// What an attempt has asked last.
    func last(of run: String, _ attempt: Int) -> (number: Int, words: String)? {
        var number = 0
        while asked[Question(run: run, attempt: attempt, number: number + 1)] != nil { number += 1 }
        return asked[Question(run: run, attempt: attempt, number: number)].map { (number, $0) }
    }

    /// - Returns: what is wrong with an answer.
    mutating func hear(_ line: AnswerLine, of run: String, _ attempt: Int, _ number: Int) -> String? {
        let question = Question(run: run, attempt: attempt, number: number)
        guard asked[question] != nil else { return "\(run) is told what it never asked" }
        if let known = answers.updateValue(line, forKey: question), known != line {
            return "\(run) is told \(known.json) and \(line.json)"
        }
        return nil
    }
}

/// Runs that ask, people that answer, and groups that wait.
extension World {
    func askPeople() {
        if random.chance(2), let run = scheduler?.askingRuns.randomElement(using: &random) {
            let choice = random.pick(["yes", "no", "perhaps"])
            deliver([.questionAnswered(run: run.id, choice: choice, by: "somebody", ticket: ticket())])
        } else if let process = processes.randomElement(using: &random), process.hasBegun {
            let (run, attempt) = (process.launch.run.id, process.launch.run.attempt)
            let words = random.pick([
                #"{"question": "go on?", "choices": ["yes", "no"], "default": "no", "timeout": 30}"#,
                #"{"question": "go on?", "choices": ["yes", "no"], "timeout": "2h"}"#, #"{"question": ""}"#,
            ])
            // While one is open its supervisor passes on no other.
            guard scheduler?.activeRun(id: run)?.openQuestion == nil else { return repeatQuestions() }
            deliver([
                .asked(run: run, attempt: attempt, question: people.ask(run, attempt, words), at: now, words: words)
            ])
        }
    }

    /// A daemon that has started reads what was said before it.
    func repeatQuestions() {
        for process in processes {
            let (run, attempt) = (process.launch.run.id, process.launch.run.attempt)
            guard let last = people.last(of: run, attempt), scheduler != nil else { continue }
            deliver([
                .asked(run: run, attempt: attempt, question: last.number, at: process.startedAt, words: last.words)
            ])
        }
    }

    func holdGroups() {
        if random.chance(2), let process = processes.randomElement(using: &random), process.hasBegun {
            let words = random.pick(["45m", "17:00", "3h", "later"])
            deliver([
                .holdSaid(run: process.launch.run.id, attempt: process.launch.run.attempt, at: now, words: words)
            ])
        } else {
            let until = random.chance(3) ? nil : now + .seconds(random.seconds(upTo: 100_000))
            deliver([
                .groupToggled(
                    group: random.pick(["red", "green", "blue"]), isWaiting: random.chance(3), until: until,
                    ticket: ticket())
            ])
        }
    }

    func checkGroup(of launch: Launch) {
        guard let group = launch.job.holdGroup, !launch.run.isForced, let hold = store.groupHolds[group],
            !hold.isReleased
        else { return }
        checker.fail("\(launch.run.id) starts, and its group \(group) is held", job: launch.run.job)
    }
}
