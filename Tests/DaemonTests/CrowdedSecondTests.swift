import DBus
import EventLoop
import Glibc
import JSON
import TestSupport
import Testing

/// Many jobs that are due at one second, over and over, and a SIGKILL at a system call of that second: of the daemon,
/// of supervisors, of both. The calls are swept from the first of the second to the last.
///
/// Afterwards no fire time is lost, none has run twice, and none is on record as interrupted but those whose
/// supervisors were killed past their gates; so with retries, remedies, chained runs and what clients asked for.
@Suite(.ownThread) struct CrowdedSecondTests {
    private static let isLong = getenv("BOTCRON_LONG_TESTS") != nil
    /// So many kills of each kind: whose calls, and the share of supervisors that die with the daemon.
    private static let kinds: [(whose: KillAt.Whose, share: Int, points: Int)] =
        isLong
        ? [(.daemon, 0, 400), (.daemon, 100, 80), (.daemon, 40, 120), (.both, 30, 120), (.supervisor, 0, 120)]
        : [(.daemon, 0, 7), (.daemon, 100, 2), (.daemon, 40, 2), (.both, 30, 3), (.supervisor, 0, 3)]

    @Test func noFireTimeOfACrowdedSecondIsLostOrRunTwiceWhicheverCallTheKillComesAt() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let crowd = try Crowd()
        // Nobody is killed: how many calls there are.
        var stops: [KillAt.Whose: Int] = [:]
        for whose in [KillAt.Whose.daemon, .supervisor] {
            // On a busy machine the daemon of the second before may have had it all.
            for _ in 0..<10 where stops[whose, default: 0] == 0 {
                stops[whose] = try crowd.round(KillAt(whose: whose)).stops
            }
            try #require(stops[whose, default: 0] > 0, "seed \(seed): no calls of \(whose) were counted")
        }
        stops[.both] = stops[.supervisor]
        var kills: [KillAt] = []
        for (whose, share, points) in Self.kinds {
            let most = try #require(stops[whose])
            for point in 0..<points {
                let place = (Double(point) + Double.random(in: 0..<1, using: &random)) / Double(points)
                kills.append(
                    KillAt(
                        whose: whose, stop: 1 + Int(place * Double(most)), share: share,
                        seed: UInt64(kills.count) &+ seed))
            }
        }
        kills.shuffle(using: &random)
        var (fallen, killedSupervisors) = (0, 0)
        for kill in kills {
            let report = try crowd.round(kill)
            if report.isDaemonKilled || !report.supervisors.isEmpty { fallen += 1 }
            killedSupervisors += report.supervisors.count
        }
        let story = try crowd.story()
        #expect(story.violations.isEmpty, "seed \(seed): \(story.violations.prefix(20).joined(separator: "\n"))")
        // A second may have fewer calls than the one that was counted.
        #expect(fallen > kills.count / 2, "seed \(seed): too few kills came to pass, \(fallen) of \(kills.count)")
        #expect(story.lostCount > 0, "seed \(seed): no supervisor was killed while its job ran")
        let calls = stops.map { "\($0.key.rawValue) \($0.value)" }
        print(
            "crowded second: seed \(seed), \(fallen) kills at stops of \(calls),",
            "\(killedSupervisors) supervisors killed,", story.summary)
    }
}

/// The rounds of a sweep in one state of the daemon, each with a second of its own.
private final class Crowd {
    private let session: Session
    private let ledger: String
    /// Each with the jobs of one second: those whose runs may still be under way, and the two to come.
    private var sets: [CrowdSet] = []
    private var promised: Set<String> = []
    private var killed: [String: KillAt.Report.Evidence] = [:]
    private var count = 0

    init() throws {
        session = try Session(jobs: [])
        ledger = session.scratch.path + "/ledger"
        try TestFile.write("", to: ledger)
    }

    private static let killer = Result { try KillAt.build(in: TestPlace.built(".")) }

