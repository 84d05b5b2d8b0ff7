import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// What comes after a run, while the daemon is killed over and over: queues and those who feed and empty them, chains,
/// a poll, questions that are answered meanwhile, and messages. Afterwards the processes, the store and the targets
/// must tell the same story. `KillSweepTests` sweeps the runs themselves.
@Suite(.ownThread) struct KillSweepAfterRunTests {
    private static let isLong = getenv("BOTCRON_LONG_TESTS") != nil
    private static var points: Int { isLong ? 2000 : 18 }

    @Test func whatFollowsARunIsNeitherLostNorDoubledHoweverOftenTheDaemonIsKilled() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let sweep = try Sweep(seed: seed)
        var deaths: [String: Int] = [:]
        for point in 0..<Self.points {
            let fault = point % 2 == 0 ? nil : Self.killingFault(&random)
            let seconds = Double.random(in: fault == nil ? 0.1...0.7 : 0.7...0.8, using: &random)
            deaths[try sweep.round(fault, seconds: seconds), default: 0] += 1
        }
        try sweep.finish()
        let story = try AfterRunStory(sweep)
        #expect(story.violations.isEmpty, "seed \(seed): \(story.violations.prefix(20).joined(separator: "\n"))")
        #expect(story.counts.allSatisfy { $0.value > 0 }, "seed \(seed): too little happened: \(story.counts)")
        print("kill sweep after runs: seed \(seed), \(Self.points) kills \(deaths), \(story.counts)")
    }

    private static func killingFault(_ random: inout SeededGenerator) -> FaultLibrary.Fault {
        let calls: [FaultLibrary.Fault.Call] = [.write, .write, .write, .sync, .sync, .spawn, .section]
        let call = calls.randomElement(using: &random) ?? .write
        let most = [.write: 60, .sync: 14, .spawn: 9, .section: 2][call] ?? 1
        let effects: [FaultLibrary.Fault.Effect] =
            call == .section ? [.cut(Int.random(in: 1...300, using: &random))] : [.kill, .killAfter]
        return FaultLibrary.Fault(
            call: call, number: Int.random(in: 1...most, using: &random),
            effect: effects.randomElement(using: &random) ?? .kill)
    }
}

/// The rounds of a sweep in one state of the daemon, and what a client was promised in them.
private final class Sweep {
    let session: Session
    let ledger: String
    /// What was pushed with success, and what was pushed without an answer.
    private(set) var (pushed, perhapsPushed): (Set<Int>, Set<Int>) = ([], [])
    /// By run and question, the choice that was taken for its answer.
    private(set) var answered: [String: String] = [:]
    private var random: SeededGenerator
    private var count = 0

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        session = try Session(
            jobs: Self.jobs,
            [
                "max_concurrent_executions": 100,
                "notifications": [
                    "memory": ["directory": "~/memory"],
                    "targets": [
                        "bell": [
                            "type": "command",
                            "argv": ["sh", "-c", #"line=$(cat); printf '%s\n' "$line" >> ~/heard"#],
                        ]
                    ],
                ],
            ])
        ledger = session.scratch.path + "/home/ledger"
        try TestFile.write("", to: ledger)
        try TestFile.write("1\n", to: session.scratch.path + "/home/offer")
    }

    // MARK: - The jobs

    /// Each process writes down that it started; what else it writes is its own.
    private static func job(_ name: String, _ script: String, _ more: JSONObject) -> JSONValue {
        let script = #"echo "S $BOTCRON_JOB $BOTCRON_EXECUTION_ID $BOTCRON_ATTEMPT" >> ~/ledger"# + "\n" + script
        var job: JSONObject = [
            "name": .string(name), "command": ["sh", "-c", .string(script)], "history_limit": 100_000, "retry": false,
        ]
        for (key, value) in more { job[key] = value }
        return .object(job)
    }

