import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// A daemon that is asked for every change there is while its store cannot be written, round after round; and what it
/// answered, compared with what came of it.
final class RefusalSweep {
    /// How a round goes on once the store fails.
    enum Course: CaseIterable {
        /// It is well again before the daemon's patience is over.
        case shorter
        case longer
        /// The daemon is killed when its patience is over.
        case killed
        /// The daemon is stopped before that.
        case stopped

        var isSameDaemon: Bool { self == .shorter || self == .longer }
    }

    /// When a request comes.
    private enum Moment: CaseIterable {
        /// With all others of the first turn that fails.
        case atOnce
        /// While that turn is tried again.
        case held
        /// When the patience is over.
        case late
    }

    private final class Asked {
        let asking: Asking
        let subject: Subject
        var moment = Moment.atOnce
        var answer: Answer?

        init(_ asking: Asking, _ subject: Subject) {
            self.asking = asking
            self.subject = subject
        }
    }

    let session: Session
    private let outage: StoreOutage
    /// Whether fire times and ends of runs come in the same turns.
    private let hasCompany: Bool
    private let disk: FailingDisk
    private var random: SeededGenerator
    private var daemon: Program
    private var lock: OtherProgram?
    private var round = 0
    /// When the round began: what is older is not asked for again.
    private var since = time(nil)
    /// Jobs with runs that do not end by themselves.
    private var endless: Set<String> = ["tick", "slow"]
    private(set) var violations: [String] = []
    private(set) var successes = 0
    private(set) var refusals = 0
    private(set) var unanswered = 0

    private static let company: [JSONValue] = ["tick", "slow"].map { name in
        let pause = name == "slow" ? "sleep 0.6; " : ""
        let command: JSONValue = [
            "sh", "-c", .string(pause + "echo \"$BOTCRON_JOB $BOTCRON_EXECUTION_ID\" >> $LEDGER"),
        ]
        return ["name": .string(name), "cron": "* * * * * *", "command": command, "history_limit": 1000]
    }

    init(_ outage: StoreOutage, hasCompany: Bool, _ random: SeededGenerator) throws {
        self.outage = outage
        self.hasCompany = hasCompany
        self.random = random
        let witness: JSONValue = ["name": "witness", "command": ["true"]]
        session = try Session(
            jobs: [witness] + (hasCompany ? Self.company : []),
            ["max_concurrent_executions": 1000])
        disk = try FailingDisk(session.scratch.path + "/switch")
        daemon = try Self.start(session, disk)
    }

    private static func start(_ session: Session, _ disk: FailingDisk) throws -> Program {
        var changes = try FaultLibrary.environment(disk)
        changes["LEDGER"] = session.scratch.path + "/ledger"
        return try session.start([], changes)
    }

    // MARK: - A round

    /// Asks for each of these once, about subjects of their own, in one outage.
    func run(_ askings: [Asking], _ course: Course) throws {
        round += 1
        since = time(nil)
        let context = "\(outage), \(course), \(hasCompany ? "in company" : "alone"), round \(round)"
        // Whatever else is asked, one comes first, so that there is a turn that fails.
        let opener = Asking(way: .json("queue_push"), trace: .pushedItem, arguments: { [.string($0.name), "1"] })
        let all = ([opener] + askings).enumerated().map { number, asking in
            Asked(asking, Subject("r\(round)-\(number)"))
        }
        for asked in all { try asked.asking.prepare(session, asked.subject) }
        endless.formUnion(all.filter { $0.asking.trace.isOfRun }.map(\.subject.name))
        let isShort = course == .shorter || course == .stopped
        let moments: [Moment] = isShort ? [.atOnce, .held] : Moment.allCases
        for asked in all.dropFirst() { asked.moment = moments.randomElement(using: &random) ?? .atOnce }
        try compare(all, context + ", before") { _ in 0 }

        try fail(all, course)
        let asking = daemon
        if course.isSameDaemon { try heal(all) } else { try endAmidst(course) }
        outageLog = String(decoding: asking.output.dropFirst(saidBefore), as: UTF8.self)
        try settle(all)
        try compare(all, context + ", afterwards") { Self.expected($0, isSameDaemon: course.isSameDaemon) }
        if course.isSameDaemon {
            try session.crash(daemon)
            daemon = try Self.start(session, disk)
            try settle(all)
            try compare(all, context + ", restarted") { Self.expected($0, isSameDaemon: false) }
        }
        try letFireTimesPass(all)
        let lasting = all.filter { !$0.asking.trace.isOfScheduler }
        try compare(lasting, context + ", in the end") { Self.expected($0, isSameDaemon: false) }
        try compareLedger(all, context)
        try emptyQueues()
        for asked in all {
            switch asked.answer {
            case .success?: successes += 1
            case .refused?: refusals += 1
            case .some(.none), nil: unanswered += 1
            }
        }
    }