    private static var nowUSec: Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }

    /// What has been started by now, as `CrowdSet.key` has it.
    private var lines: Set<String> {
        Set(TestFile.text(ledger).split(separator: "\n").map { CrowdSet.key(of: $0) })
    }

    /// The jobs in force: those of the sets, as long as something of them may be still to come.
    private func configure() throws {
        let section = CrowdSet.section(sets, ledger: ledger, lines: lines)
        try TestFile.write(Session.config(section), to: session.configFile)
    }

    /// Starts the daemon for the next second, lets the kill fall in it, and ends what lives on of it.
    func round(_ kill: KillAt) throws -> KillAt.Report {
        try prepare()
        let set = sets[sets.count - 2]
        let second = set.second
        let path = session.scratch.path + "/report-\(count)"
        let daemon = try session.launch(
            under: [try Self.killer.get()] + kill.arguments(report: path, second: second))
        let asked = Asked()
        while case let left = second * 1_000_000 - Self.nowUSec, left > 0 {
            askOnce(asked)
            try session.loop.runOnce(timeoutUSec: UInt64(left))
        }
        ask(asked)
        var found: KillAt.Report?
        var (heard, quietSince) = (0, Self.nowUSec)
        var missing: [String] = []
        try session.wait("the report of \(kill), and runs of \(missing)", seconds: Self.patience, everyUSec: 5000) {
            if missing.count > 0, Self.nowUSec - quietSince > 60_000_000 {
                let records = try session.allRuns().filter { missing.contains($0.text("job")) }.map(\.compactText)
                throw TestFailure("\(kill): \(missing) did not run: \(records.joined(separator: "\n"))")
            }
            askOnce(asked)
            if session.signals.count > heard { (heard, quietSince) = (session.signals.count, Self.nowUSec) }
            // The second is over when all of it has run, and all is told.
            if Self.nowUSec - quietSince > 150_000 {
                let lines = lines
                missing = set.crowd.filter { name in
                    !lines.contains("S \(name) 1") && !killed.keys.contains { $0.hasPrefix("cron-\(name)-") }
                }
                if missing.isEmpty { daemon.signal(SIGUSR1) }
            }
            found = TestFile.bytes(path).map { KillAt.Report(String(decoding: $0, as: UTF8.self)) }
            return found != nil
        }
        let report = try #require(found)
        // A daemon that lives hears of the death of its supervisor, and dies at a moment of chance.
        if !report.isDaemonKilled { try session.loop.turn(forUSec: kill.seed % 150_000) }
        try session.crash(daemon)
        sets[sets.count - 1].isKnown = asked.isKnown
        promised.formUnion(asked.promised)
        killed.merge(report.supervisors) { $1 }
        return report
    }

    /// On a busy machine what is left of a second may take long.
    private static let patience = 120.0

    private func start() throws -> Program {
        let daemon = try session.launch()
        try session.wait("the name owned", seconds: Self.patience) { session.owner != nil || daemon.code != nil }
        return daemon
    }

    /// Writes down the jobs of two seconds: the one to come, which a daemon knows of already, and the next.
    private func prepare() throws {
        while sets.last?.isKnown != true {
            // Killed before it could put them on record, or before it could say so, the last daemon may have run them
            // or not: they are nobody's.
            if !sets.isEmpty { sets.removeLast() }
            add(second: Self.nowUSec / 1_000_000 + 3)
            try configure()
            let (daemon, asked) = (try start(), Asked())
            try session.wait("what it knows", seconds: Self.patience, everyUSec: 10_000) {
                askOnce(asked)
                return asked.isKnown || Self.nowUSec > sets[sets.count - 1].second * 1_000_000
            }
            sets[sets.count - 1].isKnown = asked.isKnown
            try session.crash(daemon)
        }
        add(second: max(sets[sets.count - 1].second + 1, Self.nowUSec / 1_000_000 + 2))
        try configure()
    }

    private func add(second: Int) {
        count += 1
        sets.append(CrowdSet(count, second: second, size: 60, ledger: ledger))
    }

    private func ask(_ asked: Asked) {
        for _ in 0..<3 {
            let call = RemoteCall(
                Session.name, Session.path, Session.interface, "run_job", [.string("manual")], startsService: false)
            session.client.call(call) { result in
                guard case .success(let values) = result, let text = values.first?.asString,
                    let run = try? JSONValue(parsing: text)
                else { return }
                asked.promised.insert(run.text("execution_id"))
            }
        }
    }

    /// Asks a daemon that is there whether it knows the jobs of the second after this one: it answers when they are on
    /// record.
    private func askOnce(_ asked: Asked) {
        guard session.owner != nil, !asked.isAsked else { return }
        asked.isAsked = true
        let call = RemoteCall(
            Session.name, Session.path, Session.interface, "get_job", [.string(sets[sets.count - 1].crowd[0])],
            startsService: false)
        let second = sets[sets.count - 1].second
        session.client.call(call) { result in
            // One that came too late for that second has a job that is never due.
            if case .success = result, Self.nowUSec < second * 1_000_000 { asked.isKnown = true }
        }
    }

    /// What the client was promised; the replies come when they come.
    private final class Asked {
        var promised: Set<String> = []
        var (isAsked, isKnown) = (false, false)
    }

    /// Starts a last daemon, lets everything come to its end, and compares.
    func story() throws -> CrowdStory {
        // What is not known to any daemon is nobody's.
        if sets.last?.isKnown == false { sets.removeLast() }
        try configure()
        _ = try start()
        let last = sets.last?.second ?? 0
        while case let left = (last + 1) * 1_000_000 - Self.nowUSec, left > 0 {
            try session.loop.turn(forUSec: UInt64(left))
        }
        try session.wait("no active run", seconds: 300, everyUSec: 100_000) {
            (try? session.json("GetStatus"))?["active_runs"] == []
        }
        var story = CrowdStory(killed)
        story.compare(try session.allRuns(), TestFile.text(ledger), sets, promised)
        return story
    }
}