    private static let jobs: [JSONValue] = [
        // Every fifth second it fails.
        job(
            "feeder", "echo fed; case $BOTCRON_SCHEDULED_AT in *[05]+00:00) exit 7 ;; esac",
            [
                "cron": "* * * * * *", "result_queue": "fed", "error_queue": "faults", "on_success": ["heir"],
                "on_failure": ["mourner"],
                "notify": [
                    ["target": "bell", "on": ["failure", "success"]],
                    ["target": "memory", "on": ["failure", "success"]],
                ],
            ]),
        job("heir", "", ["overlap_policy": "allow"]),
        job("mourner", "", ["overlap_policy": "allow"]),
        job("follower", "", ["overlap_policy": "allow", "after": ["jobs": ["feeder"], "on": "any"]]),
        job("joiner", "", ["overlap_policy": "allow", "after": ["jobs": ["feeder", "polled"], "on": "success"]]),
        // Each third item wants a second attempt.
        job(
            "eater",
            #"""
            item=$(cat); printf 'I %s %s\n' $BOTCRON_EXECUTION_ID "$item" >> ~/ledger
            case $(printf '%s' "$item" | sed 's/.*"execution_id": *"\([^"]*\)".*/\1/') in
                *[0369]) test $BOTCRON_ATTEMPT -gt 1 ;;
            esac
            """#,
            ["trigger": ["queue": "fed"], "retry": ["max_attempts": 2, "delay_seconds": 0.1]]),
        job(
            "batcher", #"echo "B $BOTCRON_EXECUTION_ID $(cat)" >> ~/ledger; sleep 0.3"#,
            ["trigger": ["queue": "pushed", "batch": 3]]),
        // What it finds is a number that its run makes the next one of: none can be left out without an end of all.
        job(
            "polled",
            """
            n=$(cat); echo "P $BOTCRON_EXECUTION_ID $n" >> ~/ledger
            [ "$n" != "$(cat ~/offer)" ] || { echo $((n + 1)) > ~/offer.new; mv ~/offer.new ~/offer; }
            """,
            ["poll": ["interval": 1, "condition": "cat ~/offer", "dedupe": "1 day"]]),
        // The answer to one is none to the next; the last is nobody's, and answered by its default.
        job(
            "asker",
            #"""
            ask() {
                echo "ask {\"question\": \"$1\", \"choices\": [\"$1-a\", \"$1-b\"], \"timeout\": \"$2\"}" >&3
                read -r line <&4; echo "A $BOTCRON_EXECUTION_ID $1 $line" >> ~/ledger
            }
            ask first 1h; ask second 1h; ask third 1s
            """#, ["cron": "* * * * * *", "notify": [["target": "bell", "on": ["asked"]]]]),
    ]

    // MARK: - The rounds

    /// - Returns: in a word, what it died of.
    func round(_ fault: FaultLibrary.Fault?, seconds: Double) throws -> String {
        let changes = try fault.map { try FaultLibrary.environment($0) } ?? [:]
        let daemon = try session.launch([], changes)
        let deadline = ProcessState.monotonicUSec + UInt64(seconds * 1_000_000)
        // It has to be there before anything can be asked of it; that may take long on a busy machine.
        try session.wait("its name, or its death") { session.owner != nil || daemon.code != nil }
        push()
        while ProcessState.monotonicUSec < deadline, daemon.code == nil {
            try session.loop.turn(forUSec: 50_000)
            answerOpenQuestions()
        }
        let end = daemon.code == nil ? "moment" : fault?.call.rawValue
        guard let end else { throw TestFailure("botcrond ended by itself: \(daemon.code ?? 0) \(daemon.text)") }
        try session.crash(daemon)
        try session.settle()
        return end
    }

    private func push() {
        for _ in 0..<2 {
            count += 1
            let number = count
            perhapsPushed.insert(number)
            call("queue_push", "pushed", .string("\(number)")) { [self] in pushed.insert(number) }
        }
    }

    /// As soon as a daemon says what is asked, it is answered, perhaps as the daemon is killed; what is not known to be
    /// answered is answered again.
    private func answerOpenQuestions() {
        guard session.owner != nil else { return }
        let ask = RemoteCall(Session.name, Session.path, Session.interface, "questions", [], startsService: false)
        session.client.call(ask) { [self] result in
            guard case .success(let values) = result, let text = values.first?.asString,
                let open = try? JSONValue(parsing: text).arrayValue
            else { return }
            for question in open where question.text("question") != "third" {
                let choices = question["choices"]?.arrayValue?.compactMap(\.stringValue) ?? []
                guard let choice = choices.randomElement(using: &random) else { continue }
                let key = "\(question.text("execution_id")) \(question.text("question"))"
                call("answer_question", .string(question.text("execution_id")), .string(choice)) { [self] in
                    if let other = answered.updateValue(choice, forKey: key) {
                        Issue.record("\(key) was answered with \(other), and again with \(choice)")
                    }
                }
            }
        }
    }

    private func call(_ member: MemberName, _ arguments: DBusValue..., then: @escaping () -> Void) {
        let call = RemoteCall(Session.name, Session.path, Session.interface, member, arguments, startsService: false)
        session.client.call(call) { result in
            if case .success = result { then() }
        }
    }

    /// Starts a last daemon, and lets everything come to its end.
    func finish() throws {
        try session.start()
        for job in ["feeder", "asker"] { try session.done("toggle_job", .string(job), .bool(false)) }
        // The poll goes on.
        let before = polledCount
        try session.look(for: "another poll with a run, after \(before)") { polledCount > before + 1 }
        try session.done("toggle_job", "polled", .bool(false))
        try session.wait("no active run, and queues that are empty", seconds: 120, everyUSec: 100_000) {
            answerOpenQuestions()
            return try session.json("GetStatus")["active_runs"] == []
                && session.json("queue_list").arrayValue?.allSatisfy { $0.text("queue") == "faults" } == true
        }
        try session.settle()
    }

    private var polledCount: Int { TestFile.text(ledger).split(separator: "\n").count { $0.hasPrefix("P ") } }
}

/// What the processes, the store and the targets say of what followed the runs, compared.
private struct AfterRunStory {
    private(set) var violations: [String] = []
    /// How much there was of everything.
    private(set) var counts: [String: Int] = [:]

    private let sweep: Sweep
    private let runs: [JSONValue]
    private let byID: [String: JSONValue]
    /// By its first letter, the words of each line of the ledger behind that.
    private let ledger: [String: [[String]]]

    private var session: Session { sweep.session }

    init(_ sweep: Sweep) throws {
        self.sweep = sweep
        runs = try sweep.session.allRuns()
        byID = Dictionary(runs.map { ($0.text("execution_id"), $0) }) { first, _ in first }
        let lines = TestFile.text(sweep.ledger).split(separator: "\n").map {
            $0.split(separator: " ", maxSplits: 3).map(String.init)
        }
        ledger = Dictionary(grouping: lines, by: { $0[0] }).mapValues { $0.map { Array($0.dropFirst()) } }
        if byID.count != runs.count { violations.append("the history has a run twice") }
        for words in ledger["S", default: []] where byID[words[1]] == nil {
            violations.append("\(words[1]) ran and is not on record")
        }
        compareChains()
        try compareFed()
        comparePushed()
        comparePolls()
        try compareQuestions()
        try compareMessages()
    }

    private func ended(_ job: String, _ status: String) -> [JSONValue] {
        runs.filter { $0.text("job") == job && $0.text("status") == status }
    }

    private func isSuccess(_ run: String) -> Bool { byID[run]?.text("status") == "success" }

    // MARK: - Chains

    private mutating func compareChains() {
        let (successes, failures) = (ended("feeder", "success"), ended("feeder", "failed"))
        compareFollowers("heir", of: successes)
        compareFollowers("mourner", of: failures)
        compareFollowers("follower", of: successes + failures)
        let joined = runs.filter { $0.text("job") == "joiner" }
        let most = min(successes.count, ended("polled", "success").count)
        if joined.count > most { violations.append("\(joined.count) joined where \(most) could") }
        if Set(joined.map { $0.text("previous") }).count != joined.count { violations.append("a run was joined twice") }
        for run in joined where !isSuccess(run.text("previous")) { violations.append("what joined no success: \(run)") }
        counts["joined"] = joined.count
    }

    private mutating func compareFollowers(_ job: String, of runs: [JSONValue]) {
        let followed = self.runs.filter { $0.text("job") == job }.map { $0.text("previous") }.sorted()
        let expected = runs.map { $0.text("execution_id") }.sorted()
        if followed != expected { violations.append("\(job) followed \(followed) and not \(expected)") }
        counts[job] = followed.count
    }

    // MARK: - Queues

    /// The item of each success was eaten by one run that succeeded, and by no other; that of a failure is in its
    /// queue.
    private mutating func compareFed() throws {
        var eaters: [String: Set<String>] = [:]
        for words in ledger["I", default: []] {
            let item = try JSONValue(parsing: words.dropFirst().joined(separator: " "))
            eaters[item.text("execution_id"), default: []].insert(words[0])
        }
        let fed = Set(ended("feeder", "success").map { $0.text("execution_id") })
        for id in fed.union(eaters.keys) {
            let good = eaters[id, default: []].filter(isSuccess)
            if good.count != 1 || !fed.contains(id) {
                let status = byID[id]?.text("status") ?? "none"
                violations.append("the item of \(id), \(status), was eaten by \(eaters[id] ?? [])")
            }
        }
        counts["eaten"] = eaters.count
        let faults = try session.json("queue_peek", "faults", .int32(10_000)).arrayValue ?? []
        let found = faults.map { $0["item"]?.text("execution_id") ?? "" }
        let expected = ended("feeder", "failed").map { $0.text("execution_id") }
        // What one peek shows has a bound.
        let isKnown = Set(found).isSubset(of: expected) && Set(found).count == found.count
        if !isKnown || found.count < min(expected.count, 100) {
            violations.append("the queue of failures holds \(found) and not \(expected)")
        }
    }

    private mutating func comparePushed() {
        var eaten: [Int: [String]] = [:]
        for words in ledger["B", default: []] {
            let items = try? JSONValue(parsing: words.dropFirst().joined(separator: " ")).arrayValue
            for number in (items ?? []).compactMap(\.intValue) { eaten[number, default: []].append(words[0]) }
        }
        for number in sweep.pushed where eaten[number] == nil { violations.append("the item \(number) is lost") }
        for (number, runs) in eaten {
            if runs.filter(isSuccess).count != 1 { violations.append("the item \(number) was taken by \(runs)") }
            if !sweep.perhapsPushed.contains(number) { violations.append("nobody has pushed \(number)") }
        }
        counts["pushed"] = sweep.pushed.count
    }

    // MARK: - Polls and questions

    private mutating func comparePolls() {
        let found = ledger["P", default: []].compactMap { Int($0[1]) }
        if found.sorted() != Array(1...max(1, found.count)) { violations.append("the poll found \(found)") }
        let runs = runs.count { $0.text("job") == "polled" }
        if runs != found.count { violations.append("the poll has \(runs) runs, and \(found.count) were") }
        counts["polled"] = found.count
    }

    /// Each question was answered once, with what was promised, and its process heard that and nothing else.
    private mutating func compareQuestions() throws {
        var heard: [String: [String]] = [:]
        for words in ledger["A", default: []] {
            let line = try JSONValue(parsing: words[2].split(separator: " ", maxSplits: 1).last.map(String.init) ?? "")
            heard["\(words[0]) \(words[1])", default: []].append("\(line.text("choice")) by \(line.text("by"))")
        }
        for run in runs where run.text("job") == "asker" && run["started_at"] != .null {
            let id = run.text("execution_id")
            if run.text("status") != "success" { violations.append("it did not get to its end: \(run)") }
            let questions = try session.run(id)["questions"]?.arrayValue ?? []
            if questions.map({ $0.text("question") }) != ["first", "second", "third"] {
                violations.append("\(id) has asked \(questions)")
            }
            for question in questions {
                let key = "\(id) \(question.text("question"))"
                let choice = "\(question.text("choice")) by \(question.text("answered_by"))"
                if heard[key] != [choice] {
                    violations.append("\(key) heard \(heard[key] ?? []), on record is \(choice)")
                }
                if let promised = sweep.answered[key], promised != question.text("choice") {
                    violations.append("\(key): \(promised) was taken, on record is \(choice)")
                }
                if question.text("question") == "third", choice != "third-b by timeout" {
                    violations.append("\(key): \(choice)")
                }
            }
        }
        for key in sweep.answered.keys where heard[key] == nil {
            violations.append("\(key) was answered and not heard")
        }
        counts["answered"] = sweep.answered.count
    }

    // MARK: - Messages

    /// What was sent was heard, with its id; nothing was heard of a run that is not on record.
    private mutating func compareMessages() throws {
        let told = runs.filter { ["feeder", "asker"].contains($0.text("job")) && $0["started_at"] != .null }
        var (rung, noted): ([String: [String]], [String: String]) = ([:], [:])
        for run in told {
            let id = run.text("execution_id")
            let messages = try session.messagesSettled(id)
            let expected = run.text("job") == "asker" ? ["bell", "bell", "bell"] : ["bell", "memory"]
            let targets = messages.filter { $0.text("state") == "sent" }.map { $0.text("target") }
            if targets.sorted() != expected || messages.count != expected.count {
                violations.append("the messages of \(id) are \(messages.map(\.compactText))")
            }
            for message in messages {
                if message.text("target") == "memory" {
                    noted[message.text("id")] = id
                } else {
                    rung[message["gathered_in"]?.stringValue ?? message.text("id"), default: []].append(id)
                }
            }
        }
        let heard = try TestFile.text(session.scratch.path + "/home/heard").split(separator: "\n").map {
            try JSONValue(parsing: String($0))
        }
        let ids = Set(heard.compactMap { $0["message"]?.text("id") })
        for (message, runs) in rung where !ids.contains(message) {
            violations.append("nobody has heard \(message) of \(runs)")
        }
        for entry in heard {
            let run = entry["message"]?.text("run") ?? ""
            if byID[run] == nil || entry["run"]?.text("execution_id") != run {
                violations.append("heard of no run: \(entry)")
            }
        }
        let log = MemoryLog(session.scratch.path + "/home/memory")
        violations += log.violations
        if log.sections.map(\.message).sorted() != noted.keys.sorted() {
            violations.append("the memory log has \(log.sections.map(\.message)), and not \(noted.keys)")
        }
        for section in log.sections {
            let status = byID[section.run]?.text("status")
            if noted[section.message] != section.run || section.status != status || section.output != ["fed"] {
                violations.append("the section \(section)")
            }
        }
        counts["heard"] = heard.count
        counts["sections"] = log.sections.count
    }
}