    /// Nil where nothing was promised.
    private static func expected(_ asked: Asked, isSameDaemon: Bool) -> Int? {
        switch asked.answer {
        case .success?: isSameDaemon || asked.asking.trace.outlivesDaemon ? 1 : 0
        // What stands in the file is a fact, whoever says so.
        case .refused?: asked.asking.isFact ? nil : 0
        case .some(.none), nil: nil
        }
    }

    private func send(_ all: [Asked], at moment: Moment) throws {
        for asked in all where asked.moment == moment {
            session.client.call(try asked.asking.call(asked.subject)) {
                asked.answer = Answer($0, to: asked.asking.way)
            }
        }
        // They are all with the daemon's connection when the bus has answered.
        try session.settle()
    }

    // MARK: - The outage

    private func fail(_ all: [Asked], _ course: Course) throws {
        try beginOutage()
        // It finds everything at once, and with it what else was due.
        daemon.signal(SIGSTOP)
        // Before anything is asked: an editor that saves the file over a change of the daemon would be to blame itself.
        for asked in all { try asked.asking.act(session, asked.subject) }
        if hasCompany {
            let next = time(nil) + 1
            try session.look(for: "a fire time") { time(nil) >= next }
        }
        try send(all, at: .atOnce)
        daemon.signal(SIGCONT)
        // What cannot even be looked up is given up without a second try.
        try hear("trying again", "requests are refused")
        try send(all, at: .held)
        if course == .stopped { return }
        if course == .shorter {
            let end = ProcessState.monotonicUSec + UInt64.random(in: 0...700_000, using: &random)
            return try session.look(for: "the end of the outage") { ProcessState.monotonicUSec >= end }
        }
        try hear("requests are refused")
        try send(all, at: .late)
        let health = try session.json("HealthCheck")
        #expect(health["checks"]?["store_writable"] == false)
        if !outage.leavesDoubt {
            try session.wait("all answers amidst the outage") { all.allSatisfy { $0.answer != nil } }
        }
        // Nothing of what was refused can be seen meanwhile.
        guard outage != .unreadable else { return }
        let memory = try MemoryView(session, since: since, pattern: "r\(round)-*", queues: Self.queues(all))
        for asked in all {
            guard case .refused? = asked.answer else { continue }
            let count = asked.asking.trace.inMemory(memory, asked.subject) ?? 0
            if count != 0 { note("\(count) of it is there in the outage", asked) }
        }
    }

    private func beginOutage() throws {
        saidBefore = daemon.output.count
        if let failure = outage.failure(session) { return disk.fail(failure) }
        let program = try OtherProgram(session)
        try program.execute("BEGIN IMMEDIATE")
        lock = program
    }

    private func endOutage() {
        disk.mend()
        lock = nil
    }

    private var saidBefore = 0
    private var outageLog = ""

    /// Whether the daemon has said so since the outage began.
    private func said(_ words: String) -> Bool {
        daemon.output.dropFirst(saidBefore).firstRange(of: words.utf8) != nil
    }

    /// Waits until it says one of these: what it said before is not read again and again.
    private func hear(_ words: String...) throws {
        var isHeard = words.contains(where: said)
        daemon.onOutput = { [unowned self] in isHeard = words.contains(where: said) }  // It is taken away below.
        defer { daemon.onOutput = {} }
        try session.wait("the words \(words)") { isHeard }
    }

    private func heal(_ all: [Asked]) throws {
        endOutage()
        try session.wait("the answers: \(all.filter { $0.answer == nil }.map(\.asking.name))") {
            all.allSatisfy { $0.answer != nil }
        }
        try session.wait("the store is well", everyUSec: 50_000) {
            try session.json("HealthCheck")["checks"]?["store_writable"] == true
        }
        // A test that was held up itself has made a long outage of a short one.
        let hasGivenUp = said("requests are refused")
        for asked in all {
            guard let answer = asked.answer else { continue }
            switch answer {
            case .none: note("it was not answered by a daemon that lived", asked)
            case .refused(let name, let message):
                let isOfStore = name.isEmpty ? message.contains("botcron.db") : name.hasSuffix(".StoreFailed")
                let isOfFile = outage == .full && asked.asking.trace.isOfFile
                if !isOfStore && !isOfFile { note("it was refused for another reason", asked) }
                if asked.asking.isFact || !hasGivenUp && !isOfFile { note("it was refused", asked) }
            case .success:
                // Of the other outages some may be on record in spite of all.
                if hasGivenUp, !outage.leavesDoubt, !asked.asking.mayAlwaysSucceed {
                    note("it succeeded in an outage", asked)
                }
            }
        }
    }

    private func endAmidst(_ course: Course) throws {
        if course == .killed { try session.crash(daemon) } else { #expect(try session.stop(daemon) == 0) }
        // The bus may be slower to see its end than we are.
        try session.wait("the name free") { session.owner == nil }
        endOutage()
        daemon = try Self.start(session, disk)
    }

    /// Waits until whatever was started has ended, but for what does not end by itself.
    private func settle(_ all: [Asked]) throws {
        for _ in 0..<2 { #expect(try session.runToEnd("witness")["status"] == "success") }
        let cancelled = all.filter {
            if case .success? = $0.answer { $0.asking.trace.isOfRun } else { false }
        }.map(\.subject.note)
        try session.wait("no active run", everyUSec: 50_000) {
            let active = try session.json("GetStatus")["active_runs"]?.arrayValue?.compactMap(\.stringValue) ?? []
            return active.allSatisfy { id in
                !cancelled.contains(id) && endless.contains { id.hasPrefix("cron-\($0)-20") }
            }
        }
    }

    /// There are only so many queues: what a round has pushed goes with it. What was taken came back with the restart.
    private func emptyQueues() throws {
        for queue in try session.json("queue_list").arrayValue ?? [] {
            let name = queue.text("queue")
            for _ in 0..<(queue["items"]?.intValue ?? 0) {
                let item = try session.json("queue_pop", .string(name)).text("id")
                _ = try session.json("queue_ack", .string(name), .string(item))
            }
        }
    }

    // MARK: - Comparing

    private static func queues(_ all: [Asked]) -> [String] {
        all.filter { !$0.asking.trace.outlivesDaemon }.map(\.subject.name)
    }

    private func compare(_ all: [Asked], _ when: String, _ expected: (Asked) -> Int?) throws {
        let disk = try DiskView(session)
        let memory = try MemoryView(session, since: since, pattern: "r\(round)-*", queues: Self.queues(all))
        for asked in all {
            let trace = asked.asking.trace
            let onDisk = trace.onDisk(disk, asked.subject)
            let counts = (onDisk, trace.inMemory(memory, asked.subject) ?? onDisk)
            let isRight =
                if let expected = expected(asked) {
                    counts == (expected, expected)
                } else {
                    counts.0 == counts.1 && (0...1).contains(counts.0)
                }
            if !isRight { note("\(when): \(counts.0) on disk, \(counts.1) in memory", asked) }
            if case .success(let run?)? = asked.answer, disk.runs[run] == nil {
                note("\(when): its run \(run) is not on record", asked)
            }
        }
    }

    /// Lets fire times pass, so that whatever is due by now has run.
    private func letFireTimesPass(_ all: [Asked]) throws {
        try session.done("toggle_scheduler", .bool(true))
        let name = "pulse-\(round)"
        let pulse: JSONValue = [
            "name": .string(name), "cron": "* * * * * *", "max_executions": 2, "command": ["true"],
        ]
        _ = try session.json("schedule_job", .string(pulse.compactText))
        try session.wait("two fire times", everyUSec: 50_000) { try session.job(name)["run_count"] == 2 }
        try settle(all)
    }

    private func compareLedger(_ all: [Asked], _ when: String) throws {
        let lines = TestFile.text(session.scratch.path + "/ledger").split(separator: "\n").map {
            $0.split(separator: " ").map(String.init)
        }
        let disk = try DiskView(session)
        let ids = lines.map { $0.count == 2 ? $0[1] : "a torn line" }
        if Set(ids).count != ids.count { violations.append("\(when): a run ran twice") }
        for id in ids where disk.runs[id] == nil { violations.append("\(when): \(id) ran and is not on record") }
        for asked in all where asked.asking.trace.doesRun {
            let count = lines.count { $0[0] == asked.subject.name }
            let isRight =
                switch asked.answer {
                case .success?: count == 1
                case .refused?: count == 0
                case .some(.none), nil:
                    count == disk.runs(of: asked.subject.name) - asked.asking.trace.runsBefore && count <= 1
                }
            if !isRight { note("\(when): it ran \(count) times", asked) }
        }
    }

    /// What the daemon said that was asked last, for people.
    private(set) var log = ""

    private func note(_ what: String, _ asked: Asked) {
        if violations.isEmpty { log = outageLog }
        let answer = asked.answer.map { "\($0)" } ?? "not answered"
        violations.append("\(asked.asking.name) of \(asked.subject.name), \(asked.moment), \(answer): \(what)")
    }
}
